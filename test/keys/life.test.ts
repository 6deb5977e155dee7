/** The life of a key by the clock alone: what signs, what verifies and what is published, to the millisecond. */
import { beforeAll, describe, expect, test } from 'vitest'
import { type Instant, toInstant } from '../../src/clock.ts'
import type { SigningKey } from '../../src/jose.ts'
import { type KeyTimes, type KeyUse, NEEDED_FOR, SETTLE_MS, stateOf } from '../../src/keys/key.ts'
import { nextTurn, type OpenKey, snapshotOf } from '../../src/keys/snapshot.ts'
import { newRsaKey } from './support/store.ts'

const START = toInstant('2026-06-01T08:00:00Z')
const MINUTE = 60_000
const at = (ms: number): Instant => (START + ms) as Instant
const times = (created: number, activates: number, retired?: number, until?: number): KeyTimes => ({
  createdAt: at(created),
  activatesAt: at(activates),
  retiredAt: retired === undefined ? null : at(retired),
  verifyUntil: until === undefined ? null : at(until),
})

const CHANGE = 20 * MINUTE
const OLD_UNTIL: Readonly<Record<KeyUse, number>> = {
  sig: CHANGE + NEEDED_FOR.sig * 1000,
  enc: CHANGE + NEEDED_FOR.enc * 1000,
}
const lifeOf = (use: KeyUse): readonly [KeyTimes, KeyTimes] => [
  times(-MINUTE, -MINUTE, CHANGE, OLD_UNTIL[use]),
  times(0, CHANGE),
]

let former: SigningKey
let later: SigningKey
beforeAll(() => {
  former = newRsaKey('former')
  later = newRsaKey('later')
})
function keysOf(use: KeyUse): readonly OpenKey[] {
  const [old, next] = lifeOf(use)
  return [
    { use, times: old, key: former },
    { use, times: next, key: later },
  ]
}
const others = (): readonly OpenKey[] => [{ use: 'sig', times: times(-MINUTE, -MINUTE), key: newRsaKey('other') }]
const kids = (keys: readonly { readonly kid?: string | undefined }[]) => keys.map(({ kid }) => kid)

describe('a signing key that follows another', () => {
  const seen = (ms: number) => {
    const snapshot = snapshotOf(keysOf('sig'), at(ms))
    if (snapshot === null) throw new Error('nothing signs')
    return {
      signs: snapshot.signing[0].kid,
      verify: [...snapshot.verifying.keys()].sort(),
      published: kids(snapshot.published.keys).sort(),
    }
  }
  const both = ['former', 'later']

  test.each([
    ['as soon as it is made', 0, { signs: 'former', verify: both, published: both }],
    ['a millisecond before the change-over', CHANGE - 1, { signs: 'former', verify: both, published: both }],
    ['at the change-over', CHANGE, { signs: 'later', verify: both, published: both }],
    ['while something signed before is good', OLD_UNTIL.sig - 1, { signs: 'later', verify: both, published: both }],
    ['after that', OLD_UNTIL.sig, { signs: 'later', verify: ['later'], published: ['later'] }],
  ])('%s', (_when, ms, expected) => {
    expect(seen(ms)).toEqual(expected)
  })

  test('is needed for as long as the longest-lived thing that is signed, and clocks that are apart', () => {
    expect(NEEDED_FOR.sig).toBeGreaterThanOrEqual(600 + 10)
  })

  test('is told apart by nothing but time: the states of the former key', () => {
    const [old] = lifeOf('sig')
    const states = [-MINUTE - 1, -MINUTE, CHANGE - 1, CHANGE, OLD_UNTIL.sig - 1, OLD_UNTIL.sig]
    expect(states.map((ms) => stateOf(old, at(ms)))).toEqual([
      'next',
      'active',
      'active',
      'retired',
      'retired',
      'ended',
    ])
  })
})

describe('an encryption key that follows another', () => {
  const seen = (ms: number) => {
    const snapshot = snapshotOf([...keysOf('enc'), ...others()], at(ms))
    const published = snapshot?.published.keys.filter(({ use }) => use === 'enc') ?? []
    return { decrypt: kids(snapshot?.encryption ?? []), published: kids(published).sort() }
  }

  test.each([
    ['is not published before every node has read it', 0, ['former', 'later'], ['former']],
    ['is published then', SETTLE_MS, ['former', 'later'], ['former', 'later']],
    ['comes first at the change-over, and nobody is to use the former', CHANGE, ['later', 'former'], ['later']],
    ['leaves the former to those who kept it', OLD_UNTIL.enc - 1, ['later', 'former'], ['later']],
    ['is alone in the end', OLD_UNTIL.enc, ['later'], ['later']],
  ])('%s', (_what, ms, decrypt, published) => {
    expect(seen(ms)).toEqual({ decrypt, published })
  })

  test('the former is good for as long as clients keep keys and request objects live', () => {
    expect(NEEDED_FOR.enc).toBeGreaterThanOrEqual(1200 + 600)
  })
})

describe('the keys of a tenant', () => {
  test.each([
    ['none', () => []],
    ['one that is only next', () => [{ use: 'sig' as const, times: times(0, CHANGE), key: later }]],
    ['one that only decrypts', () => [{ use: 'enc' as const, times: times(-1, -1), key: later }]],
    ['one that has ended', () => [{ use: 'sig' as const, times: times(-3, -3, -2, 0), key: later }]],
  ])('are nothing to sign with: %s', (_what, keys) => {
    expect(snapshotOf(keys(), START)).toBeNull()
  })

  test('stay as they are until the next turn of any of them', () => {
    const keys = keysOf('sig')
    expect(nextTurn(keysOf('enc'), at(0))).toBe(at(SETTLE_MS))
    expect(nextTurn(keys, at(0))).toBe(at(CHANGE))
    expect(nextTurn(keys, at(CHANGE))).toBe(at(OLD_UNTIL.sig))
    expect(nextTurn(keys, at(OLD_UNTIL.sig))).toBe(Number.POSITIVE_INFINITY)
  })

  test('are published without their private halves', () => {
    const published = snapshotOf(keysOf('sig'), START)?.published.keys ?? []
    for (const key of published) expect(Object.keys(key).sort()).toEqual(['alg', 'e', 'kid', 'kty', 'n', 'use'])
    expect(published.length).toBe(2)
  })
})
