import { describe, expect, test } from 'vitest'
import type { Instant } from '../../src/clock.ts'
import { inTransaction } from '../../src/db.ts'
import type { ConsentId } from '../../src/ids.ts'
import { codeOf, storeForEachTest } from '../unit/consent-store/fixture.ts'
import {
  AUTHORIZE,
  AUTHORIZE_BY,
  CLIENT,
  EXPIRES_AT,
  LFI,
  lfiPatch,
  newConsentId,
  OPERATOR,
  psu,
  TPP,
} from '../unit/consent-store/support.ts'

const given = storeForEachTest()

describe('an end', () => {
  test.for(['tpp', 'lfi-patch', 'lfi-revoke', 'operator', 'clock'] as const)('by %s ends the tokens', async (by) => {
    const id = await given.hub.authorized()
    await given.grant(id, `grant-${by}`)
    if (by === 'tpp') await given.hub.store.patchByTpp(id, CLIENT, { status: 'Revoked' }, TPP)
    if (by === 'lfi-patch') await given.hub.store.patchByLfi(id, lfiPatch({ status: 'Revoked' }), LFI)
    if (by === 'lfi-revoke') await given.hub.store.revoke(id, { revokedBy: 'LFI' }, LFI)
    if (by === 'operator') await given.hub.store.revoke(id, { revokedBy: 'LFI' }, OPERATOR)
    if (by === 'clock') {
      given.hub.clock.set(EXPIRES_AT)
      await given.hub.store.sweep(10)
    }
    expect(given.hub.ended).toEqual([`grant-${by}`])
    expect((await given.db('consent').where({ id }).first('grant_id')).grant_id).toBeNull()
  })

  test('revoked again stays what it was', async () => {
    const id = await given.hub.authorized()
    await given.hub.store.revoke(id, { revokedBy: 'LFI.InitiatedByUser', psuUserId: 'u-7' }, LFI)
    const before = await given.hub.traces(id)
    expect(before.trail.at(-1)?.['patch']).toMatchObject({ revokedByPsu: { userId: 'u-7' } })
    const again = await given.hub.store.revoke(id, { revokedBy: 'TPP' }, LFI)
    expect(again).toMatchObject({ changed: [], consent: { revokedBy: 'LFI.InitiatedByUser' } })
    expect(await given.hub.traces(id)).toEqual(before)
  })

  test('refuses every further patch, to the LFI as a broken rule and to the TPP as an invalid consent', async () => {
    const id = await given.hub.lodge()
    await given.hub.store.patchByLfi(id, lfiPatch({ status: 'Rejected', psu: psu('u-42') }), LFI)
    for (const patch of [AUTHORIZE, lfiPatch({ isLargeCorporate: true }), lfiPatch({ status: 'Rejected' })]) {
      expect(await codeOf(given.hub.store.patchByLfi(id, patch, LFI))).toBe('400 Consent.BusinessRuleViolation')
    }
    expect(await codeOf(given.hub.store.patchByTpp(id, CLIENT, { status: 'Revoked' }, TPP))).toBe('400 Consent.Invalid')
  })

  test('of a group comes to all that live in it, or to none', async () => {
    const root = await given.hub.authorized()
    const member = await given.hub.lodge({ members: { BaseConsentId: root } })
    const ended = await given.hub.lodge({ members: { BaseConsentId: root } })
    const stranger = await given.hub.authorized()
    await given.hub.store.patchByLfi(ended, lfiPatch({ status: 'Rejected' }), LFI)
    await given.grant(root, 'grant-root')

    given.failOnTerminal = true
    await expect(given.hub.store.revokeGroup(root, { revokedBy: 'LFI' }, LFI)).rejects.toThrow()
    expect(await Promise.all([root, member].map(given.storedStatus))).toEqual(['Authorized', 'AwaitingAuthorization'])

    given.failOnTerminal = false
    await given.hub.store.revokeGroup(root, { revokedBy: 'LFI' }, LFI)
    expect(await Promise.all([root, member, ended, stranger].map(given.storedStatus))).toEqual([
      'Revoked',
      'Revoked',
      'Rejected',
      'Authorized',
    ])
    expect(await codeOf(given.hub.store.revokeGroup(newConsentId(), { revokedBy: 'LFI' }, LFI))).toBe(
      '400 Consent.Invalid',
    )
  })
})

