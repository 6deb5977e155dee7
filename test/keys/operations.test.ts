/** What an operator does to keys, on a real database, and what running processes make of it. */
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import { secondsToMilliseconds } from '../../src/clock.ts'
import { sign, verify } from '../../src/jose.ts'
import type { KeyRing, KeyUse } from '../../src/keys/index.ts'
import { NEEDED_FOR } from '../../src/keys/key.ts'
import { type HandClock, handClock } from '../support/clock.ts'
import {
  AHEAD_SECONDS,
  newEncryptionKey,
  newKeyFile,
  type StoreRig,
  startStore,
  type TenantKeys,
} from './support/store.ts'

const AHEAD_MS = AHEAD_SECONDS * 1000
const NEEDED_MS = secondsToMilliseconds(NEEDED_FOR.sig)
const REREAD_MS = 20

let clock: HandClock
let rig: StoreRig
beforeAll(async () => {
  clock = handClock()
  rig = await startStore(clock)
})
afterAll(() => rig.close())
beforeEach(() => rig.clear())

const rotate = (use: KeyUse = 'sig', when: 'ahead' | 'now' = 'ahead') =>
  rig.operations().rotate({ use, kid: null, when, accepted: 'no harm' })
const signsAt = (ring: KeyRing): string => ring.now().signing[0].kid
const publishedAt = (ring: KeyRing) =>
  ring
    .now()
    .published.keys.map(({ kid }) => kid)
    .sort()

/** Looks until the ring has read what was written. */
const eventually = (work: () => void): Promise<void> => vi.waitFor(work, { interval: 5, timeout: 5_000 })

