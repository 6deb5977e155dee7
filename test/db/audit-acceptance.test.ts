/**
 * What somebody can do who has the export, the verifier and public keys, and nothing else: the ten points of the
 * acceptance list (audit 3.2), each from the outside. A process without environment, which may read its own directory
 * and may not write, or start anything; that it asks no network is test/architecture.test.ts's to see.
 */
import { spawnSync } from 'node:child_process'
import { copyFileSync, cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import {
  createClockWatch,
  createReceiptOffice,
  createWitnessing,
  createWitnessState,
  eraseOpenings,
  parseVerifierKey,
  startWitness,
  type Verdict,
  verifyExport,
  type WitnessEndpoint,
} from '../../src/audit/index.ts'
import { signerFromPem } from '../../src/audit/note/key.ts'
import { systemClock, toInstant } from '../../src/clock.ts'
import type { ConsentId, CorrelationId } from '../../src/ids.ts'
import { newAuditKey, openAuditLog, silent } from '../support/audit-log.ts'
import { aurora, ENTRIES } from '../unit/audit/entries.ts'

const HOUR = 3_600_000
const EIGHT = Date.parse('2026-03-01T08:00:00Z')
const GONE = 'ffffffff-0000-4000-8000-000000000000' as ConsentId
const OWN = '1b4e28ba-2fa1-41d2-883f-0016d3cca499' as CorrelationId
const CALLS = 300

let away: string
let publicKey: string
let witnesses: readonly [WitnessEndpoint, WitnessEndpoint]

beforeAll(async () => {
  let now = EIGHT
  let steady = 0
  const clock = { now: () => toInstant(now) }
  const log = await openAuditLog({ clock })
  publicKey = log.publicKey
  const watch = createClockWatch({ clock, monotonic: () => steady })
  const sealer = log.sealer({ watch, clockSource: 'chrony, GPS' })
  const pass = (ms: number): void => {
    now += ms
    steady += ms
  }
  const stateFile = join(log.folder, 'witness.json')
  await createWitnessState(stateFile)
  const [signer, other] = ['bank', 'tpp'].map((name) =>
    signerFromPem(`witness.example/${name}`, 'cosignature', newAuditKey().reveal()),
  ) as [ReturnType<typeof signerFromPem>, ReturnType<typeof signerFromPem>]
  const logs = [parseVerifierKey(publicKey) as NonNullable<ReturnType<typeof parseVerifierKey>>]
  const config = { address: '127.0.0.1', port: 0, tls: null, signer, stateFile, logs }
  const witness = await startWitness(config, { clock: systemClock, log: silent })
  const endpoint = { key: signer.verifier, url: `http://127.0.0.1:${witness.port}`, ca: null }
  witnesses = [endpoint, { ...endpoint, key: other.verifier }]
  const cosigned = { witnesses: [endpoint], watch } as never

  // 08: calls, one of them of a consent that is erased later. 09: nothing. 10: no sealer. 11: the clock was set.
  const call = { ...ENTRIES['tpp-call'], at: clock.now() }
  await log.audit.record(...Array.from({ length: CALLS - 1 }, () => ({ ...call, interactionId: null })))
  await log.audit.record({ ...call, interactionId: OWN, consentId: GONE })
  await sealer.sealNow()
  const noted = await log.export('noted', {}, cosigned)
  pass(HOUR)
  await sealer.sealNow()
  pass(2 * HOUR)
  now += 250
  await sealer.sealNow()
  const receipts = await createReceiptOffice({ db: log.db }).find(OWN, { of: 'everything' })
  const by = { actor: 'dpo', reason: 'the customer asked' }
  await eraseOpenings({ db: log.db, tenantId: aurora, clock }, { field: 'consentId', value: GONE }, by)
  await sealer.sealNow()
  await createWitnessing({ db: log.db, witnesses: [endpoint], clock, log: silent }).submitNow()
  const made = await log.export('made', { openings: true }, cosigned)
  // The same key, another past.
  const forger = await openAuditLog({ clock, key: log.key })
  await forger.record(5)
  const forged = await forger.export('forged')

  away = mkdtempSync(join(tmpdir(), 'falaj-acceptance-'))
  cpSync(made.path, join(away, 'log'), { recursive: true })
  copyFileSync('src/audit/verifier/falaj-verify.ts', join(away, 'falaj-verify.ts'))
  for (const [name, { path }] of Object.entries({ noted, forged }))
    copyFileSync(join(path, 'checkpoint'), join(away, `${name}.checkpoint`))
  writeFileSync(join(away, 'receipt.tlog-proof'), receipts?.receipts[0]?.proof ?? '')
  const [a, b] = witnesses
  const lines = [`log ${publicKey}`, `witness a ${a.key.text}`, `witness b ${b.key.text}`]
  const quorums = { any: 'group either any a b\nquorum either', all: 'group both all a b\nquorum both' }
  for (const [name, quorum] of Object.entries(quorums))
    writeFileSync(join(away, `${name}.policy`), `${[...lines, quorum].join('\n')}\n`)
  await witness.close()
  await forger.close()
  await log.close()
}, 60_000)
afterAll(() => rmSync(away, { recursive: true, force: true }))

function run(...args: readonly string[]): { readonly status: number | null; readonly out: string } {
  const flags = ['--permission', `--allow-fs-read=${away}`, 'falaj-verify.ts']
  const { status, stdout } = spawnSync(process.execPath, [...flags, ...args], { cwd: away, env: {}, encoding: 'utf8' })
  return { status, out: stdout }
}
const judged = (...args: readonly string[]): Verdict => JSON.parse(run('log', ...args, '--json').out) as Verdict
const POLICY = ['--policy', 'any.policy']

test('1, 10: one program, a plain verdict, an object for a machine, and a status', () => {
  expect(readdirSync(away).sort()).toEqual([
    ...['all.policy', 'any.policy', 'falaj-verify.ts', 'forged.checkpoint', 'log', 'noted.checkpoint'],
    'receipt.tlog-proof',
  ])
  expect(run('log', ...POLICY)).toEqual({ status: 0, out: expect.stringMatching(/^VERIFIED: audit log falaj\/aurora/) })
  expect(run('log', '--policy', 'all.policy')).toEqual({
    status: 1,
    out: 'NOT VERIFIED: audit log falaj/aurora\nfirst fault: checkpoint: the quorum of witnesses that the policy asks for is not met\n',
  })
  expect(run('nothing', ...POLICY, '--json')).toEqual({
    status: 2,
    out: expect.stringMatching(/^\{"ok":false,"error":/),
  })
})

test('2, 6, 7, 9: origin, size, root, keys, witnesses and quorum, every hour, its clock, what was erased', () => {
  const [, size = '', root] = readFileSync(join(away, 'log/checkpoint'), 'utf8').split('\n')
  const [a, b] = witnesses
  const verdict = judged(...POLICY)
  expect(verdict).toMatchObject({
    ...{ ok: true, origin: 'falaj/aurora', tenantId: 'aurora', size: Number(size), root },
    ...{ entriesRead: Number(size), publicKey, isKeyGiven: true, keys: 1 },
    ...{ quorum: 'either', isQuorumMet: true, absent: [{ name: 'b', key: b.key.text }] },
    witnesses: [{ name: 'a', key: a.key.text, at: expect.stringMatching(/^20\d\d-\d\d-\d\dT/) }],
    hours: { count: 3, missed: ['2026-03-01T10:00:00.000Z'] },
    clock: { largestStepMs: 250, sources: ['chrony, GPS'] },
    hourly: [
      { hour: '2026-03-01T08:00:00.000Z', size: 2, clockSource: 'chrony, GPS', clockStepMs: 0 },
      { hour: '2026-03-01T09:00:00.000Z', clockSource: 'chrony, GPS', clockStepMs: 0 },
      { hour: '2026-03-01T11:00:00.000Z', clockSource: 'chrony, GPS', clockStepMs: 250 },
    ],
    commitments: { erased: 1 },
    redactions: [{ openings: [`${CALLS + 1}:consentId`], reason: 'the customer asked' }],
  })
  // The value is nowhere, and the root is the signed one all the same.
  expect(readFileSync(join(away, 'log/openings.ndjson'), 'utf8')).not.toContain(GONE)
  expect(verdict.commitments.opened).toBe(verdict.commitments.total - 1)
  const { out } = run('log', ...POLICY)
  const [{ index } = { index: 0 }] = verdict.redactions
  for (const told of [
    `entries: ${size}, of which ${size} were read; root ${root}`,
    `signed by the given key: ${publicKey}`,
    `witnesses: quorum either met: a at ${verdict.witnesses[0]?.at} (${a.key.text}), not b (${b.key.text})`,
    'hours: 3, 2026-03-01T08:00:00.000Z to 2026-03-01T11:00:00.000Z; 1 in which nothing was sealed, from 2026-03-01T10',
    'clock: set by chrony, GPS; largest step 250 ms',
    `1 erased (recorded by entry ${index})`,
  ])
    expect(out).toContain(told)
})

test('2: a policy is taken at its word, and one that is not understood is none', () => {
  const [a, b] = witnesses
  const both = [`log ${publicKey}`, `witness a ${a.key.text}`, `witness b ${b.key.text}`]
  const judge = (...more: readonly string[]) =>
    verifyExport(join(away, 'log'), { policy: [...both, ...more].join('\n') })
  for (const quorum of ['quorum a', 'quorum none', 'group g 1 a b\nquorum g', 'group g any b a\nquorum g'])
    expect(judge(quorum)).toMatchObject({ ok: true, isQuorumMet: true })
  for (const quorum of ['quorum b', 'group g 2 a b\nquorum g', 'group h all a\ngroup g all h b\nquorum g'])
    expect(judge(quorum)).toMatchObject({ ok: false, isQuorumMet: false, absent: [{ name: 'b' }] })
  const odd = [
    ...[
      'quorum c',
      'quorum a b',
      'quorum a\nquorum a',
      'group g 3 a b',
      'group g 0 a b',
      'group g most a b',
      'group g 1',
    ],
    ...[
      'group a 1 b',
      'group none 1 a',
      'group g 1 a none',
      'group g 1 a a',
      'group g 1 a\ngroup h 1 a',
      'group g 1 c',
    ],
    ...[`witness a ${b.key.text}`, `witness c ${a.key.text}`, `witness c ${publicKey}`, `log ${a.key.text}`, 'log x'],
    ...['witness c', 'elsewhere a', 'quorum'],
  ]
  for (const line of odd)
    expect(() => judge(line, 'quorum a'), line).toThrow(/the policy has a line that is not understood/)
  expect(() => judge('# nothing else')).toThrow('the policy has no quorum')
})

test('3, 6: the first entry that cannot be relied upon is named, and a gap is one', () => {
  const torn = (name: string, tear: (whole: Buffer) => Buffer) => {
    const path = join(away, 'log', name)
    const whole = readFileSync(path)
    writeFileSync(path, tear(whole))
    const { ok, firstBad } = judged(...POLICY)
    writeFileSync(path, whole)
    return [ok, firstBad?.where, firstBad?.index]
  }
  const bit = (octet: number) => (whole: Buffer) => {
    const bytes = Buffer.from(whole)
    bytes[octet] = (bytes[octet] ?? 0) ^ 1
    return bytes
  }
  const bundle = 'tile/entries/000'
  const length = readFileSync(join(away, 'log', bundle)).readUInt16BE(0) + 2
  const dropped = (whole: Buffer) => whole.subarray(length)
  const withoutNine = (whole: Buffer) => Buffer.from(whole.toString().replace(/^.*T09:.*\n/m, ''))
  expect(torn(bundle, bit(length + 20))).toEqual([false, bundle, 1])
  expect(torn(bundle, dropped)).toEqual([false, bundle, 0])
  expect(torn('tile/0/000', bit(32 * 77))).toEqual([false, bundle, 77])
  expect(torn('tile/1/000.p/1', bit(3))).toEqual([false, 'tile/1/000.p/1', 0])
  expect(torn('checkpoint', bit(16))).toEqual([false, 'checkpoint', null])
  expect(torn('hours.ndjson', withoutNine)).toEqual([false, 'hours.ndjson', CALLS + 3])
})

test('4: a checkpoint that was noted earlier still holds, and one of another past does not', () => {
  const size = Number(readFileSync(join(away, 'noted.checkpoint'), 'utf8').split('\n')[1])
  expect(judged(...POLICY, '--checkpoint', 'noted.checkpoint')).toMatchObject({ ok: true, consistentWith: [size] })
  const { status, out } = run('log', ...POLICY, '--checkpoint', 'forged.checkpoint')
  expect([status, out]).toEqual([1, expect.stringContaining('checkpoint noted earlier: this checkpoint of 8 entries')])
})

test('5: a receipt proves one event, with the hashes of its neighbours alone', () => {
  const { status, out } = run('receipt', 'receipt.tlog-proof', '--key', publicKey, '--json')
  expect([status, JSON.parse(out)]).toMatchObject([
    0,
    [
      {
        ok: true,
        origin: 'falaj/aurora',
        index: CALLS + 1,
        entry: { interactionId: OWN },
        opened: { consentId: GONE },
      },
    ],
  ])
  const proof = readFileSync(join(away, 'receipt.tlog-proof'), 'utf8')
  const hashes = proof.slice(0, proof.indexOf('\n\n')).split('\n').slice(3)
  expect(hashes.length).toBeGreaterThan(5)
  expect(hashes.every((line) => Buffer.from(line, 'base64').length === 32)).toBe(true)
})

test('8: what is reported on follows from the entries; test/reports/verifier.test.ts holds what was filed against it', () => {
  const { reports } = judged(...POLICY, '--reports')
  expect(reports?.daily).toMatchObject([{ calls: CALLS, door: 'rs', method: 'GET', route: '/accounts' }])
  expect(reports?.lfi).toMatchObject([{ Period: '2026-03-01', UnplannedDowntimeMinutes: 0 }])
})
