import { spawnSync } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createCheckpointSigner } from '../../../src/audit/checkpoint.ts'
import { auditVerify } from '../../../src/audit/cli.ts'
import { type FirstBad, type Verdict, verifyChunks, verifyExport } from '../../../src/audit/verify-export.ts'
import { joined, makeExport, type Parts, signer } from './export-file.ts'
import { newAuditKey } from './keys.ts'

async function* inChunks(bytes: Buffer, size: number): AsyncGenerator<Buffer> {
  for (let from = 0; from < bytes.length; from += size) yield bytes.subarray(from, from + size)
}

const verify = (bytes: Buffer, options: { publicKey?: string } = {}): Promise<Verdict> =>
  verifyChunks(inChunks(bytes, 65_536), options)
const firstBad = async (parts: Parts): Promise<FirstBad['seq'] | undefined> =>
  (await verify(joined(parts))).firstBad?.seq

const SIZE = 4
const intact = makeExport(SIZE)
const [one = '', two = '', three = '', four = ''] = intact.entries

describe('an intact export', () => {
  test('verifies, with the key of the tenant and with its own', async () => {
    const expected = { ok: true, tenantId: 'aurora', size: SIZE, signedAt: '2026-03-01T08:00:00.000Z' }
    expect(await verify(joined(intact))).toMatchObject({ ...expected, isKeyGiven: false })
    expect(await verify(joined(intact), { publicKey: signer.publicKey })).toMatchObject({
      ...expected,
      isKeyGiven: true,
    })
  })

  test('verifies when it is empty', async () => {
    expect(await verify(joined(makeExport(0)))).toMatchObject({ ok: true, size: 0 })
  })

  test.each([1, 2, 7, 100])('verifies however it is cut into chunks of %d', async (size) => {
    expect(await verifyChunks(inChunks(joined(intact), size), {})).toMatchObject({ ok: true, size: SIZE })
  })
})

/** To whom each byte of the intact export belongs. */
const OWNERS: readonly FirstBad['seq'][] = [
  ...Array<FirstBad['seq']>(Buffer.byteLength(intact.header)).fill('header'),
  ...intact.entries.flatMap((line, index) => Array<FirstBad['seq']>(Buffer.byteLength(line)).fill(index + 1)),
  ...Array<FirstBad['seq']>(Buffer.byteLength(intact.checkpoint)).fill('checkpoint'),
]

describe('any one byte changed', () => {
  const CHANGES: readonly [string, (byte: number) => number][] = [
    ['lowest bit', (byte) => byte ^ 0x01],
    ['case bit', (byte) => byte ^ 0x20],
    ['highest bit', (byte) => byte ^ 0x80],
    ['into a line feed', (byte) => (byte === 0x0a ? 0x0d : 0x0a)],
    ['into a space', (byte) => (byte === 0x20 ? 0x09 : 0x20)],
    ['into a digit', (byte) => (byte === 0x31 ? 0x32 : 0x31)],
    ['into zero', () => 0],
  ]
  const bytes = joined(intact)

  test('covers the whole file', () => {
    expect(OWNERS).toHaveLength(bytes.length)
  })

  test.each(CHANGES)('%s: is found, and where it is', async (_name, change) => {
    for (const [index, owner] of OWNERS.entries()) {
      const changed = Buffer.from(bytes)
      changed[index] = change(changed[index] ?? 0)
      const verdict = await verify(changed)
      expect(verdict.firstBad?.seq, `byte ${index}: ${verdict.firstBad?.reason}`).toBe(owner)
      expect(verdict.ok).toBe(false)
    }
  })

  test('removed or doubled: is found', async () => {
    for (let index = 0; index < bytes.length; index += 1) {
      const before = bytes.subarray(0, index)
      const removed = await verify(Buffer.concat([before, bytes.subarray(index + 1)]))
      const doubled = await verify(Buffer.concat([before, bytes.subarray(index, index + 1), bytes.subarray(index)]))
      expect([removed.ok, doubled.ok], `byte ${index}`).toEqual([false, false])
    }
  })
})

describe('a file cut short', () => {
  test('is found wherever it is cut', async () => {
    const bytes = joined(intact)
    for (let length = 0; length < bytes.length; length += 1) {
      const verdict = await verify(bytes.subarray(0, length))
      expect(verdict.firstBad?.seq, `length ${length}`).toBe(OWNERS[length])
    }
  })
})