describe('rotation', () => {
  test('the first key signs at once, for nobody waits for it', async () => {
    const made = await rotate()
    expect(made).toEqual({
      kid: expect.stringMatching(/^sig-2026-06-01-[0-9a-f]{8}$/),
      activatesAt: clock.at,
      replaces: null,
    })
    expect(signsAt(await rig.ring())).toBe(made.kid)
  })

  test('the next key is published and does not sign; it takes over by the clock, on every node alike', async () => {
    const first = await rotate()
    const nodes = [await rig.ring({}, REREAD_MS), await rig.ring({}, REREAD_MS)]
    const second = await rotate()
    expect(second).toMatchObject({ activatesAt: clock.at + AHEAD_MS, replaces: first.kid })
    await eventually(() => {
      for (const node of nodes) expect(publishedAt(node)).toEqual([first.kid, second.kid].sort())
    })
    for (const node of nodes) expect(signsAt(node)).toBe(first.kid)
    const token = await sign(nodes[0]?.now().signing[0] ?? never(), { said: 'before' })
    clock.advance(AHEAD_MS - 1)
    await eventually(() => {
      for (const node of nodes) expect(signsAt(node)).toBe(first.kid)
    })
    clock.advance(1)
    for (const node of nodes) {
      expect(signsAt(node)).toBe(second.kid)
      expect(await verify(token, (kid) => node.verifying(kid))).toMatchObject({ ok: true })
    }
    clock.advance(NEEDED_MS - 1)
    await eventually(() =>
      expect(nodes.map(publishedAt)).toEqual([[first.kid, second.kid].sort(), [first.kid, second.kid].sort()]),
    )
    clock.advance(1)
    await eventually(() => {
      for (const node of nodes) expect(publishedAt(node)).toEqual([second.kid])
    })
    expect(await verify(token, (kid) => nodes[1]?.verifying(kid) ?? null)).toMatchObject({ fault: 'unknown-key' })
  })

  test('there is one next key at a time', async () => {
    await rotate()
    const next = await rotate()
    await expect(rotate()).rejects.toThrow(`key ${next.kid} is next already`)
    expect((await rig.operations().list()).map(({ state }) => state)).toEqual(['active', 'next'])
  })

  test('of operators who rotate at the same instant one succeeds', async () => {
    await rotate()
    const outcomes = await Promise.allSettled([rotate(), rotate(), rotate()])
    const refusals = outcomes.flatMap((each) => (each.status === 'rejected' ? [String(each.reason)] : []))
    // Told what is the matter, and not what the database makes of it.
    expect(refusals).toEqual([1, 2].map(() => expect.stringMatching(/^OperatorError: key \S+ is next already/)))
    expect((await rig.operations().list()).length).toBe(2)
  })

  test('in a hurry a key signs at once, and the next one is the one that clients know', async () => {
    const first = await rotate()
    const next = await rotate()
    clock.advance(60_000)
    expect(await rotate('sig', 'now')).toEqual({ kid: next.kid, activatesAt: clock.at, replaces: first.kid })
    expect((await rig.operations().list()).map(({ kid, state }) => [kid, state])).toEqual([
      [first.kid, 'retired'],
      [next.kid, 'active'],
    ])
    const other = await rotate('sig', 'now')
    const ring = await rig.ring()
    expect([signsAt(ring), publishedAt(ring).length]).toEqual([other.kid, 3])
  })

  test('a hurry has to be meant outside the sandbox', async () => {
    await rotate()
    const ask = { use: 'sig', kid: null, when: 'now', accepted: 'no harm' } as const
    const operations = rig.operations({}, 'production')
    await expect(operations.rotate(ask)).rejects.toThrow('--yes-clients-may-break')
    await expect(operations.rotate({ ...ask, accepted: 'harm' })).resolves.toMatchObject({ activatesAt: clock.at })
  })

  test('each use has its own line of keys', async () => {
    await rotate('sig')
    await rotate('enc')
    const second = await rotate('enc')
    const ring = await rig.ring()
    expect(ring.now().encryption.map(({ kid }) => kid)).toContain(second.kid)
    expect(ring.now().signing.length).toBe(1)
    expect(ring.now().verifying.has(second.kid)).toBe(false)
  })

  test('a node that has not heard of a key asks before it refuses', async () => {
    await rotate()
    const ring = await rig.ring()
    const { kid } = await rotate('sig', 'now')
    expect(ring.now().verifying.has(kid)).toBe(false)
    expect(await ring.verifying(kid)).toMatchObject({ kid })
    expect(signsAt(ring)).toBe(kid)
    expect(await ring.verifying('never-heard-of')).toBeNull()
  })

  test('the same keys are the same object, and other keys another', async () => {
    await rotate()
    const ring = await rig.ring({}, REREAD_MS)
    const before = ring.now()
    clock.advance(AHEAD_MS / 100)
    await new Promise((done) => setTimeout(done, 5 * REREAD_MS))
    expect(ring.now()).toBe(before)
    await rotate()
    await eventually(() => expect(ring.now()).not.toBe(before))
  })

  test('a node that could not read for as long as keys are published ahead does not go on signing', async () => {
    await rotate()
    const ring = await rig.ring()
    clock.advance(AHEAD_MS)
    expect(() => ring.now()).not.toThrow()
    clock.advance(1)
    expect(() => ring.now()).toThrow(/could not be read for too long/)
    await expect(ring.verifying('any')).rejects.toThrow(/could not be read for too long/)
  })
})

