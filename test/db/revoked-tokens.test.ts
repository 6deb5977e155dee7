/** Access tokens that were given back, at the rows that the gateway reads (RFC 7009). */
import { randomUUID } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { epochSeconds } from '../../src/clock.ts'
import { inTransaction } from '../../src/db.ts'
import type { ConsentId } from '../../src/ids.ts'
import { isRevoked, REVOKED_TOKENS_MAX, type RevokedToken } from '../../src/revoked-tokens.ts'
import { storeForEachTest } from '../unit/consent-store/fixture.ts'
import { LFI, lfiPatch, testStore } from '../unit/consent-store/support.ts'

const given = storeForEachTest()
const LIFE_SECONDS = 600

const token = (): RevokedToken => ({
  jti: randomUUID(),
  expiresAtSeconds: epochSeconds(given.hub.clock.now()) + LIFE_SECONDS,
})
const revoke = (id: ConsentId, each: RevokedToken) =>
  inTransaction(given.db, (tx) => given.hub.store.revokeToken(tx, id, each))
const revokedIn = async (id: ConsentId, store = given.hub.store) => (await store.find(id))?.revokedTokens

describe('a token of a user', () => {
  test('is at its consent alone, and every node sees it with its next look', async () => {
    const [id, other] = [await given.hub.authorized(), await given.hub.authorized()]
    const node = testStore(given.db)
    // Both remember the consent by now.
    for (const store of [given.hub.store, node.store]) expect(await revokedIn(id, store)).toBeUndefined()
    const given1 = token()
    expect(await revoke(id, given1)).toBe(true)
    for (const store of [given.hub.store, node.store]) {
      const consent = await store.find(id)
      if (consent === null) throw new Error('the consent is there')
      expect([isRevoked(consent, given1.jti), isRevoked(consent, randomUUID())]).toEqual([true, false])
    }
    expect(await revokedIn(other)).toBeUndefined()
    await node.close()
  })

  test('is no change of the consent, and survives one', async () => {
    const id = await given.hub.authorized()
    const before = await given.hub.store.find(id)
    const [trail, each] = [await given.hub.store.trail(id), token()]
    await revoke(id, each)
    expect(await given.hub.store.find(id)).toEqual({ ...before, revokedTokens: [each.jti] })
    expect(await given.hub.store.trail(id)).toEqual(trail)
    await given.hub.store.patchByLfi(id, lfiPatch({ status: 'Suspended' }), LFI)
    expect(await revokedIn(id)).toEqual([each.jti])
  })

  test('is kept for as long as it would have been good', async () => {
    const id = await given.hub.authorized()
    const [early, late] = [token(), token()]
    await revoke(id, early)
    given.hub.clock.advance((LIFE_SECONDS - 1) * 1000)
    await revoke(id, token())
    expect(await revokedIn(id)).toContain(early.jti)
    given.hub.clock.advance(1000)
    await revoke(id, late)
    expect(await revokedIn(id)).not.toContain(early.jti)
    expect(await revokedIn(id)).toContain(late.jti)
  })

  test('of many at once none is lost', async () => {
    const id = await given.hub.authorized()
    const tokens = Array.from({ length: 20 }, token)
    expect(await Promise.all(tokens.map((each) => revoke(id, each)))).toEqual(tokens.map(() => true))
    expect(((await revokedIn(id)) ?? []).toSorted()).toEqual(tokens.map(({ jti }) => jti).toSorted())
  })

  test('finds no room beside as many as are kept, but a known one stays known', async () => {
    const id = await given.hub.authorized()
    const tokens = Array.from({ length: REVOKED_TOKENS_MAX }, token)
    for (const each of tokens) await revoke(id, each)
    expect(await revoke(id, token())).toBe(false)
    expect(await revoke(id, tokens[7] ?? token())).toBe(true)
    expect(await revokedIn(id)).toHaveLength(REVOKED_TOKENS_MAX)
    given.hub.clock.advance(LIFE_SECONDS * 1000)
    expect(await revoke(id, token())).toBe(true)
    expect(await revokedIn(id)).toHaveLength(1)
  })

  test('a transaction that fails has revoked nothing', async () => {
    const id = await given.hub.authorized()
    const failing = inTransaction(given.db, async (tx) => {
      await given.hub.store.revokeToken(tx, id, token())
      throw new Error('on the way')
    })
    await expect(failing).rejects.toThrow('on the way')
    expect(await revokedIn(id)).toBeUndefined()
  })
})
