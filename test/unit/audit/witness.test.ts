/** The witness as a program that speaks HTTP, asked as tlog-witness has it. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { checkpointText } from '../../../src/audit/note/checkpoint.ts'
import { isSignedBy, type SignerKey, signerFromPem, signText } from '../../../src/audit/note/key.ts'
import { parseSignatureLine, writeNote } from '../../../src/audit/note/note.ts'
import { createEdge } from '../../../src/audit/tree/edge.ts'
import { leafHash } from '../../../src/audit/tree/hash.ts'
import { consistencyRanges, proofOf } from '../../../src/audit/tree/proof.ts'
import { loadWitnessConfig } from '../../../src/audit/witness/config.ts'
import { writeAddCheckpoint } from '../../../src/audit/witness/request.ts'
import { startWitness, type Witness } from '../../../src/audit/witness/server.ts'
import { createWitnessState, openWitnessState } from '../../../src/audit/witness/state.ts'
import { toInstant } from '../../../src/clock.ts'
import { newAuditKey, silent } from '../../support/audit-log.ts'

const clock = { now: () => toInstant('2026-03-01T08:00:00.999Z') }
const ORIGIN = 'example.com/log'
const logKey = signerFromPem(ORIGIN, 'log', newAuditKey().reveal())
const witnessPem = newAuditKey().reveal()
const witnessKey = signerFromPem('witness.example/w', 'cosignature', witnessPem)

/** A log of 300 entries and one that parts from it after the tenth. */
function grow(letter: string) {
  const edge = createEdge(0, [])
  const tiles = new Map<string, Buffer>()
  const roots = [edge.root()]
  for (let at = 0; at < 300; at += 1) {
    const leaf = leafHash(Buffer.from(`${at < 10 ? '' : letter}${at}`))
    for (const { level, n, hashes } of edge.append(leaf)) tiles.set(`${level}/${n}`, hashes)
    roots.push(edge.root())
  }
  return {
    note: (size: number, key: SignerKey = logKey, origin = ORIGIN) => {
      const text = checkpointText({ origin, size, root: roots[size] as Buffer })
      return writeNote({ text, signatures: [signText(key, text)] })
    },
    proof: (older: number, newer: number) =>
      proofOf(
        consistencyRanges(older, newer),
        async ({ level, n }) => tiles.get(`${level}/${n}`) ?? edge.levels()[level] ?? Buffer.alloc(0),
      ),
  }
}
const log = grow('a')
const fork = grow('b')

let folder = ''
let stateFile = ''
let witness: Witness
const start = () =>
  startWitness(
    { address: '127.0.0.1', port: 0, tls: null, signer: witnessKey, stateFile, logs: [logKey.verifier] },
    { clock, log: silent },
  )
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'falaj-witness-'))
  stateFile = join(folder, 'state.json')
  await createWitnessState(stateFile)
  witness = await start()
})
afterEach(async () => {
  await witness.close()
  rmSync(folder, { recursive: true })
})

async function send(body: string, path = '/add-checkpoint', method = 'POST') {
  const answer = await fetch(`http://127.0.0.1:${witness.port}${path}`, {
    method,
    ...(method === 'POST' ? { body } : {}),
  })
  return { status: answer.status, type: answer.headers.get('content-type'), text: await answer.text() }
}
const submit = async (older: number, newer: number, of = log) =>
  send(writeAddCheckpoint(older, await of.proof(older, newer), of.note(newer)))
const status = async (answer: Promise<{ status: number }>): Promise<number> => (await answer).status