describe('retirement', () => {
  test('the key in use is not ended', async () => {
    const { kid } = await rotate()
    await expect(rig.operations().retire(kid, 'harm')).rejects.toThrow('`falaj keys rotate --use sig`')
    await expect(rig.operations().retire('nobody', 'harm')).rejects.toThrow('has no key nobody')
  })

  test('a next key is forgotten, and the active one has no end again', async () => {
    const first = await rotate()
    const next = await rotate()
    expect(await rig.operations({}, 'production').retire(next.kid, 'no harm')).toBe('forgotten')
    expect(await rig.operations().list()).toMatchObject([
      { kid: first.kid, state: 'active', times: { retiredAt: null, verifyUntil: null } },
    ])
    clock.advance(AHEAD_MS)
    expect(signsAt(await rig.ring())).toBe(first.kid)
  })

  test('a next key about to sign is not forgotten without a word: some clock may be ahead', async () => {
    await rotate()
    const next = await rotate()
    clock.advance(AHEAD_MS - 30_000)
    const operations = rig.operations({}, 'production')
    await expect(operations.retire(next.kid, 'no harm')).rejects.toThrow('--yes-clients-may-break')
    expect(await operations.retire(next.kid, 'harm')).toBe('forgotten')
  })

  test('a retired key verifies nothing any more, when that is meant', async () => {
    const first = await rotate()
    await rotate('sig', 'now')
    const ring = await rig.ring({}, REREAD_MS)
    const operations = rig.operations({}, 'production')
    await expect(operations.retire(first.kid, 'no harm')).rejects.toThrow('--yes-clients-may-break')
    expect(await operations.retire(first.kid, 'harm')).toBe('ended')
    await eventually(() => expect(ring.now().verifying.has(first.kid)).toBe(false))
    expect(publishedAt(ring)).not.toContain(first.kid)
    await expect(operations.retire(first.kid, 'harm')).rejects.toThrow('has ended')
  })

  test('the private half of an ended key is destroyed, the public half kept, and once', async () => {
    const first = await rotate()
    const second = await rotate('sig', 'now')
    expect(await rig.operations().destroyEnded()).toBe(0)
    clock.advance(NEEDED_MS)
    expect(await Promise.all([rig.operations().destroyEnded(), rig.operations().destroyEnded()])).toSatisfy(
      (counts: number[]) => counts.toSorted().join() === '0,1',
    )
    const rows = await rig.database
      .db('tenant_key')
      .select('kid', 'wrapped', 'public_jwk', 'destroyed_at')
      .orderBy('created_at')
    const of = (kid: string) => rows.find((row) => row.kid === kid)
    expect(of(first.kid)).toMatchObject({
      wrapped: null,
      public_jwk: { kid: first.kid },
      destroyed_at: new Date(clock.at),
    })
    expect(of(second.kid)).toMatchObject({ wrapped: expect.any(Buffer), destroyed_at: null })
    expect(publishedAt(await rig.ring())).toEqual([second.kid])
  })
})

test('a node whose clock is behind does without a key that was destroyed elsewhere', async () => {
  const first = await rotate()
  const second = await rotate('sig', 'now')
  clock.advance(NEEDED_MS)
  await rig.operations().destroyEnded()
  clock.advance(-1_000)
  const ring = await rig.ring()
  expect([signsAt(ring), ring.now().verifying.has(first.kid)]).toEqual([second.kid, false])
})

describe('keys of the configuration', () => {
  const files: TenantKeys = { signing: [newKeyFile('file-1'), newKeyFile('file-0')] }

  test('are taken over: the first goes on signing, the others go on verifying', async () => {
    expect(await rig.operations(files).adopt('sig', 'stored')).toEqual(['file-1', 'file-0'])
    const ring = await rig.ring()
    expect([signsAt(ring), publishedAt(ring)]).toEqual(['file-1', ['file-0', 'file-1']])
    await expect(rig.operations(files).adopt('sig', 'stored')).rejects.toThrow('in the store already')
    await expect(rig.operations(files).adopt('enc', 'stored')).rejects.toThrow('has no such keys')
  })

  test('stay in their files where that is wanted, and follow one another all the same', async () => {
    await rig.operations(files).adopt('sig', 'file')
    const rows = await rig.database.db('tenant_key').select('source', 'wrapped', 'wrapped_with')
    expect(rows).toEqual([1, 2].map(() => ({ source: 'file', wrapped: null, wrapped_with: null })))
    const later = newKeyFile('file-2')
    const both = { signing: [...(files.signing ?? []), later] }
    const asked = { use: 'sig', kid: 'file-2', when: 'ahead', accepted: 'no harm' } as const
    expect(await rig.operations(both).rotate(asked)).toMatchObject({ kid: 'file-2', replaces: 'file-1' })
    clock.advance(AHEAD_MS)
    expect(signsAt(await rig.ring(both))).toBe('file-2')
    await expect(rig.ring(files)).rejects.toThrow('key file-2 is kept in a file that the configuration does not name')
    await expect(rig.operations(both).rotate(asked)).rejects.toThrow('key file-2 was used before')
    await expect(rig.operations(files).rotate({ ...asked, kid: 'file-9' })).rejects.toThrow('has no such key file-9')
  })

  test('are not passed over by a first key that nobody knows', async () => {
    const ask = { use: 'sig', kid: null, when: 'ahead', accepted: 'no harm' } as const
    await expect(rig.operations(files).rotate(ask)).rejects.toThrow('`falaj keys import --use sig` first')
  })

  test('must still be what they were', async () => {
    await rig.operations(files).adopt('sig', 'file')
    const swapped = { signing: [newKeyFile('file-1'), newKeyFile('file-0')] }
    await expect(rig.ring(swapped)).rejects.toThrow('is not that of its private half')
  })
})