const stranger = () => createCheckpointSigner('aurora', newAuditKey().reveal())

describe('entries tampered with', () => {
  const other = makeExport(SIZE + 3)
  const CASES: readonly [string, Parts, FirstBad['seq']][] = [
    ['the first dropped', { ...intact, entries: [two, three, four] }, 1],
    ['one dropped', { ...intact, entries: [one, three, four] }, 2],
    ['the last dropped', { ...intact, entries: [one, two, three] }, 4],
    ['all dropped', { ...intact, entries: [] }, 1],
    ['two swapped', { ...intact, entries: [one, three, two, four] }, 2],
    ['one doubled', { ...intact, entries: [one, two, two, three, four] }, 3],
    ['the last doubled', { ...intact, entries: [one, two, three, four, four] }, 5],
    ['an empty line between', { ...intact, entries: [one, '\n', two, three, four] }, 2],
    ['more than was signed', { ...intact, entries: other.entries }, 5],
    ['an entry far too long', { ...intact, entries: [one, `${two.slice(0, -1)}${' '.repeat(200_000)}\n`] }, 2],
    [
      'the last dropped and the header made to match',
      { ...intact, header: makeExport(3).header, entries: [one, two, three] },
      4,
    ],
    [
      'a chain recomputed after a change',
      { ...intact, entries: makeExport(SIZE, signer, 'rewritten').entries },
      'checkpoint',
    ],
    ['an older checkpoint', { ...intact, checkpoint: makeExport(3).checkpoint }, 4],
    ['a newer checkpoint', { ...intact, checkpoint: other.checkpoint }, 5],
    ['the checkpoint of another key', { ...intact, checkpoint: makeExport(SIZE, stranger()).checkpoint }, 'checkpoint'],
    ['something after the checkpoint', { ...intact, checkpoint: `${intact.checkpoint}— falaj/b AAAA\n` }, 'checkpoint'],
    ['the header of another size', { ...intact, header: makeExport(3).header }, 'header'],
  ]

  test.each(CASES)('%s', async (_name, parts, where) => {
    expect(await firstBad(parts)).toBe(where)
  })

  test('a whole log made with another key passes only for who does not ask for the key', async () => {
    const forged = joined(makeExport(SIZE, stranger()))
    expect(await verify(forged)).toMatchObject({ ok: true, isKeyGiven: false })
    expect((await verify(forged, { publicKey: signer.publicKey })).firstBad?.seq).toBe('header')
  })
})

describe('the program', () => {
  let folder = ''
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'falaj-export-'))
    await writeFile(join(folder, 'good'), joined(intact))
    await writeFile(join(folder, 'bad'), joined({ ...intact, entries: [one, two, four] }))
  })
  afterAll(() => rm(folder, { recursive: true }))

  const run = (...args: string[]) =>
    spawnSync(process.execPath, ['src/audit/verify-export.ts', ...args], { encoding: 'utf8', cwd: process.cwd() })

  test('runs on its own, without a package', () => {
    const good = run(join(folder, 'good'), signer.publicKey)
    expect(good).toMatchObject({
      status: 0,
      stdout: expect.stringMatching(/^VERIFIED: audit log of aurora\nentries: 4\n/),
    })
    const bad = run(join(folder, 'bad'))
    expect(bad).toMatchObject({ status: 1, stdout: expect.stringMatching(/^NOT VERIFIED.*\nfirst fault: entry 3: /) })
    expect(run().status).toBe(2)
  })

  test('prints a verdict for people and for machines, and a status', async () => {
    const printed: string[] = []
    const print = (text: string) => printed.push(text)
    const verify = (name: string, json: boolean) => auditVerify({ file: join(folder, name) }, { json, print })
    expect([await verify('good', false), await verify('bad', true), await verify('none', true)]).toEqual([0, 1, 2])
    expect(printed[0]).toMatch(/^VERIFIED/)
    expect(JSON.parse(printed[1] ?? '')).toMatchObject({ ok: false, size: 2, firstBad: { seq: 3 } })
    expect(JSON.parse(printed[2] ?? '')).toEqual({ ok: false, error: expect.stringMatching('ENOENT') })
    expect(await verifyExport(join(folder, 'good'))).toMatchObject({ ok: true })
  })
})
