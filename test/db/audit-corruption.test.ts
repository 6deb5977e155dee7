/**
 * One good export, torn at in every way that somebody could think of; the verifier has to refuse each, and to name the
 * first entry that cannot be relied upon. The log has 1,300 entries and more, three hours, an erased value, two tiles of
 * which it is not the last, and a witness.
 */
import { createHash } from 'node:crypto'
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import {
  auditPublicKey,
  createWitnessing,
  createWitnessState,
  eraseOpenings,
  parseVerifierKey,
  startWitness,
  type Verdict,
  verifyExport,
  type Witness,
} from '../../src/audit/index.ts'
import { signerFromPem } from '../../src/audit/note/key.ts'
import { systemClock, toInstant } from '../../src/clock.ts'
import type { ConsentId } from '../../src/ids.ts'
import { type AuditLog, newAuditKey, openAuditLog, silent } from '../support/audit-log.ts'
import { aurora, ENTRIES } from '../unit/audit/entries.ts'

const EIGHT = Date.parse('2026-03-01T08:00:00Z')
const ERASED = 'ffffffff-0000-4000-8000-000000000000' as ConsentId
const SIZE = 1_309

let now = EIGHT
const clock = { now: () => toInstant(now) }
let log: AuditLog
let witness: Witness
let endpoint: Parameters<typeof createWitnessing>[0]['witnesses'][number]
let good = ''
/** Noted by somebody after the first hour. */
let earlier = ''
let policy = ''
let dir = ''

beforeAll(async () => {
  log = await openAuditLog({ clock })
  const signer = signerFromPem('witness.example/w', 'cosignature', newAuditKey().reveal())
  const stateFile = join(log.folder, 'witness.json')
  await createWitnessState(stateFile)
  const logKey = parseVerifierKey(log.publicKey)
  if (logKey === null) throw new Error('a key')
  const config = { address: '127.0.0.1', port: 0, tls: null, signer, stateFile, logs: [logKey] }
  witness = await startWitness(config, { clock: systemClock, log: silent })
  endpoint = { key: signer.verifier, url: `http://127.0.0.1:${witness.port}`, ca: null }
  policy = `log ${log.publicKey}\nwitness w ${signer.verifier.text}\nquorum w\n`
  // 0 log-key, 1 hour 08; 2 to 601 entries
  const outage = (id: string, from: string, to: string) =>
    ({ ...ENTRIES['admin-act'], act: 'outage planned', target: `outage ${id} planned of lfi ${from} ${to}` }) as const
  await log.record(596)
  await log.audit.record(
    outage('one', '2026-02-28T22:00:00.000Z', '2026-03-01T01:00:00.000Z'),
    // Over early: what was said last holds.
    outage('one', '2026-02-28T22:00:00.000Z', '2026-02-28T22:30:00.000Z'),
  )
  await log.audit.record({ ...ENTRIES['consent-changed'], consentId: ERASED }, ENTRIES['tpp-call'])
  await log.seal()
  await createWitnessing({ db: log.db, witnesses: [endpoint], clock, log: silent }).submitNow()
  const first = await log.export('earlier', {}, { witnesses: [endpoint] } as never)
  earlier = readFileSync(join(first.path, 'checkpoint'), 'utf8')
  // 602 notice, 603 hour 09
  now += 3_600_000
  await log.record(700)
  await log.seal()
  // 1304 erased, 1305 hour 10
  await eraseOpenings(
    { db: log.db, tenantId: aurora, clock },
    { field: 'consentId', value: ERASED },
    { actor: 'dpo', reason: 'asked for' },
  )
  await log.seal()
  now += 3_600_000
  await log.audit.record(ENTRIES['tpp-call'], ENTRIES['lfi-call'])
  good = (await log.export('good', { openings: true }, { witnesses: [endpoint] } as never)).path
}, 120_000)
afterAll(async () => {
  await witness.close()
  await log.close()
})
beforeEach(() => {
  dir = join(log.folder, 'torn')
  rmSync(dir, { recursive: true, force: true })
  cpSync(good, dir, { recursive: true })
})

const verify = (over: Parameters<typeof verifyExport>[1] = {}): Verdict =>
  verifyExport(dir, { key: log.publicKey, policy, checkpoints: [earlier], ...over })