describe('the key-encryption key', () => {
  test('is changed by wrapping every key anew, while the hub runs', async () => {
    const { kid } = await rotate()
    await rotate('enc')
    const fresh = newEncryptionKey()
    const between: TenantKeys = { encryptionKeys: [fresh, rig.encryptionKey] }
    const running = await rig.ring(between, REREAD_MS)
    const before = running.now()
    expect(await rig.operations(between).rewrap()).toBe(2)
    expect(await rig.operations(between).rewrap()).toBe(0)
    await eventually(() => expect(running.now()).not.toBe(before))
    expect(signsAt(running)).toBe(kid)
    expect(signsAt(await rig.ring({ encryptionKeys: [fresh] }))).toBe(kid)
    await expect(rig.ring()).rejects.toThrow(/another key-encryption key/)
  })

  test('that is wrong stops the start, and changes nothing', async () => {
    await rotate()
    const wrong: TenantKeys = { encryptionKeys: [newEncryptionKey()] }
    await expect(rig.ring(wrong)).rejects.toThrow(
      /the keys of tenant aurora cannot be used: .* another key-encryption key/,
    )
    await expect(rig.operations(wrong).rewrap()).rejects.toThrow(/another key-encryption key/)
  })
})

describe('every act', () => {
  test('is in the audit log', async () => {
    const before = (await rig.acts()).length
    const first = await rotate()
    const second = await rotate()
    await rotate('sig', 'now')
    await rig.operations().retire(first.kid, 'harm')
    await rig.operations().destroyEnded()
    expect((await rig.acts()).slice(before)).toEqual([
      `key made, active from ${new Date(clock.at).toISOString()}: ${first.kid}`,
      `key made, active from ${new Date(clock.at + AHEAD_MS).toISOString()}: ${second.kid}`,
      `key brought forward, active from ${new Date(clock.at).toISOString()}: ${second.kid}`,
      `retired key ended before its time: ${first.kid}`,
      `private half of an ended key destroyed: ${first.kid}`,
    ])
  })

  test('that is refused leaves nothing behind', async () => {
    const { kid } = await rotate()
    const before = (await rig.acts()).length
    await expect(rig.operations().retire(kid, 'harm')).rejects.toThrow()
    await rotate()
    await expect(rotate()).rejects.toThrow()
    expect((await rig.acts()).length).toBe(before + 1)
  })
})

describe('a tenant without a key to sign with', () => {
  test('does not start, and is told what to do', async () => {
    await expect(rig.ring()).rejects.toThrow(/has no key to sign with: `falaj keys import`/)
    await rotate('enc')
    await expect(rig.ring()).rejects.toThrow(/has no key to sign with/)
  })
})

const never = () => {
  throw new Error('no node')
}
