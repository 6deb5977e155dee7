import { createHash } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { advance, check, genesis, hashText, type Position, parseHash } from '../../../src/audit/chain.ts'
import { encode } from '../../../src/audit/entry.ts'
import { allEntries } from './entries.ts'

const bytes = allEntries().map((entry) => encode(entry).bytes)
const positions: Position[] = [genesis('aurora')]
for (const each of bytes) positions.push(advance(positions.at(-1) ?? genesis('nobody'), each))
const at = (size: number): Position => positions[size] ?? genesis('nobody')
const claim = (seq: number) => ({ seq, hash: at(seq).head, bytes: bytes[seq - 1] ?? Buffer.alloc(0) })

describe('chain', () => {
  test('hashes as documented, so that anybody can recompute it', () => {
    const sha256 = (text: string | Buffer) => createHash('sha256').update(text).digest()
    const first = sha256('\x00falaj-audit/v1\naurora')
    expect(at(0).head).toEqual(first)
    expect(at(1).head).toEqual(sha256(Buffer.concat([Buffer.from([1]), first, bytes[0] ?? Buffer.alloc(0)])))
  })

  test('begins elsewhere for every tenant', () => {
    expect(genesis('aurora').head).not.toEqual(genesis('meridian').head)
  })

  test('accepts every entry in its place', () => {
    for (let seq = 1; seq <= bytes.length; seq += 1) expect(check('aurora', at(seq - 1), claim(seq))).toEqual(at(seq))
  })

  test('refuses an entry out of place, changed, or of another tenant', () => {
    expect(check('aurora', at(2), claim(4))).toMatch('entry 3 is missing')
    expect(check('aurora', at(2), claim(2))).toMatch('entry 3 is missing')
    expect(check('aurora', at(2), { ...claim(3), bytes: bytes[0] ?? Buffer.alloc(0) })).toMatch('not the ones')
    expect(check('aurora', at(1), { ...claim(3), seq: 2 })).toMatch('not the ones')
    expect(check('meridian', at(2), claim(3))).toMatch('another tenant')
  })

  test('refuses bytes that are no entry even if their hash is right', () => {
    const junk = Buffer.from('{"v":1}')
    expect(check('aurora', at(0), { seq: 1, hash: advance(at(0), junk).head, bytes: junk })).toMatch(
      'not an audit entry',
    )
  })
})

describe('a hash in text', () => {
  test('has one spelling', () => {
    const text = hashText(at(1).head)
    expect(parseHash(text)).toEqual(at(1).head)
    // The last character before the padding carries two bits that base64 decoders ignore.
    const sloppy = [...'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'].filter((last) =>
      Buffer.from(`${text.slice(0, 42)}${last}=`, 'base64').equals(at(1).head),
    )
    expect(sloppy).toHaveLength(4)
    expect(sloppy.filter((last) => parseHash(`${text.slice(0, 42)}${last}=`) !== null)).toHaveLength(1)
    expect(parseHash(text.replace('=', ''))).toBeNull()
    expect(parseHash(`${text} `)).toBeNull()
    expect(parseHash('')).toBeNull()
  })
})
