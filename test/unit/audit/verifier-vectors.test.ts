/** The verifier beside what others have published, without a line of what writes the log. */
import { describe, expect, test } from 'vitest'
import {
  leafHash,
  nameOf,
  nodeHash,
  parseCheckpoint,
  parseKey,
  rootFromPath,
  rootOf,
  signedAt,
} from '../../../src/audit/verifier/falaj-verify.ts'
import {
  CT_CONSISTENCIES,
  CT_INCLUSIONS,
  CT_LEAVES,
  CT_ROOTS,
  GO_HEADS,
  GO_KEY,
  NEUMANN,
  NEUMANN_NOTE,
  SPECIFIED,
} from './vectors.ts'

const keyOf = (text: string) => {
  const key = parseKey(text)
  if (key === null) throw new Error('not a key')
  return key
}
const hex = (text: string): Buffer => Buffer.from(text, 'hex')
const leaves = CT_LEAVES.map((leaf) => leafHash(hex(leaf)))

describe('signed notes', () => {
  const head = (size: number, root: string, signature: string) =>
    parseCheckpoint(Buffer.from(`go.sum database tree\n${size}\n${root}\n\n— sum.golang.org ${signature}\n`))

  test.each(GO_HEADS)('the head of %i of the Go checksum database', (size, root, signature) => {
    const checkpoint = head(size, root, signature)
    expect(checkpoint).toMatchObject({ origin: 'go.sum database tree', size, root: Buffer.from(root, 'base64') })
    expect(checkpoint && signedAt(checkpoint, keyOf(GO_KEY))).toBe(0)
    for (const changed of [head(size + 1, root, signature), head(size, CT_ROOT_64, signature)]) {
      expect(changed && signedAt(changed, keyOf(GO_KEY))).toBeNull()
    }
    expect(checkpoint && signedAt(checkpoint, keyOf(NEUMANN))).toBeNull()
  })

  test('the note of the documentation: its key, its signature, and that it is no checkpoint', () => {
    expect(keyOf(NEUMANN)).toMatchObject({ name: 'PeterNeumann', id: 'c74f20a3', type: 1 })
    expect(parseCheckpoint(Buffer.from(NEUMANN_NOTE))).toBeNull()
    const [text = '', line = ''] = NEUMANN_NOTE.split('\n\n')
    const bytes = Buffer.from(line.split(' ')[2] ?? '', 'base64').subarray(4)
    const note = { origin: '', size: 0, root: Buffer.alloc(32), text: `${text}\n` }
    const signed = { ...note, signatures: [{ name: 'PeterNeumann', id: 'c74f20a3', bytes }] }
    expect(signedAt(signed, keyOf(NEUMANN))).toBe(0)
    expect(signedAt({ ...signed, text: `${text}!\n` }, keyOf(NEUMANN))).toBeNull()
    expect(parseKey(NEUMANN.replace('c74f', 'c74e'))).toBeNull()
  })

  test('the example of tlog-checkpoint, with the line of tlog-cosignature', () => {
    const checkpoint = parseCheckpoint(Buffer.from(`${SPECIFIED.text}\n${SPECIFIED.lines.join('\n')}\n`))
    expect(checkpoint).toMatchObject({ origin: 'example.com/behind-the-sofa', size: 20_852_163 })
    expect(checkpoint?.signatures.map(({ name, id, bytes }) => [name, id, bytes.length])).toEqual([
      ['example.com/behind-the-sofa', '033de0ae', 64],
      ['witness.example.com/w1', '8d66cf3f', 72],
    ])
    expect(checkpoint?.signatures[1]?.bytes.readBigUInt64BE()).toBe(1_679_315_147n)
  })
})

const CT_ROOT_64 = hex(CT_ROOTS.at(-1) ?? '').toString('base64')

describe('Certificate Transparency', () => {
  test.each(CT_ROOTS.map((root, at) => [at + 1, root] as const))('the root of %i leaves', (size, root) => {
    expect(rootOf(leaves.slice(0, size)).toString('hex')).toBe(root)
  })

  test.each(CT_INCLUSIONS)('leaf %i in a tree of %i: the published path, and no other', (index, size, path) => {
    const [leaf, root] = [leaves[index] as Buffer, CT_ROOTS[size - 1]]
    const to = (hashes: readonly string[], at = index) => rootFromPath(at, size, leaf, hashes.map(hex))?.toString('hex')
    expect(to(path)).toBe(root)
    for (const at of path.keys()) {
      expect(to(path.toSpliced(at, 1))).not.toBe(root)
      expect(to(path.with(at, CT_ROOTS[3] === path[at] ? (CT_ROOTS[4] ?? '') : (CT_ROOTS[3] ?? '')))).not.toBe(root)
    }
    expect(to([...path, CT_ROOTS[0] ?? ''])).not.toBe(root)
    expect(to(path, size)).toBeUndefined()
  })

  test.each(CT_CONSISTENCIES.filter(([older]) => older < 8))('the way from %i to %i leaves', (older, newer, path) => {
    // The verifier does not read such proofs, it recomputes both roots; the hashes of theirs are nodes of its own tree.
    const nodes = new Set<string>()
    const walk = (from: number, to: number): Buffer => {
      const half = 2 ** Math.floor(Math.log2(Math.max(1, to - from - 1)))
      const hash = to - from === 1 ? (leaves[from] as Buffer) : nodeHash(walk(from, from + half), walk(from + half, to))
      nodes.add(hash.toString('hex'))
      return hash
    }
    expect(walk(0, newer).toString('hex')).toBe(CT_ROOTS[newer - 1])
    for (const each of path) expect(nodes).toContain(each)
    expect(rootOf(leaves.slice(0, older)).toString('hex')).toBe(CT_ROOTS[older - 1])
  })
})

test('tiles have the names of tlog-tiles', () => {
  expect(nameOf('0', 1_234_067, 256)).toBe('tile/0/x001/x234/067')
  expect(nameOf('entries', 0, 17)).toBe('tile/entries/000.p/17')
  expect(nameOf('1', 999, 256)).toBe('tile/1/999')
})