const bad = (over?: Parameters<typeof verifyExport>[1]) => verify(over).firstBad
const path = (name: string): string => join(dir, name)
const edit = (name: string, change: (text: string) => string): void => {
  const before = readFileSync(path(name), 'utf8')
  const after = change(before)
  if (after === before) throw new Error(`${name} was not changed`)
  writeFileSync(path(name), after)
}
const flip = (name: string, octet: number, bit = 0): void => {
  const bytes = readFileSync(path(name))
  bytes[octet] = (bytes[octet] as number) ^ (1 << bit)
  writeFileSync(path(name), bytes)
}
const lineOf = (name: string, index: number): string =>
  readFileSync(path(name), 'utf8')
    .split('\n')
    .find((line) => line.startsWith(`{"index":${index},`)) ?? ''

/** Entries of a bundle, to be put together again otherwise. */
function rebundle(name: string, change: (entries: Buffer[]) => Buffer[]): void {
  const bundle = readFileSync(path(name))
  const entries: Buffer[] = []
  for (let at = 0; at < bundle.length; at += 2 + bundle.readUInt16BE(at))
    entries.push(bundle.subarray(at, at + 2 + bundle.readUInt16BE(at)))
  writeFileSync(path(name), Buffer.concat(change(entries)))
}

test('the export as it was made is good, and says all there is to say', () => {
  const verdict = verify()
  expect(verdict).toMatchObject({
    ok: true,
    size: SIZE,
    entriesRead: SIZE,
    isKeyGiven: true,
    isQuorumMet: true,
    hours: { count: 3, first: '2026-03-01T08:00:00.000Z', last: '2026-03-01T10:00:00.000Z', missed: [] },
    commitments: { erased: 1 },
    consistentWith: [603],
    tenantId: 'aurora',
  })
  expect(verdict.witnesses).toMatchObject([{ name: 'w' }])
  expect(verdict.commitments.opened).toBe(verdict.commitments.total - 1)
  expect(verdict.reports).toBeUndefined()
  expect(verify({ reports: true }).reports).toMatchObject({
    lfi: [{ Period: '2026-03-01', PlannedDowntimeMinutes: 30, UnplannedDowntimeMinutes: 0 }],
    daily: [{ calls: 2, lfi_us_min: 20_000, lfi_us_max: 20_000, lfi_us_sum: 40_000, total_us_min: 24_124 }],
  })
})

describe('one bit', () => {
  const TORN: readonly [string, number, number | null][] = [
    ['checkpoint', 20, null],
    ['manifest.json', 30, null],
    ['fields.json', 100, null],
    ['keys.ndjson', 40, null],
    ['tile/0/000', 32 * 77 + 3, 77],
    ['tile/0/004', 32 * 10, 4 * 256 + 10],
    ['tile/0/005.p/29', 32 * 28 + 31, 1308],
    ['tile/1/000.p/5', 32 * 3, 3 * 256],
    ['tile/entries/000', 1, 0],
    ['tile/entries/002', 20_000, null],
    ['tile/entries/005.p/29', 2, 1280],
  ]
  test.each(TORN)('of %s at %i', (name, octet, index) => {
    flip(name, octet)
    const found = bad()
    expect(found).toBeDefined()
    if (index !== null) expect(found?.index).toBe(index)
  })

  test('anywhere in a bundle names the entry that it belongs to', () => {
    const name = 'tile/entries/003'
    const bundle = readFileSync(path(name))
    const bounds: number[] = []
    for (let at = 0; at < bundle.length; at += 2 + bundle.readUInt16BE(at)) bounds.push(at)
    for (let octet = 0; octet < bundle.length; octet += 997) {
      flip(name, octet, octet % 8)
      const place = bounds.findLastIndex((at) => at <= octet)
      expect(bad()?.index, `octet ${octet}`).toBe(768 + place)
      flip(name, octet, octet % 8)
    }
    expect(verify().ok).toBe(true)
  })

  test.each([
    'manifest.json',
    'fields.json',
    'keys.ndjson',
    'hours.ndjson',
    'openings.ndjson',
  ])('anywhere in %s is found, but in signatures of keys that nobody asked about', (name) => {
    const bytes = readFileSync(path(name))
    const step = Math.max(1, Math.floor(bytes.length / 60))
    const unseen: string[] = []
    for (let octet = 0; octet < bytes.length; octet += step) {
      flip(name, octet, octet % 7)
      // Cosignatures on the checkpoints of hours are for whoever has a policy for them.
      const isCosignature =
        name === 'hours.ndjson' &&
        bytes.subarray(0, octet).lastIndexOf('witness.example') > bytes.subarray(0, octet).lastIndexOf('\n')
      if (verify().ok && !isCosignature) unseen.push(`${octet}: ${bytes.subarray(Math.max(0, octet - 20), octet + 20)}`)
      flip(name, octet, octet % 7)
    }
    expect(unseen).toEqual([])
  }, 120_000)

  test.each(['entries.ndjson', 'entries.csv'])('in %s names the entry', (name) => {
    edit(name, (text) => text.replace('n 500', 'n 501'))
    expect(bad()).toMatchObject({ where: name, index: 502 })
  })
})