describe('the clock', () => {
  const row = (id: ConsentId) => given.db('consent').where({ id }).first()

  test('a read judges by it and writes nothing', async () => {
    const [awaiting, authorized] = [await given.hub.lodge(), await given.hub.authorized()]
    const before = await Promise.all([awaiting, authorized].map(row))
    given.hub.clock.set(EXPIRES_AT)
    expect(await given.hub.store.find(awaiting)).toMatchObject({ status: 'Rejected', rejectedFor: 'lapsed' })
    expect(await given.hub.store.findOwned(authorized, CLIENT)).toMatchObject({
      status: 'Expired',
      statusChangedAt: EXPIRES_AT,
    })
    expect((await given.hub.store.listGroup(authorized, CLIENT)).map(({ status }) => status)).toEqual(['Expired'])
    const listed = (status: string) => given.hub.store.listForLfi({ status, page: 1, pageSize: 10 })
    expect((await listed('Authorized')).totalRecords).toBe(0)
    expect((await listed('Expired')).rows.map(({ id }) => id)).toEqual([authorized])
    expect((await listed('Rejected')).rows.map(({ id }) => id)).toEqual([awaiting])
    expect(await Promise.all([awaiting, authorized].map(row))).toEqual(before)
  })

  test('is written down by the sweeper, once, as the hub', async () => {
    const [awaiting, authorized] = [
      await given.hub.lodge({ webhook: 'active' }),
      await given.hub.authorized({ webhook: 'active' }),
    ]
    const live = await given.hub.authorized({ members: { ExpirationDateTime: '2027-01-01T00:00:00Z' } })
    expect(await given.hub.store.sweep(10)).toBe(0)
    given.hub.clock.set((EXPIRES_AT + 5000) as Instant)
    expect(await given.hub.store.sweep(10)).toBe(2)
    expect(await given.hub.store.sweep(10)).toBe(0)
    expect(await Promise.all([awaiting, authorized, live].map(given.storedStatus))).toEqual([
      'Rejected',
      'Expired',
      'Authorized',
    ])
    const { audit, trail, outbox } = await given.hub.traces(authorized)
    expect(audit.at(-1)).toMatchObject({ change: 'expire', by: 'hub', from: 'Authorized', to: 'Expired' })
    expect(trail.at(-1)).toMatchObject({ change: 'expire', caller_kind: 'hub', interaction_id: null })
    expect(outbox.at(-1)).toMatchObject({ kind: 'tpp-webhook', body: { Status: 'Expired' } })
    expect((await given.hub.traces(awaiting)).audit.at(-1)).toMatchObject({ change: 'lapse', to: 'Rejected' })
    expect(await given.hub.store.find(authorized)).toMatchObject({
      statusChangedAt: EXPIRES_AT,
      updatedAt: EXPIRES_AT + 5000,
    })
  })

  test('four sweepers at once write each consent down once, in batches', async () => {
    const ids = await Promise.all(Array.from({ length: 12 }, () => given.hub.lodge()))
    given.hub.clock.set(AUTHORIZE_BY)
    expect(await given.hub.store.sweep(5)).toBe(5)
    const moved = await Promise.all(Array.from({ length: 4 }, () => given.hub.store.sweep(20)))
    expect(moved.reduce((sum, each) => sum + each, 0)).toBe(7)
    for (const id of ids) expect((await given.hub.traces(id)).trail).toHaveLength(2)
  })

  test('one consent that cannot be ended does not keep the others alive', async () => {
    const stuck = await given.hub.authorized()
    await given.grant(stuck, 'grant-stuck')
    const free = await given.hub.authorized()
    given.hub.clock.set(EXPIRES_AT)
    given.failOnTerminal = true
    await expect(given.hub.store.sweep(10)).rejects.toThrow(AggregateError)
    expect(await Promise.all([stuck, free].map(given.storedStatus))).toEqual(['Authorized', 'Expired'])
    given.failOnTerminal = false
    expect(await given.hub.store.sweep(10)).toBe(1)
  })

  test('passes over a consent that somebody is changing', async () => {
    const id = await given.hub.lodge()
    given.hub.clock.set(AUTHORIZE_BY)
    await inTransaction(given.db, async (tx) => {
      await tx('consent').where({ id }).forUpdate().first('id')
      expect(await given.hub.store.sweep(10)).toBe(0)
    })
    expect(await given.hub.store.sweep(10)).toBe(1)
  })
})
