/** The state of a consent at any past moment is what a reader of that moment was told. */
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Instant } from '../../src/clock.ts'
import { agreementOf, type Consent, type JsonObject } from '../../src/consent-store/index.ts'
import { inTransaction, query } from '../../src/db.ts'
import type { ConsentId } from '../../src/ids.ts'
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts'
import { money, paymentPatchOf } from '../unit/consent-store/model.ts'
import {
  AUTHORIZE,
  account,
  CLIENT,
  callerOf,
  LFI,
  type LodgeOptions,
  lfiPatch,
  NOW,
  newConsentId,
  newInteractionId,
  psu,
  type TestStore,
  TPP,
  testStore,
  WEBHOOK,
} from '../unit/consent-store/support.ts'

let database: TestDatabase
let hub: TestStore
beforeAll(async () => {
  database = await createTestDatabase()
  hub = testStore(database.db)
})
afterAll(async () => {
  await hub?.close()
  await database?.close()
})

const DAY = 86_400_000

/** The agreement, and of a payment consent when it was last paid under. */
const shown = (consent: Consent): JsonObject => ({
  ...agreementOf(consent),
  ...(consent.type === 'service-initiation' ? { lastPaid: consent.lastServiceInitiationAt } : {}),
})
const past = async (id: ConsentId, at: Instant): Promise<JsonObject | string | null> => {
  const found = await hub.store.findAt(id, at)
  return found?.kind === 'known' ? shown(found.consent) : (found?.kind ?? null)
}

/** A payment that leaves something, or nothing; its period ends before the consent does. */
async function pay(id: ConsentId, isExhausted: boolean, isNew = true): Promise<void> {
  const before = await hub.store.find(id)
  const used = before?.type === 'service-initiation' ? before.payment.consumption : null
  const number = (used?.number ?? 0) + (isNew ? 1 : 0)
  const value = money(`${number * 10}.50`)
  const now = hub.clock.now()
  const note = {
    consumption: { number, value, period: { number: 1, value, endsAt: (now + DAY / 12) as Instant } },
    isExhausted,
    attemptedAt: isNew ? now : null,
  }
  await inTransaction(hub.db, async (tx) => {
    const locked = await hub.store.lock(tx, id)
    if (locked !== null) await hub.store.notePayment(tx, locked, note, { caller: callerOf('hub') })
  })
}
const agree = (id: ConsentId, ...authorizers: readonly ('Approved' | 'Pending' | 'Rejected')[]) =>
  hub.store.patchByLfi(
    id,
    lfiPatch({ psu: psu('u-42'), accountIds: [account('acc-1')], payment: paymentPatchOf({ authorizers }) }),
    LFI,
  )

type Act = (id: ConsentId) => Promise<unknown>
/** Whatever can happen to a consent; what is refused leaves it as it is. */
const ACTS = {
  authorize: (id) => hub.store.patchByLfi(id, AUTHORIZE, LFI),
  'say more of the user': (id) => hub.store.patchByLfi(id, lfiPatch({ psu: { userId: 'u-42', branch: 'Deira' } }), LFI),
  'name the user': (id) => hub.store.patchByLfi(id, lfiPatch({ psu: psu('u-42') }), LFI),
  'name accounts': (id) =>
    hub.store.patchByLfi(id, lfiPatch({ accountIds: [account('acc-1'), account('acc-9')] }), LFI),
  'add to it': (id) => hub.store.patchByLfi(id, lfiPatch({ supplementaryInformation: { tier: 2, of: [null] } }), LFI),
  'call it large': (id) => hub.store.patchByLfi(id, lfiPatch({ isLargeCorporate: true }), LFI),
  'say when it was used': (id) => hub.store.patchByLfi(id, lfiPatch({ lastDataSharedAt: NOW }), LFI),
  suspend: (id) => hub.store.patchByLfi(id, lfiPatch({ status: 'Suspended' }), LFI),
  resume: (id) => hub.store.patchByLfi(id, lfiPatch({ status: 'Authorized' }), LFI),
  reject: (id) => hub.store.patchByLfi(id, lfiPatch({ status: 'Rejected' }), LFI),
  'revoke at the LFI': (id) => hub.store.revoke(id, { revokedBy: 'LFI.InitiatedByUser', psuUserId: 'u-42' }, LFI),
  'revoke at the TPP': (id) => hub.store.patchByTpp(id, CLIENT, { status: 'Revoked', revokedBy: 'TPP' }, TPP),
  subscribe: (id) =>
    hub.store.patchByTpp(id, CLIENT, { subscription: { Webhook: { Url: WEBHOOK, IsActive: true } } }, TPP),
  link: (id) => hub.store.linkInteraction(id, newInteractionId(), TPP),
  use: (id) => hub.store.touchUsage(id, hub.clock.now()),
  'give tokens': (id) => inTransaction(hub.db, (tx) => hub.store.attachGrant(tx, id, `grant-${id}`)),
  sweep: () => hub.store.sweep(100),
  pay: (id) => pay(id, false),
  'pay what is left': (id) => pay(id, true),
  'take a payment back': (id) => pay(id, false, false),
  'add charges': (id) => hub.store.patchByLfi(id, lfiPatch({ payment: paymentPatchOf({ charges: true }) }), LFI),
  'the first agrees': (id) => agree(id, 'Approved', 'Pending'),
  'both agree': (id) => agree(id, 'Approved', 'Approved'),
  'the other refuses': (id) => agree(id, 'Approved', 'Rejected'),
} as const satisfies Record<string, Act>
const NAMES = Object.keys(ACTS) as (keyof typeof ACTS)[]
/** What leads to what: drawn more often, or a payment would hardly ever be agreed to and then made. */
const OFTEN = ['authorize', 'both agree', 'pay', 'pay what is left'] as const

