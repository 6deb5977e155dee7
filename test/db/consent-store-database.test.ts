import { describe, expect, test } from 'vitest'
import { toInstant } from '../../src/clock.ts'
import { type ConsentStatus, MOVES, STATUSES } from '../../src/consent-store/consent.ts'
import type { LfiPatch, MultipleAuthorizers } from '../../src/consent-store/index.ts'
import type { ConsentId } from '../../src/ids.ts'
import { storeForEachTest } from '../unit/consent-store/fixture.ts'
import { AUTHORIZE, EXPIRES_AT, LFI, lfiPatch, OTHER_CLIENT } from '../unit/consent-store/support.ts'

const given = storeForEachTest()

class Undone extends Error {}

describe('the database refuses, whoever writes', () => {
  const update = (id: ConsentId, columns: object) => given.db('consent').where({ id }).update(columns)

  test.for([
    { what: 'an authorized consent without a user', columns: { psu: null } },
    { what: 'an authorized consent without accounts', columns: { account_ids: [] } },
    { what: 'an authorized consent without a channel', columns: { channel: null } },
    { what: 'an authorized consent that never was', columns: { authorized_at: null } },
    { what: 'a way back', columns: { status: 'AwaitingAuthorization', revision: 3 } },
    { what: 'a consumed account consent', columns: { status: 'Consumed', revision: 3 } },
    { what: 'a revoked consent without a revoker', columns: { status: 'Revoked', revision: 3, grant_id: null } },
    { what: 'an ended consent with a grant', columns: { status: 'Expired', revision: 3, grant_id: 'grant' } },
    { what: 'a status nobody knows', columns: { status: 'Paused', revision: 3 } },
    { what: 'a change of status without a revision', columns: { status: 'Suspended' } },
    { what: 'another end', columns: { expires_at: new Date(EXPIRES_AT + 1) } },
    { what: 'another owner', columns: { client_id: OTHER_CLIENT } },
    { what: 'another request', columns: { request: JSON.stringify({ type: 'x' }) } },
    { what: 'a user without an id', columns: { psu: JSON.stringify({ name: 'x' }) } },
  ])('$what', async ({ columns }) => {
    const id = await given.hub.authorized()
    await expect(update(id, columns)).rejects.toThrow()
    expect((await given.hub.store.find(id))?.status).toBe('Authorized')
  })

  const AGREED: MultipleAuthorizers = {
    TotalRequired: 2,
    Authorizations: [{ AuthorizationStatus: 'Approved' }, { AuthorizationStatus: 'Approved' }],
  }
  const authorized = async (type: 'service-initiation' | 'insurance', members: object = {}) => {
    const id = await given.hub.lodge({ type, members: { ...members } })
    await given.hub.store.patchByLfi(
      id,
      { ...AUTHORIZE, ...(type === 'insurance' ? {} : { payment: { ...NO_TERMS, authorizers: agreed(members) } }) },
      LFI,
    )
    return id
  }
  const NO_TERMS = { authorizers: null, charges: null, exchangeRate: null, connectToken: null }
  const agreed = (members: object) => ('IsSingleAuthorization' in members ? AGREED : null)

  test.for([
    { what: 'a second debtor', columns: { account_ids: ['a', 'b'] } },
    { what: 'authorizers where one is enough', columns: { authorizers: JSON.stringify(AGREED) } },
    { what: 'another type', columns: { type: 'insurance' } },
    { what: 'a window that moves by itself', columns: { authorize_by: new Date(EXPIRES_AT) } },
  ])('of a payment consent: $what', async ({ columns }) => {
    await expect(update(await authorized('service-initiation'), columns)).rejects.toThrow()
  })

  test.for([
    { what: 'one who has rejected', statuses: ['Approved', 'Approved', 'Rejected'] },
    { what: 'too few', statuses: ['Approved', 'Pending'] },
    { what: 'nobody', statuses: [] },
  ])('of an authorized consent of several: $what', async ({ statuses }) => {
    const id = await authorized('service-initiation', { IsSingleAuthorization: false })
    const authorizers = { TotalRequired: 2, Authorizations: statuses.map((each) => ({ AuthorizationStatus: each })) }
    await expect(update(id, { authorizers: JSON.stringify(authorizers) })).rejects.toThrow('consent_agreed')
    await expect(update(id, { authorize_by: new Date(EXPIRES_AT) })).rejects.toThrow('authorization window')
  })

  test.for([
    { what: 'consumed', columns: { status: 'Consumed', revision: 3 } },
    { what: 'with charges', columns: { charges: JSON.stringify([]) } },
    { what: 'with a rate', columns: { exchange_rate: JSON.stringify({}) } },
    { what: 'with something paid', columns: { consumption: JSON.stringify({}) } },
    { what: 'with a token', columns: { connect_token: 'x' } },
    { what: 'with payments', columns: { payment_ids: ['p'] } },
    { what: 'with authorizers', columns: { authorizers: JSON.stringify(AGREED) } },
  ])('an insurance consent $what', async ({ columns }) => {
    await expect(update(await authorized('insurance'), columns)).rejects.toThrow()
  })

  test('every way from status to status that the machine does not have', async () => {
    const authorized = { psu: JSON.stringify({ userId: 'u' }), account_ids: ['a'], channel: 'App' }
    // What has to be true of each status, written down with it.
    const columns = (to: ConsentStatus, at: Date | null): object => {
      const was = to === 'Authorized' || to === 'Suspended' || to === 'Consumed'
      const isNot = to === 'AwaitingAuthorization' || to === 'Rejected'
      return {
        ...(was ? { ...authorized, authorized_at: at ?? new Date() } : isNot ? { authorized_at: null } : {}),
        rejected_for: to === 'Rejected' ? 'refused' : null,
        revoked_by: to === 'Revoked' ? 'LFI' : null,
      }
    }
    const reached = async (status: ConsentStatus): Promise<ConsentId> => {
      const id = await given.hub.lodge({ type: 'service-initiation' })
      const patch = (to: Partial<LfiPatch>) => given.hub.store.patchByLfi(id, lfiPatch(to), LFI)
      if (status === 'Rejected') await patch({ status })
      if (['Authorized', 'Suspended', 'Consumed'].includes(status)) await given.hub.store.patchByLfi(id, AUTHORIZE, LFI)
      if (status === 'Suspended' || status === 'Consumed') await patch({ status })
      if (status === 'Revoked') await given.hub.store.revoke(id, { revokedBy: 'LFI' }, LFI)
      if (status === 'Expired') await given.db('consent').where({ id }).update({ status, revision: 2 })
      return id
    }
    const ways: string[] = []
    for (const from of STATUSES) {
      const id = await reached(from)
      const row = await given.db('consent').where({ id }).first('revision', 'authorized_at', 'status')
      expect(row.status).toBe(from)
      for (const to of STATUSES.filter((each) => each !== from)) {
        for (const at of new Set([row.authorized_at, null])) {
          const tried = given.db.transaction(async (tx) => {
            const change = { status: to, revision: row.revision + 1, ...columns(to, at) }
            await tx('consent').where({ id }).update(change)
            ways.push(`${from} ${to}`)
            throw new Undone()
          })
          await expect(tried).rejects.toThrow()
        }
      }
    }
    const machine = STATUSES.flatMap((from) => Object.values<string>(MOVES[from]).map((to) => `${from} ${to}`))
    expect([...new Set(ways)].sort()).toEqual([...new Set(machine)].sort())
  })

  test('a terminal consent that lives again', async () => {
    const id = await given.hub.authorized()
    await given.hub.store.revoke(id, { revokedBy: 'LFI' }, LFI)
    await expect(update(id, { status: 'Authorized', revoked_by: null, revision: 4 })).rejects.toThrow('terminal')
  })

  test('a trail that is rewritten', async () => {
    const id = await given.hub.authorized()
    const rows = () => given.db('consent_trail').where('consent_id', id)
    await expect(rows().update({ change: 'revoke' })).rejects.toThrow('only ever added to')
    await expect(rows().delete()).rejects.toThrow('only ever added to')
  })
})

test('a usage time is read back as it was written', async () => {
  const id = await given.hub.authorized()
  const at = toInstant('2026-02-03T04:05:06.789+04:00')
  await given.hub.store.patchByLfi(id, lfiPatch({ lastDataSharedAt: at }), LFI)
  expect((await given.hub.store.find(id))?.lastDataSharedAt).toBe(at)
})