describe('a witness', () => {
  test('cosigns growth, with the time, and the cosignature verifies', async () => {
    const { status: first, text } = await submit(0, 20)
    expect(first).toBe(200)
    const signature = parseSignatureLine(text.slice(0, -1))
    const [note = ''] = log.note(20).split('\n\n')
    expect(signature && isSignedBy({ text: `${note}\n`, signatures: [signature] }, witnessKey.verifier)).toBe(true)
    expect(signature?.signature.readBigUInt64BE()).toBe(BigInt(Date.parse('2026-03-01T08:00:00Z') / 1000))
    expect(await status(submit(20, 300))).toBe(200)
    expect(await status(submit(300, 300))).toBe(200)
  })

  test('tells who begins elsewhere where it stands', async () => {
    await submit(0, 20)
    for (const older of [0, 19, 21]) {
      expect(await submit(older, 40), `${older}`).toEqual({ status: 409, type: 'text/x.tlog.size', text: '20\n' })
    }
  })

  test('does not cosign another history, nor another root of the same size', async () => {
    await submit(0, 20)
    expect(await status(submit(20, 40, fork))).toBe(422)
    expect(await submit(20, 20, fork)).toMatchObject({ status: 409, text: '20\n' })
    expect(await status(submit(20, 40))).toBe(200)
  })

  test('checks in the order of the specification, and remembers nothing of what it refused', async () => {
    const stranger = signerFromPem(ORIGIN, 'log', newAuditKey().reveal())
    const elsewhere = signerFromPem('example.com/other', 'log', newAuditKey().reveal())
    const before = readFileSync(stateFile, 'utf8')
    const CASES: readonly [string, string, number][] = [
      ['an unknown log', writeAddCheckpoint(0, [], log.note(5, elsewhere, 'example.com/other')), 404],
      ['an unknown key', writeAddCheckpoint(0, [], log.note(5, stranger)), 403],
      ['an old size beyond the new one', writeAddCheckpoint(6, [], log.note(5)), 400],
      ['an old size that it never cosigned', writeAddCheckpoint(3, await log.proof(3, 5), log.note(5)), 409],
      ['a proof where there is nothing to prove', writeAddCheckpoint(0, await log.proof(3, 5), log.note(5)), 422],
    ]
    for (const [name, body, expected] of CASES) expect(await status(send(body)), name).toBe(expected)
    expect(readFileSync(stateFile, 'utf8')).toBe(before)
  })

  test('finds every bit that was changed in a proof', async () => {
    await submit(0, 20)
    const proof = await log.proof(20, 300)
    for (const [at, hash] of proof.entries()) {
      const bent = Buffer.from(hash)
      bent[at % 32] = (bent[at % 32] as number) ^ 1
      expect(await status(send(writeAddCheckpoint(20, proof.with(at, bent), log.note(300)))), `${at}`).toBe(422)
    }
    expect(await status(send(writeAddCheckpoint(20, proof.slice(1), log.note(300))))).toBe(422)
  })

  test.each([
    ['nothing', ''],
    ['no checkpoint', 'old 0\n\n'],
    ['a leading zero', writeAddCheckpoint(0, [], log.note(5)).replace('old 0', 'old 00')],
    ['no old size', log.note(5)],
    ['a proof line that is no hash', writeAddCheckpoint(0, [], log.note(5)).replace('\n\n', '\nabc\n\n')],
    [
      'too many proof lines',
      writeAddCheckpoint(
        0,
        Array.from({ length: 64 }, () => Buffer.alloc(32)),
        log.note(5),
      ),
    ],
  ])('answers %s with 400', async (_what, body) => {
    expect(await status(send(body))).toBe(400)
  })

  test('is asked at one place and in one way, and not at length', async () => {
    expect(await status(send('', '/elsewhere'))).toBe(404)
    expect(await status(send('', '/add-checkpoint', 'GET'))).toBe(405)
    expect(await status(send('x'.repeat(200_000)))).toBe(413)
  })

  test('of many at once for the same step cosigns one history', async () => {
    await submit(0, 20)
    const answers = await Promise.all([
      ...Array.from({ length: 10 }, () => submit(20, 100)),
      ...Array.from({ length: 10 }, () => submit(20, 90)),
    ])
    const cosigned = answers.filter((answer) => answer.status === 200)
    expect(cosigned).toHaveLength(1)
    const left = JSON.parse(readFileSync(stateFile, 'utf8')) as Record<string, { size: number }>
    expect([90, 100]).toContain(left[ORIGIN]?.size)
    expect(answers.filter((answer) => answer.status === 409)).toHaveLength(19)
  })
})

describe('its memory', () => {
  test('outlives it', async () => {
    await submit(0, 20)
    await witness.close()
    witness = await start()
    expect(await status(submit(20, 40, fork))).toBe(422)
    expect(await status(submit(20, 40))).toBe(200)
  })

  test('must be there: without it nothing is signed', async () => {
    await expect(openWitnessState(join(folder, 'elsewhere.json'))).rejects.toThrow('--init')
    await expect(createWitnessState(stateFile)).rejects.toThrow('EEXIST')
  })

  test.each([
    '',
    '[',
    'null',
    '{"x":{"size":1,"root":"short"}}',
    '{"x":{"size":-1.5,"root":""}}',
  ])('that is damaged is no memory: %j', async (text) => {
    writeFileSync(stateFile, text)
    await expect(openWitnessState(stateFile)).rejects.toThrow('damaged')
  })

  test('is not spoilt by a death while it was written', async () => {
    await submit(0, 20)
    // What a crash before the rename leaves.
    writeFileSync(`${stateFile}.next`, '{"example.com/log":{"si')
    await witness.close()
    witness = await start()
    expect(await status(submit(20, 40))).toBe(200)
  })
})

describe('its configuration', () => {
  const write = (change: object): string => {
    const file = join(folder, 'witness.json')
    writeFileSync(join(folder, 'key.pem'), witnessPem)
    const whole = {
      name: 'witness.example/w',
      keyFile: 'key.pem',
      stateFile: 'state.json',
      logs: [logKey.verifier.text],
      port: 0,
    }
    writeFileSync(file, JSON.stringify({ ...whole, ...change }))
    return file
  }

  test('is read from beside it', () => {
    expect(loadWitnessConfig(write({}))).toMatchObject({ address: '127.0.0.1', port: 0, tls: null, stateFile })
  })

  test.each([
    [{ colour: 'red' }, /unknown key colour/],
    [{ name: 'with space' }, /neither spaces nor a plus/],
    [{ keyFile: 'nowhere.pem' }, /cannot be read/],
    [{ keyFile: 'state.json' }, /no Ed25519 private key/],
    [{ logs: [] }, /must list/],
    [{ logs: [witnessKey.verifier.text] }, /no verifier key of a log/],
    [{ port: 70_000 }, /port number/],
    [{ stateFile: 7 }, /stateFile must be a text/],
  ])('with %j is refused', (change, reason) => {
    expect(() => loadWitnessConfig(write(change))).toThrow(reason)
  })
})