describe('entries', () => {
  test('dropped', () => {
    rebundle('tile/entries/001', (entries) => entries.toSpliced(44, 1))
    expect(bad()).toMatchObject({ where: 'tile/entries/001', index: 300 })
  })
  test('swapped', () => {
    rebundle('tile/entries/001', (entries) => entries.with(44, entries[45] as Buffer).with(45, entries[44] as Buffer))
    expect(bad()).toMatchObject({ index: 300 })
  })
  test('added at the end of a bundle', () => {
    rebundle('tile/entries/001', (entries) => [...entries, entries[0] as Buffer])
    expect(bad()).toMatchObject({ index: 512, reason: 'something follows the last entry' })
  })
  test('a bundle that is gone', () => {
    rmSync(path('tile/entries/002'))
    expect(bad()).toMatchObject({ where: 'tile/entries/002', index: 512, reason: 'the file is missing' })
  })
  test('a tile that is gone', () => {
    rmSync(path('tile/0/002'))
    expect(bad()).toMatchObject({ where: 'tile/0/002', index: 512 })
  })
  test('a tile cut short', () => {
    writeFileSync(path('tile/0/002'), readFileSync(path('tile/0/002')).subarray(0, 32 * 100))
    expect(bad()).toMatchObject({ index: 612 })
  })
  test('a tail that was truncated', () => {
    rebundle('tile/entries/005.p/29', (entries) => entries.slice(0, 20))
    expect(bad()).toMatchObject({ index: 1300, reason: 'the file ends before this entry' })
  })
  test('changed together with their leaf: the tiles above tell', () => {
    rewrite(300)
    expect(bad()).toMatchObject({ where: 'tile/1/000.p/5', index: 256 })
  })
  test('changed together with the whole tree: the checkpoints of hours and of others tell how far it is good', () => {
    rewrite(300)
    copyUpperTiles()
    expect(bad()).toMatchObject({
      where: 'checkpoint noted earlier',
      index: 2,
      reason: expect.stringMatching('the 2 before are good'),
    })
  })
  test('changed after the last hour: only the checkpoint tells', () => {
    rewrite(1_308)
    expect(bad()).toMatchObject({ where: 'checkpoint', index: 1_306 })
  })
})

/** Makes entry and leaf agree with each other, as somebody would who has all files and no key. */
function rewrite(index: number): void {
  const n = Math.floor(index / 256)
  const width = n === 5 ? 29 : 256
  const suffix = width === 256 ? '' : `.p/${width}`
  const forged = Buffer.from(
    JSON.stringify({
      v: 1,
      kind: 'system',
      at: '2026-03-01T08:00:00.000Z',
      clock: 'steady',
      tenantId: 'aurora',
      interactionId: null,
      event: 'started',
      detail: 'forged',
    }),
  )
  const length = Buffer.alloc(2)
  length.writeUInt16BE(forged.length)
  rebundle(`tile/entries/00${n}${suffix}`, (entries) => entries.with(index % 256, Buffer.concat([length, forged])))
  const tile = readFileSync(path(`tile/0/00${n}${suffix}`))
  leaf(forged).copy(tile, (index % 256) * 32)
  writeFileSync(path(`tile/0/00${n}${suffix}`), tile)
  edit('entries.ndjson', (text) =>
    text.replace(lineOf('entries.ndjson', index), `{"index":${index},"entry":${forged}}`),
  )
  edit('entries.csv', (text) =>
    text
      .split('\n')
      .map((line) => (line.startsWith(`${index},`) ? csvOf(index) : line))
      .join('\n'),
  )
}
const csvOf = (index: number): string => {
  const fields = (JSON.parse(readFileSync(path('fields.json'), 'utf8')) as { name: string }[]).map(({ name }) => name)
  const values: Readonly<Record<string, string>> = {
    index: String(index),
    v: '1',
    kind: 'system',
    at: '2026-03-01T08:00:00.000Z',
    clock: 'steady',
    tenantId: 'aurora',
    event: 'started',
    detail: 'forged',
  }
  return fields.map((name) => values[name] ?? '').join(',')
}
const sha = (...parts: readonly Buffer[]): Buffer => createHash('sha256').update(Buffer.concat(parts)).digest()
const leaf = (bytes: Buffer): Buffer => sha(Buffer.of(0), bytes)