const several = { IsSingleAuthorization: false }
/** A quarter each: data, insurance, a payment that one agrees to, and one that several must. */
const LODGED: readonly Pick<LodgeOptions, 'type' | 'members'>[] = [
  {},
  { type: 'insurance' },
  { type: 'service-initiation' },
  { type: 'service-initiation', members: several },
]
const step = fc.record({
  act: fc.constantFrom(...NAMES, ...OFTEN, ...OFTEN, ...OFTEN),
  // From one to the next: at once, within the hour of authorization, past it, past the end.
  wait: fc.oneof(
    { weight: 8, arbitrary: fc.integer({ min: 1, max: 60_000 }) },
    { weight: 2, arbitrary: fc.integer({ min: 1, max: 3 * 3_600_000 }) },
    { weight: 1, arbitrary: fc.integer({ min: DAY, max: 250 * DAY }) },
  ),
})

describe('the past of a consent', () => {
  test('is what was read then, after whatever changes', { timeout: 120_000 }, async () => {
    let read = 0
    const statuses = new Set<unknown>()
    const paid = new Set<string>()
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...LODGED),
        fc.array(step, { minLength: 1, maxLength: 14 }),
        async (lodged, steps) => {
          hub.clock.set(NOW)
          const id = newConsentId()
          const seen: [Instant, JsonObject | string][] = [[(hub.clock.now() - 1) as Instant, 'not-yet']]
          const look = async (): Promise<void> => {
            const consent = await hub.store.find(id)
            if (consent === null) throw new Error('it was lodged')
            seen.push([hub.clock.now(), shown(consent)])
          }
          await hub.lodge({ id, webhook: 'inactive', ...lodged })
          await look()
          for (const { act, wait } of steps) {
            hub.clock.advance(wait)
            // Just before, too: a reader judges by the clock although nobody has written anything down.
            hub.clock.advance(-1)
            if (hub.clock.now() > (seen.at(-1)?.[0] ?? 0)) await look()
            hub.clock.advance(1)
            await ACTS[act](id).catch(() => null)
            await look()
          }
          for (const [at, agreement] of seen) {
            expect(await past(id, at), new Date(at).toISOString()).toEqual(agreement)
            read += 1
            if (typeof agreement === 'string') continue
            statuses.add(agreement['status'])
            const lastPaid = agreement['lastPaid'] ?? null
            if (lastPaid !== null) paid.add(`${id} ${JSON.stringify(lastPaid)}`)
          }
        },
      ),
      { numRuns: 200, seed: 4711 },
    )
    expect(read).toBeGreaterThan(300)
    expect(paid.size).toBeGreaterThan(50)
    expect([...statuses].sort()).toEqual([
      'Authorized',
      'AwaitingAuthorization',
      'Consumed',
      'Expired',
      'Rejected',
      'Revoked',
      'Suspended',
    ])
  })

  test('knows nothing of a consent that is not there', async () => {
    expect(await past(newConsentId(), NOW)).toBeNull()
  })

  test('of a consent older than its keeping begins with what it was when that began', async () => {
    hub.clock.set(NOW)
    const id = await hub.lodge()
    hub.clock.advance(1000)
    await hub.store.patchByLfi(id, AUTHORIZE, LFI)
    const then = hub.clock.now()
    // As the release before would have left it, when the migration finds it.
    await query(hub.db, 'delete from consent_version where consent_id = ?', [id])
    await query(
      hub.db,
      `insert into consent_version (consent_id, revision, at, state)
       select id, revision, updated_at, consent_state(consent) from consent where id = ?`,
      [id],
    )
    expect(await past(id, NOW)).toBe('not-kept')
    expect(await past(id, then)).toMatchObject({ status: 'Authorized', accountIds: ['acc-1'] })
  })

  test('is not written over', async () => {
    const id = await hub.lodge()
    await expect(query(hub.db, `update consent_version set state = '{}' where consent_id = ?`, [id])).rejects.toThrow(
      'what a consent was does not change',
    )
  })

  test('is kept by the database, also when a release that knows nothing of it makes the change', async () => {
    hub.clock.set(NOW)
    const id = await hub.authorized()
    await query(
      hub.db,
      `update consent set status = 'Suspended', revision = revision + 1, updated_at = updated_at + interval '1 second'
       where id = ?`,
      [id],
    )
    expect(await past(id, (NOW + 5_000) as Instant)).toMatchObject({ status: 'Suspended' })
    expect(await past(id, (NOW + 10) as Instant)).toMatchObject({ status: 'Authorized' })
  })
})
