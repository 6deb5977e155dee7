import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createEdge } from '../../../src/audit/tree/edge.ts'
import { EMPTY_ROOT, leafHash, parseHash, rootOf } from '../../../src/audit/tree/hash.ts'
import {
  consistencyRanges,
  inclusionRanges,
  isConsistent,
  proofOf,
  type TileSource,
} from '../../../src/audit/tree/proof.ts'
import { bundlePath, indexPath, tilePath, tilesOf } from '../../../src/audit/tree/tiles.ts'
import { CT_CONSISTENCIES, CT_INCLUSIONS, CT_LEAVES, CT_ROOTS } from './vectors.ts'

const sha256 = (...parts: readonly Buffer[]) => createHash('sha256').update(Buffer.concat(parts)).digest()
/** RFC 6962 2.1, word for word and as slow. */
function naiveRoot(entries: readonly Buffer[]): Buffer {
  const [first] = entries
  if (first === undefined) return sha256()
  if (entries.length === 1) return sha256(Buffer.of(0), first)
  const k = 2 ** Math.floor(Math.log2(entries.length - 1))
  return sha256(Buffer.of(1), naiveRoot(entries.slice(0, k)), naiveRoot(entries.slice(k)))
}

/** Grows a tree as the sealer does, and keeps what the database would. */
function grow(entries: readonly Buffer[]) {
  const tiles = new Map<string, Buffer>()
  const edge = createEdge(0, [])
  const roots = [edge.root()]
  for (const entry of entries) {
    for (const { level, n, hashes } of edge.append(leafHash(entry))) tiles.set(`${level}/${n}`, hashes)
    roots.push(edge.root())
  }
  const source: TileSource = async ({ level, n }) =>
    tiles.get(`${level}/${n}`) ?? edge.levels()[level] ?? Buffer.alloc(0)
  return { edge, roots, tiles, source }
}

const numbered = (count: number): readonly Buffer[] =>
  Array.from({ length: count }, (_, at) => Buffer.from(`entry ${at}`))
const ctTree = grow(CT_LEAVES.map((hex) => Buffer.from(hex, 'hex')))
const hexes = (hashes: readonly Buffer[]) => hashes.map((hash) => hash.toString('hex'))

describe('known answers of Certificate Transparency', () => {
  test('roots of 0 to 8 leaves', () => {
    expect(EMPTY_ROOT.toString('hex')).toBe('e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855')
    expect(hexes(ctTree.roots)).toEqual([EMPTY_ROOT.toString('hex'), ...CT_ROOTS])
  })
  test.each(CT_INCLUSIONS)('inclusion of %i in %i', async (index, size, expected) => {
    expect(hexes(await proofOf(inclusionRanges(index, size), ctTree.source))).toEqual(expected)
  })
  test.each(CT_CONSISTENCIES)('consistency of %i with %i', async (older, newer, expected) => {
    expect(hexes(await proofOf(consistencyRanges(older, newer), ctTree.source))).toEqual(expected)
  })
})

describe('tiles', () => {
  test.each([
    [0, '000'],
    [999, '999'],
    [1000, 'x001/000'],
    [1234067, 'x001/x234/067'],
  ])('index %i is %s, as in tlog-tiles', (n, path) => {
    expect(indexPath(n)).toBe(path)
  })

  test('of a tree of 70,000 are those that tlog-tiles counts', () => {
    const tiles = [...tilesOf(70_000)]
    const of = (level: number, full: boolean) =>
      tiles.filter((tile) => tile.level === level && (tile.width === 256) === full)
    expect([of(0, true).length, of(1, true).length, of(2, true).length]).toEqual([273, 1, 0])
    expect([...of(0, false), ...of(1, false), ...of(2, false)].map(({ width }) => width)).toEqual([112, 17, 1])
    expect([...tilesOf(256)].map(tilePath)).toEqual(['tile/0/000', 'tile/1/000.p/1'])
    expect([...tilesOf(0)]).toEqual([])
    expect([bundlePath(3, 256), bundlePath(3, 7)]).toEqual(['tile/entries/003', 'tile/entries/003.p/7'])
  })
})

describe('a growing tree', () => {
  const entries = numbered(1_400)
  const tree = grow(entries)

  test('has at every size the root that the definition gives', () => {
    for (const size of [0, 1, 2, 3, 7, 8, 255, 256, 257, 511, 512, 513, 1023, 1024, 1399, 1400]) {
      expect(tree.roots[size], `${size}`).toEqual(naiveRoot(entries.slice(0, size)))
    }
  })

  test('past two levels of tiles: 65,536 leaves and one', () => {
    const leaves = Array.from({ length: 65_537 }, (_, at) => leafHash(Buffer.from(String(at))))
    const edge = createEdge(0, [])
    const levels = leaves.flatMap((leaf) => edge.append(leaf)).map(({ level }) => level)
    expect([levels.filter((level) => level === 0).length, levels.filter((level) => level === 1).length]).toEqual([
      256, 1,
    ])
    expect(edge.levels().map(({ length }) => length / 32)).toEqual([1, 0, 1])
    expect(edge.root()).toEqual(rootOf(leaves))
  })

  test('goes on from what was stored', () => {
    const half = grow(entries.slice(0, 700)).edge
    const resumed = createEdge(half.size(), half.levels())
    for (const entry of entries.slice(700)) resumed.append(leafHash(entry))
    expect(resumed.root()).toEqual(tree.roots[1_400])
  })

  test('any two sizes are proven consistent, and no proof fits another pair', async () => {
    const size = fc.integer({ min: 0, max: 1_400 })
    await fc.assert(
      fc.asyncProperty(
        size,
        size,
        fc.integer({ min: 0, max: 30 }),
        fc.integer({ min: 0, max: 255 }),
        async (a, b, at, bit) => {
          const [older, newer] = a < b ? [a, b] : [b, a]
          const head = (n: number) => ({ size: n, root: tree.roots[n] as Buffer })
          const proof = await proofOf(consistencyRanges(older, newer), tree.source)
          expect(isConsistent(head(older), head(newer), proof)).toBe(true)
          expect(proof.length).toBeLessThan(64)
          if (proof.length === 0) return
          const place = at % proof.length
          const bent = proof.map((hash) => Buffer.from(hash))
          const octet = bit >> 3
          ;(bent[place] as Buffer)[octet] = ((bent[place] as Buffer)[octet] as number) ^ (1 << (bit & 7))
          expect(isConsistent(head(older), head(newer), bent)).toBe(false)
          expect(isConsistent(head(older), head(newer), proof.slice(0, -1))).toBe(false)
          expect(isConsistent(head(older), head(newer), [...proof, EMPTY_ROOT])).toBe(false)
          expect(isConsistent({ size: older, root: EMPTY_ROOT }, head(newer), proof)).toBe(false)
        },
      ),
      { numRuns: 200 },
    )
  })

  test('a smaller tree is never consistent with a larger one', () => {
    expect(isConsistent({ size: 2, root: EMPTY_ROOT }, { size: 1, root: EMPTY_ROOT }, [])).toBe(false)
    expect(isConsistent({ size: 0, root: EMPTY_ROOT }, { size: 1, root: EMPTY_ROOT }, [EMPTY_ROOT])).toBe(false)
  })
})

test('a hash has one way to be written', () => {
  const text = EMPTY_ROOT.toString('base64')
  expect(parseHash(text)).toEqual(EMPTY_ROOT)
  for (const other of [text.slice(0, -1), `${text}=`, ` ${text}`, text.replace('+', '-'), text.replace(/.=$/, 'V=')]) {
    expect(parseHash(other)).toBeNull()
  }
})