function copyUpperTiles(): void {
  const roots = [0, 1, 2, 3, 4].map((n) => {
    const tile = readFileSync(path(`tile/0/00${n}`))
    let row: Buffer[] = Array.from({ length: 256 }, (_, at) => tile.subarray(at * 32, at * 32 + 32))
    while (row.length > 1)
      row = row.flatMap((each, at) => (at % 2 === 0 ? [sha(Buffer.of(1), each, row[at + 1] as Buffer)] : []))
    return row[0] as Buffer
  })
  writeFileSync(path('tile/1/000.p/5'), Buffer.concat(roots))
}

describe('hours', () => {
  test('one that was removed', () => {
    edit('hours.ndjson', (text) => text.split('\n').toSpliced(1, 1).join('\n'))
    expect(bad()).toMatchObject({
      where: 'hours.ndjson',
      index: 603,
      reason: expect.stringMatching('09:00:00.000Z is missing'),
    })
  })
  test('the last, removed', () => {
    edit('hours.ndjson', (text) => text.split('\n').toSpliced(2, 1).join('\n'))
    expect(bad()).toMatchObject({ where: 'hours.ndjson', index: 1305 })
  })
  test('called by another name', () => {
    edit('hours.ndjson', (text) => text.replace('T09:', 'T07:'))
    expect(bad()).toMatchObject({ where: 'hours.ndjson', index: 603 })
  })
  test('centuries after the one before it', () => {
    edit('hours.ndjson', (text) => text.replace(/(?<=.*\n.*"hour":")\d{4}/, '9999'))
    expect(bad()).toMatchObject({ where: 'hours.ndjson' })
    expect(bad()?.reason).toBe('this hour does not follow the one before it')
  })
  test('with a checkpoint that another key signed', () => {
    edit('hours.ndjson', (text) => text.replace(/(?<=\\n— falaj\/aurora \S{20})./, (was) => (was === 'A' ? 'B' : 'A')))
    expect(bad()).toMatchObject({ where: 'hours.ndjson' })
  })
})

describe('values', () => {
  const OPENED = 1_307
  test('a wrong salt', () => {
    const line = lineOf('openings.ndjson', OPENED)
    edit('openings.ndjson', (text) =>
      text.replace(
        line,
        line.replace(/"salt":"./, (found) => `${found.slice(0, -1)}${found.endsWith('A') ? 'B' : 'A'}`),
      ),
    )
    expect(bad()).toMatchObject({ where: 'opening', index: OPENED })
  })
  test('a wrong value', () => {
    const line = lineOf('openings.ndjson', OPENED)
    edit('openings.ndjson', (text) => text.replace(line, line.replace('0d8f1c7e', '0d8f1c7f')))
    expect(bad()).toMatchObject({ where: 'opening', index: OPENED })
  })
  test('one that is missing without a record of its erasure', () => {
    const line = lineOf('openings.ndjson', OPENED)
    edit('openings.ndjson', (text) => text.replace(`${line}\n`, ''))
    expect(bad()).toMatchObject({
      where: 'openings.ndjson',
      index: OPENED,
      reason: expect.stringMatching('nothing records'),
    })
  })
  test('one that was put back after its erasure', async () => {
    const other = await log.db.raw('select bytes from audit_entry limit 1')
    expect(other.rows).toHaveLength(1)
    const bogus = `{"index":600,"field":"consentId","salt":"AAAAAAAAAAAAAAAAAAAAAA==","value":"${ERASED}"}`
    edit('openings.ndjson', (text) => `${bogus}\n${text}`)
    expect(bad()).toMatchObject({ where: 'opening', index: 600 })
  })
})

describe('checkpoints', () => {
  test('forged: no signature of the key', () => {
    edit('checkpoint', (text) =>
      text.replace(/— falaj\/aurora \S+/, `— falaj/aurora ${Buffer.alloc(68, 1).toString('base64')}`),
    )
    expect(bad()).toMatchObject({ where: 'checkpoint', index: null, reason: expect.stringMatching('did not sign') })
  })
  test('of another size', () => {
    edit('checkpoint', (text) => text.replace(`\n${SIZE}\n`, `\n${SIZE - 1}\n`))
    expect(bad()).toMatchObject({ where: 'checkpoint', index: null })
  })
  test('another key altogether, in the export and nowhere else', () => {
    expect(bad({ key: auditPublicKey(aurora, newAuditKey()), policy: `quorum none\n` })).toMatchObject({
      where: 'keys.ndjson',
      reason: expect.stringMatching('not a key of this log'),
    })
  })
  test('without the cosignature that the policy asks for', () => {
    edit('checkpoint', (text) =>
      text
        .split('\n')
        .filter((line) => !line.includes('witness.example'))
        .join('\n'),
    )
    expect(bad()).toMatchObject({ where: 'checkpoint', reason: expect.stringMatching('quorum') })
  })
  test('with a cosignature of another time', () => {
    edit('checkpoint', (text) =>
      text.replace(/(— witness\.example\/w \S{10})./, (all, head) => `${head}${all.endsWith('A') ? 'B' : 'A'}`),
    )
    expect(bad()).toMatchObject({ where: 'checkpoint', reason: expect.stringMatching('quorum') })
  })
})

describe('a key in the wrong hands', () => {
  /** The operator, or who stole the key, writes another history with the true key from the first hour on. */
  async function forge(name: string, count: number): Promise<{ readonly forger: AuditLog; readonly path: string }> {
    let time = EIGHT
    const forger = await openAuditLog({ clock: { now: () => toInstant(time) }, key: log.key })
    await forger.record(count, 'other')
    await forger.seal()
    time += 3_600_000
    const made = await forger.export(name, { openings: true }, { witnesses: [endpoint] } as never)
    mkdirSync(path('..'), { recursive: true })
    rmSync(dir, { recursive: true, force: true })
    cpSync(made.path, dir, { recursive: true })
    return { forger, path: made.path }
  }

  test('makes a fork that is good by itself, but not for whoever noted a checkpoint', async () => {
    const { forger } = await forge('fork', 900)
    expect(verify({ policy: 'quorum none\n', checkpoints: [] })).toMatchObject({ ok: true })
    expect(bad({ policy: 'quorum none\n' })).toMatchObject({
      where: 'checkpoint noted earlier',
      reason: expect.stringMatching('this checkpoint of 603 entries has another root'),
    })
    await forger.close()
  })

  test('gets no cosignature of an honest witness for it', async () => {
    const { forger } = await forge('unseen', 2_000)
    expect(bad({ checkpoints: [] })).toMatchObject({ where: 'checkpoint', reason: expect.stringMatching('quorum') })
    const witnessing = createWitnessing({ db: forger.db, witnesses: [endpoint], clock, log: silent })
    await witnessing.submitNow()
    expect(witnessing.counts().get('witness.example/w')).toEqual({ cosigned: 0, refused: 1, failed: 0 })
    await forger.close()
  })

  test('cannot cut the end off either', async () => {
    const { forger } = await forge('short', 100)
    expect(bad({ policy: 'quorum none\n' })).toMatchObject({ where: 'checkpoint noted earlier', index: 104 })
    await forger.close()
  })
})

test('there is nothing to judge in an empty folder, and that is not a verdict', () => {
  rmSync(dir, { recursive: true, force: true })
  mkdirSync(dir)
  expect(() => verify()).toThrow('no finished export')
  expect(existsSync(path('checkpoint'))).toBe(false)
  expect(readdirSync(dir)).toEqual([])
})
