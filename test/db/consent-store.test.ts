import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import { type Instant, toInstant } from '../../src/clock.ts'
import { CONSENT_CHANNEL } from '../../src/consent-store/index.ts'
import { inTransaction } from '../../src/db.ts'
import { HubError } from '../../src/errors.ts'
import type { ConsentId, InteractionId } from '../../src/ids.ts'
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts'
import {
  AUTHORIZE,
  AUTHORIZE_BY,
  account,
  CLIENT,
  EXPIRES_AT,
  LFI,
  lfiPatch,
  lodgeAsk,
  NOW,
  newConsentId,
  newInteractionId,
  OPERATOR,
  OTHER_CLIENT,
  psu,
  type TestStore,
  TPP,
  testStore,
  WEBHOOK,
} from '../unit/consent-store/support.ts'

let database: TestDatabase
let failOnTerminal: boolean
let hub: TestStore

beforeAll(async () => {
  database = await createTestDatabase()
})
afterAll(() => database.close())
beforeEach(() => {
  failOnTerminal = false
  hub = testStore(database.db, async () => {
    if (failOnTerminal) throw new Error('the tokens could not be ended')
  })
})
afterEach(async () => {
  await hub.close()
  await database.db.raw('truncate consent cascade')
})

const codeOf = async (work: Promise<unknown>): Promise<string> => {
  try {
    await work
    return 'done'
  } catch (thrown) {
    if (!(thrown instanceof HubError)) throw thrown
    return `${thrown.status} ${thrown.code}`
  }
}
const storedStatus = async (id: ConsentId): Promise<string> =>
  (await database.db('consent').where({ id }).first('status'))?.status
const grant = (id: ConsentId, grantId: string) =>
  inTransaction(database.db, (tx) => hub.store.attachGrant(tx, id, grantId))

describe('lodging', () => {
  test('records what was asked for', async () => {
    const id = await hub.lodge({ webhook: 'active', members: { BaseConsentId: newConsentId() } })
    const consent = await hub.store.find(id)
    const ask = lodgeAsk(id)
    expect(consent).toMatchObject({
      id,
      status: 'AwaitingAuthorization',
      type: 'account-access',
      clientId: CLIENT,
      scope: 'openid accounts',
      permissions: ['ReadAccountsBasic', 'ReadBalances'],
      tpp: ask.tpp,
      requestHeaders: ask.requestHeaders,
      authorizeBy: AUTHORIZE_BY,
      expiresAt: EXPIRES_AT,
      createdAt: NOW,
      revision: 1,
      psu: null,
      accountIds: [],
    })
    expect(JSON.stringify(consent?.request.consent)).toMatch(/^{"ConsentId":.*"Permissions":.*"ExpirationDateTime":/)
  })

  test('leaves an audit entry, a trail row and one event for the LFI', async () => {
    const id = await hub.lodge({ webhook: 'active' })
    const { audit, trail, outbox } = await hub.traces(id)
    expect(audit).toMatchObject([
      { kind: 'consent-changed', change: 'lodged', from: null, to: 'AwaitingAuthorization', revision: 1, by: 'tpp' },
    ])
    expect(trail).toMatchObject([
      { change: 'lodged', status_from: null, status_to: 'AwaitingAuthorization', revision: 1 },
    ])
    expect(outbox).toMatchObject([{ kind: 'lfi-event', event: 'post', revision: 1, url: null, body: null }])
  })

  test('of four at once with one id, one is lodged', async () => {
    const id = newConsentId()
    const lodge = () => inTransaction(database.db, (tx) => hub.store.lodge(tx, lodgeAsk(id), TPP))
    const answers = await Promise.all([lodge(), lodge(), lodge(), lodge()])
    expect(answers.toSorted()).toEqual(['duplicate', 'duplicate', 'duplicate', 'lodged'])
    expect((await hub.traces(id)).audit).toHaveLength(1)
  })

  test('an id is taken for other clients too, and in other letters', async () => {
    const id = await hub.lodge()
    const again = (other: ConsentId) =>
      inTransaction(database.db, (tx) => hub.store.lodge(tx, lodgeAsk(other, { clientId: OTHER_CLIENT }), TPP))
    expect(await again(id)).toBe('duplicate')
    expect(await again(id.toUpperCase() as ConsentId)).toBe('duplicate')
    expect(await hub.store.findOwned(id, OTHER_CLIENT)).toBeNull()
  })

  test('in a transaction that fails, nothing is left', async () => {
    const id = newConsentId()
    const work = inTransaction(database.db, async (tx) => {
      await hub.store.lodge(tx, lodgeAsk(id), TPP)
      throw new Error('the rest of PAR failed')
    })
    await expect(work).rejects.toThrow('the rest of PAR failed')
    expect(await hub.store.find(id)).toBeNull()
    expect(await hub.traces(id)).toEqual({ audit: [], trail: [], outbox: [] })
  })

  test('a consent of a type that is not offered is a fault', async () => {
    const ask = { ...lodgeAsk(newConsentId()), rarType: 'urn:openfinanceuae:insurance-consent:v2.1' }
    await expect(inTransaction(database.db, (tx) => hub.store.lodge(tx, ask, TPP))).rejects.toThrow()
  })

  test('the request_uri is attached once', async () => {
    const id = await hub.lodge()
    const attach = (uri: string) => inTransaction(database.db, (tx) => hub.store.attachPar(tx, id, uri))
    await attach('urn:ietf:params:oauth:request_uri:a')
    await expect(attach('urn:ietf:params:oauth:request_uri:b')).rejects.toThrow()
    expect((await hub.store.find(id))?.parId).toBe('urn:ietf:params:oauth:request_uri:a')
  })
})

describe('a move', () => {
  test('leaves an audit entry, a trail row, an event, and a webhook where one is wanted', async () => {
    const id = await hub.authorized({ webhook: 'active' })
    const { audit, trail, outbox } = await hub.traces(id)
    expect(audit[1]).toMatchObject({
      kind: 'consent-changed',
      change: 'authorize',
      from: 'AwaitingAuthorization',
      to: 'Authorized',
      revision: 2,
      by: 'lfi',
      callerClientId: LFI.clientId,
      interactionId: LFI.interactionId,
      changed: ['status', 'psuIdentifiers', 'accountIds', 'authorizationChannel'],
    })
    expect(trail[1]).toMatchObject({ change: 'authorize', revision: 2, caller_kind: 'lfi' })
    expect(outbox.slice(1)).toMatchObject([
      { kind: 'lfi-event', event: 'patch', revision: 2 },
      { kind: 'tpp-webhook', event: 'Resource.Updated', revision: 2, url: WEBHOOK, body: { Status: 'Authorized' } },
    ])
  })

  test('tells no user or account to the TPP, and no value to the audit log', async () => {
    const id = await hub.lodge({ webhook: 'active' })
    const patch = {
      ...AUTHORIZE,
      psu: { userId: 'u-42', name: 'Mariam' },
      supplementaryInformation: { note: 'private' },
    }
    await hub.store.patchByLfi(id, patch, LFI)
    const { audit, trail, outbox } = await hub.traces(id)
    expect(JSON.stringify(outbox)).not.toMatch(/u-42|acc-1|Mariam|private/)
    expect(JSON.stringify(audit)).not.toMatch(/u-42|acc-1|Mariam|private/)
    expect(JSON.stringify(trail)).not.toMatch(/Mariam|private/)
    expect(trail[1]?.['patch']).toMatchObject({ psuIdentifiers: { userId: 'u-42' }, accountIds: ['acc-1'] })
  })

  test('sends no webhook without an active subscription, and none for a change that is no change of status', async () => {
    for (const webhook of [undefined, 'inactive', 'active'] as const) {
      const id = await hub.lodge(webhook === undefined ? {} : { webhook })
      await hub.store.patchByLfi(id, lfiPatch({ isLargeCorporate: true }), LFI)
      await hub.store.patchByLfi(id, AUTHORIZE, LFI)
      const webhooks = (await hub.traces(id)).outbox.filter(({ kind }) => kind === 'tpp-webhook')
      expect(webhooks.map(({ revision }) => revision)).toEqual(webhook === 'active' ? [3] : [])
    }
  })

  test('that is refused leaves nothing', async () => {
    const id = await hub.authorized()
    const before = await hub.traces(id)
    expect(await codeOf(hub.store.patchByLfi(id, lfiPatch({ status: 'Rejected' }), LFI))).toBe(
      '400 Consent.BusinessRuleViolation',
    )
    expect(await hub.traces(id)).toEqual(before)
    expect((await hub.store.find(id))?.revision).toBe(2)
  })

  test('that fails at its last step is undone in every place', async () => {
    const id = await hub.authorized({ webhook: 'active' })
    await grant(id, 'grant-1')
    const before = await hub.traces(id)
    failOnTerminal = true
    await expect(hub.store.revoke(id, { revokedBy: 'LFI' }, LFI)).rejects.toThrow('the tokens could not be ended')
    expect(await hub.traces(id)).toEqual(before)
    expect(await hub.store.find(id)).toMatchObject({ status: 'Authorized', grantId: 'grant-1', revision: 2 })
  })

  test('that changes nothing is done and leaves nothing', async () => {
    const id = await hub.authorized()
    const before = await hub.traces(id)
    const outcome = await hub.store.patchByLfi(id, AUTHORIZE, LFI)
    expect(outcome.changed).toEqual([])
    expect(await hub.traces(id)).toEqual(before)
  })

  test('is announced once it is committed', async () => {
    const id = await hub.lodge()
    const connection = await database.db.client.acquireConnection()
    const heard: string[] = []
    connection.on('notification', (message: { channel: string; payload: string }) => heard.push(message.payload))
    await connection.query(`listen ${CONSENT_CHANNEL}`)
    await hub.store.patchByLfi(id, AUTHORIZE, LFI)
    await expect(hub.store.patchByLfi(id, lfiPatch({ status: 'Rejected' }), LFI)).rejects.toThrow()
    await hub.store.revoke(id, { revokedBy: 'LFI' }, LFI)
    await vi.waitFor(() => expect(heard).toEqual([id, id]))
    await connection.query('unlisten *')
    connection.removeAllListeners('notification')
    await database.db.client.releaseConnection(connection)
  })

  test('counts one revision, and is later than the last one whatever the clock says', async () => {
    const id = await hub.lodge()
    hub.clock.advance(-60_000)
    const { consent } = await hub.store.patchByLfi(id, AUTHORIZE, LFI)
    expect(consent.revision).toBe(2)
    expect(consent.updatedAt).toBe(NOW + 1)
    const { rows } = await hub.store.listForLfi({ updatedAfter: NOW, page: 1, pageSize: 10 })
    expect(rows.map((row) => row.id)).toEqual([id])
  })
})

describe('at once', () => {
  test('eight patches of one consent are made one after another', async () => {
    const id = await hub.authorized()
    const patch = (at: number) => hub.store.patchByLfi(id, lfiPatch({ supplementaryInformation: { at } }), LFI)
    await Promise.all(Array.from({ length: 8 }, (_, at) => patch(at)))
    const { trail } = await hub.traces(id)
    expect(trail.map((row) => row['revision'])).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10])
  })

  test('of suspension and revocation one order is kept, and the end wins', async () => {
    for (let round = 0; round < 10; round += 1) {
      const id = await hub.authorized()
      const answers = await Promise.all([
        codeOf(hub.store.patchByLfi(id, lfiPatch({ status: 'Suspended' }), LFI)),
        codeOf(hub.store.patchByTpp(id, CLIENT, { status: 'Revoked' }, TPP)),
      ])
      expect(answers[1]).toBe('done')
      expect(['done', '400 Consent.BusinessRuleViolation']).toContain(answers[0])
      expect((await hub.store.find(id))?.status).toBe('Revoked')
    }
  })

  test('a journey is completed by exactly one of eight', async () => {
    const id = await hub.lodge()
    const interactionId = newInteractionId()
    await hub.store.linkInteraction(id, interactionId, LFI)
    const claim = (by: InteractionId) => inTransaction(database.db, (tx) => hub.store.claimCompletion(tx, id, by))
    expect(await claim(newInteractionId())).toBe(false)
    const claims = await Promise.all(Array.from({ length: 8 }, () => claim(interactionId)))
    expect(claims.filter(Boolean)).toHaveLength(1)
    expect(await claim(interactionId)).toBe(false)
    expect(await codeOf(hub.store.linkInteraction(id, newInteractionId(), LFI))).toBe(
      '400 Consent.BusinessRuleViolation',
    )
  })

  test('a claim that is rolled back is not one', async () => {
    const id = await hub.lodge()
    const interactionId = newInteractionId()
    await hub.store.linkInteraction(id, interactionId, LFI)
    const failed = inTransaction(database.db, async (tx) => {
      expect(await hub.store.claimCompletion(tx, id, interactionId)).toBe(true)
      throw new Error('undone')
    })
    await expect(failed).rejects.toThrow('undone')
    expect(await inTransaction(database.db, (tx) => hub.store.claimCompletion(tx, id, interactionId))).toBe(true)
  })

  test('a change that meets another twice asks for a repetition', async () => {
    const id = await hub.authorized()
    // Stands for a writer that does not lock: the row is another one by the time it is saved.
    await database.db.raw(`
      create sequence tries;
      create function elsewhere() returns trigger language plpgsql as $$
      begin perform nextval('tries'); return null; end $$;
      create trigger elsewhere before update on consent for each row execute function elsewhere()`)
    const before = await hub.traces(id)
    const patch = lfiPatch({ status: 'Suspended' })
    expect(await codeOf(hub.store.patchByLfi(id, patch, LFI))).toBe('500 GenericRecoverableError')
    expect((await database.db.raw('select last_value from tries')).rows).toEqual([{ last_value: '2' }])
    await database.db.raw('drop trigger elsewhere on consent; drop function elsewhere; drop sequence tries')
    expect(await hub.traces(id)).toEqual(before)
    expect(await codeOf(hub.store.patchByLfi(id, patch, LFI))).toBe('done')
  })
})

describe('the journey', () => {
  test('the latest getAuth wins', async () => {
    const id = await hub.lodge()
    const [first, second] = [newInteractionId(), newInteractionId()]
    await hub.store.linkInteraction(id, first, LFI)
    await hub.store.linkInteraction(id, second, LFI)
    expect(await hub.store.byInteraction(first)).toBeNull()
    expect((await hub.store.byInteraction(second))?.id).toBe(id)
    const { audit, outbox } = await hub.traces(id)
    expect(audit.map((entry) => entry['change'])).toEqual(['lodged', 'linked', 'linked'])
    expect(outbox).toHaveLength(1)
  })

  test('only an awaiting consent is linked', async () => {
    const id = await hub.authorized()
    expect(await codeOf(hub.store.linkInteraction(id, newInteractionId(), LFI))).toBe(
      '400 Consent.BusinessRuleViolation',
    )
    expect(await codeOf(hub.store.linkInteraction(newConsentId(), newInteractionId(), LFI))).toBe('400 Consent.Invalid')
  })

  test('a grant is attached to a live consent, once', async () => {
    const id = await hub.authorized()
    await grant(id, 'grant-1')
    await grant(id, 'grant-1')
    expect(await codeOf(grant(id, 'grant-2'))).toBe('400 Consent.Invalid')
    await hub.store.revoke(id, { revokedBy: 'LFI' }, LFI)
    expect(await codeOf(grant(id, 'grant-1'))).toBe('400 Consent.Invalid')
    const late = await hub.authorized()
    hub.clock.set(EXPIRES_AT)
    expect(await codeOf(grant(late, 'grant-3'))).toBe('400 Consent.Invalid')
  })
})

describe('an end', () => {
  test.for(['tpp', 'lfi-patch', 'lfi-revoke', 'operator', 'clock'] as const)('by %s ends the tokens', async (by) => {
    const id = await hub.authorized()
    await grant(id, `grant-${by}`)
    if (by === 'tpp') await hub.store.patchByTpp(id, CLIENT, { status: 'Revoked' }, TPP)
    if (by === 'lfi-patch') await hub.store.patchByLfi(id, lfiPatch({ status: 'Revoked' }), LFI)
    if (by === 'lfi-revoke') await hub.store.revoke(id, { revokedBy: 'LFI' }, LFI)
    if (by === 'operator') await hub.store.revoke(id, { revokedBy: 'LFI' }, OPERATOR)
    if (by === 'clock') {
      hub.clock.set(EXPIRES_AT)
      await hub.store.sweep(10)
    }
    expect(hub.ended).toEqual([`grant-${by}`])
    expect((await database.db('consent').where({ id }).first('grant_id')).grant_id).toBeNull()
  })

  test('revoked again stays what it was', async () => {
    const id = await hub.authorized()
    await hub.store.revoke(id, { revokedBy: 'LFI.InitiatedByUser', psuUserId: 'u-7' }, LFI)
    const before = await hub.traces(id)
    expect(before.trail.at(-1)?.['patch']).toMatchObject({ revokedByPsu: { userId: 'u-7' } })
    const again = await hub.store.revoke(id, { revokedBy: 'TPP' }, LFI)
    expect(again).toMatchObject({ changed: [], consent: { revokedBy: 'LFI.InitiatedByUser' } })
    expect(await hub.traces(id)).toEqual(before)
  })

  test('refuses every further patch, to the LFI as a broken rule and to the TPP as an invalid consent', async () => {
    const id = await hub.lodge()
    await hub.store.patchByLfi(id, lfiPatch({ status: 'Rejected', psu: psu('u-42') }), LFI)
    for (const patch of [AUTHORIZE, lfiPatch({ isLargeCorporate: true }), lfiPatch({ status: 'Rejected' })]) {
      expect(await codeOf(hub.store.patchByLfi(id, patch, LFI))).toBe('400 Consent.BusinessRuleViolation')
    }
    expect(await codeOf(hub.store.patchByTpp(id, CLIENT, { status: 'Revoked' }, TPP))).toBe('400 Consent.Invalid')
  })

  test('of a group comes to all that live in it, or to none', async () => {
    const root = await hub.authorized()
    const member = await hub.lodge({ members: { BaseConsentId: root } })
    const ended = await hub.lodge({ members: { BaseConsentId: root } })
    const stranger = await hub.authorized()
    await hub.store.patchByLfi(ended, lfiPatch({ status: 'Rejected' }), LFI)
    await grant(root, 'grant-root')

    failOnTerminal = true
    await expect(hub.store.revokeGroup(root, { revokedBy: 'LFI' }, LFI)).rejects.toThrow()
    expect(await Promise.all([root, member].map(storedStatus))).toEqual(['Authorized', 'AwaitingAuthorization'])

    failOnTerminal = false
    await hub.store.revokeGroup(root, { revokedBy: 'LFI' }, LFI)
    expect(await Promise.all([root, member, ended, stranger].map(storedStatus))).toEqual([
      'Revoked',
      'Revoked',
      'Rejected',
      'Authorized',
    ])
    expect(await codeOf(hub.store.revokeGroup(newConsentId(), { revokedBy: 'LFI' }, LFI))).toBe('400 Consent.Invalid')
  })
})

describe('the clock', () => {
  const row = (id: ConsentId) => database.db('consent').where({ id }).first()

  test('a read judges by it and writes nothing', async () => {
    const [awaiting, authorized] = [await hub.lodge(), await hub.authorized()]
    const before = await Promise.all([awaiting, authorized].map(row))
    hub.clock.set(EXPIRES_AT)
    expect(await hub.store.find(awaiting)).toMatchObject({ status: 'Rejected', rejectedFor: 'lapsed' })
    expect(await hub.store.findOwned(authorized, CLIENT)).toMatchObject({
      status: 'Expired',
      statusChangedAt: EXPIRES_AT,
    })
    expect((await hub.store.listGroup(authorized, CLIENT)).map(({ status }) => status)).toEqual(['Expired'])
    const listed = (status: string) => hub.store.listForLfi({ status, page: 1, pageSize: 10 })
    expect((await listed('Authorized')).totalRecords).toBe(0)
    expect((await listed('Expired')).rows.map(({ id }) => id)).toEqual([authorized])
    expect((await listed('Rejected')).rows.map(({ id }) => id)).toEqual([awaiting])
    expect(await Promise.all([awaiting, authorized].map(row))).toEqual(before)
  })

  test('is written down by the sweeper, once, as the hub', async () => {
    const [awaiting, authorized] = [await hub.lodge({ webhook: 'active' }), await hub.authorized({ webhook: 'active' })]
    const live = await hub.authorized({ members: { ExpirationDateTime: '2027-01-01T00:00:00Z' } })
    expect(await hub.store.sweep(10)).toBe(0)
    hub.clock.set((EXPIRES_AT + 5000) as Instant)
    expect(await hub.store.sweep(10)).toBe(2)
    expect(await hub.store.sweep(10)).toBe(0)
    expect(await Promise.all([awaiting, authorized, live].map(storedStatus))).toEqual([
      'Rejected',
      'Expired',
      'Authorized',
    ])
    const { audit, trail, outbox } = await hub.traces(authorized)
    expect(audit.at(-1)).toMatchObject({ change: 'expire', by: 'hub', from: 'Authorized', to: 'Expired' })
    expect(trail.at(-1)).toMatchObject({ change: 'expire', caller_kind: 'hub', interaction_id: null })
    expect(outbox.at(-1)).toMatchObject({ kind: 'tpp-webhook', body: { Status: 'Expired' } })
    expect((await hub.traces(awaiting)).audit.at(-1)).toMatchObject({ change: 'lapse', to: 'Rejected' })
    expect(await hub.store.find(authorized)).toMatchObject({
      statusChangedAt: EXPIRES_AT,
      updatedAt: EXPIRES_AT + 5000,
    })
  })

  test('four sweepers at once write each consent down once, in batches', async () => {
    const ids = await Promise.all(Array.from({ length: 12 }, () => hub.lodge()))
    hub.clock.set(AUTHORIZE_BY)
    expect(await hub.store.sweep(5)).toBe(5)
    const moved = await Promise.all(Array.from({ length: 4 }, () => hub.store.sweep(20)))
    expect(moved.reduce((sum, each) => sum + each, 0)).toBe(7)
    for (const id of ids) expect((await hub.traces(id)).trail).toHaveLength(2)
  })

  test('one consent that cannot be ended does not keep the others alive', async () => {
    const stuck = await hub.authorized()
    await grant(stuck, 'grant-stuck')
    const free = await hub.authorized()
    hub.clock.set(EXPIRES_AT)
    failOnTerminal = true
    await expect(hub.store.sweep(10)).rejects.toThrow(AggregateError)
    expect(await Promise.all([stuck, free].map(storedStatus))).toEqual(['Authorized', 'Expired'])
    failOnTerminal = false
    expect(await hub.store.sweep(10)).toBe(1)
  })

  test('passes over a consent that somebody is changing', async () => {
    const id = await hub.lodge()
    hub.clock.set(AUTHORIZE_BY)
    await inTransaction(database.db, async (tx) => {
      await tx('consent').where({ id }).forUpdate().first('id')
      expect(await hub.store.sweep(10)).toBe(0)
    })
    expect(await hub.store.sweep(10)).toBe(1)
  })
})

describe('isolation', () => {
  test('another client sees nothing, changes nothing and cannot tell a foreign consent from none', async () => {
    const root = await hub.authorized()
    await hub.lodge({ members: { BaseConsentId: root } })
    const before = await hub.traces(root)
    for (const id of [root, newConsentId()]) {
      expect(await hub.store.findOwned(id, OTHER_CLIENT)).toBeNull()
      expect(await hub.store.listGroup(id, OTHER_CLIENT)).toEqual([])
      const answers = [{ status: 'Revoked' }, { subscription: { Webhook: { Url: WEBHOOK, IsActive: true } } }] as const
      for (const patch of answers) {
        const work = hub.store.patchByTpp(id, OTHER_CLIENT, patch, TPP)
        await expect(work).rejects.toMatchObject({ code: 'Consent.Invalid', reason: 'There is no such consent' })
      }
    }
    expect(await hub.traces(root)).toEqual(before)
  })

  test('a foreign consent that names my base consent is in the group of the LFI, not in mine', async () => {
    const root = await hub.lodge()
    const foreign = await hub.lodge({ clientId: OTHER_CLIENT, members: { BaseConsentId: root } })
    const mine = await hub.lodge({ members: { BaseConsentId: root } })
    const ids = (consents: readonly { id: ConsentId }[]) => consents.map(({ id }) => id).sort()
    expect(ids(await hub.store.listGroup(root, CLIENT))).toEqual([root, mine].sort())
    expect(ids(await hub.store.listGroup(root, OTHER_CLIENT))).toEqual([foreign])
    const { rows } = await hub.store.listForLfi({ groupId: root, page: 1, pageSize: 10 })
    expect(ids(rows)).toEqual([root, foreign, mine].sort())
  })
})

describe('lists for the LFI', () => {
  test('by user, account, group, type and status, page by page', async () => {
    const first = await hub.authorized()
    hub.clock.advance(1000)
    const second = await hub.lodge()
    await hub.store.patchByLfi(
      second,
      { ...AUTHORIZE, psu: psu('u-2'), accountIds: [account('acc-1'), account('acc-2')] },
      LFI,
    )
    hub.clock.advance(1000)
    const third = await hub.lodge({ members: { BaseConsentId: first } })
    const list = async (filter: object) => {
      const { rows, totalRecords } = await hub.store.listForLfi({ page: 1, pageSize: 10, ...filter })
      expect(totalRecords).toBe(rows.length)
      return rows.map(({ id }) => id)
    }
    expect(await list({})).toEqual([third, second, first])
    expect(await list({ psuUserId: 'u-2' })).toEqual([second])
    expect(await list({ psuUserId: 'u-%' })).toEqual([])
    expect(await list({ accountId: 'acc-1' })).toEqual([second, first])
    expect(await list({ accountId: 'acc-2' })).toEqual([second])
    expect(await list({ accountId: 'acc' })).toEqual([])
    expect(await list({ groupId: first })).toEqual([third, first])
    expect(await list({ status: 'AwaitingAuthorization' })).toEqual([third])
    expect(await list({ status: 'Unheard' })).toEqual([])
    expect(await list({ consentType: 'account-access' })).toHaveLength(3)
    expect(await list({ consentType: 'insurance' })).toEqual([])
    expect(await list({ updatedAfter: NOW + 1 })).toEqual([second, third])
    expect(await list({ updatedAfter: hub.clock.now() })).toEqual([])
    const page = await hub.store.listForLfi({ page: 2, pageSize: 2 })
    expect(page).toMatchObject({ totalRecords: 3, rows: [{ id: first }] })
    expect(await hub.store.listForLfi({ page: 9, pageSize: 2 })).toEqual({ rows: [], totalRecords: 3 })
  })
})

test('the trail tells who changed what, oldest first', async () => {
  const id = await hub.authorized()
  hub.clock.advance(1000)
  await hub.store.patchByTpp(id, CLIENT, { subscription: { Webhook: { Url: WEBHOOK, IsActive: true } } }, TPP)
  await hub.store.patchByTpp(id, CLIENT, { status: 'Revoked', revokedBy: 'TPP.InitiatedByUser' }, TPP)
  const trail = await hub.store.trail(id)
  expect(trail.map(({ operation, change, from, to, caller }) => [operation, change, from, to, caller.by])).toEqual([
    ['create', 'lodged', null, 'AwaitingAuthorization', 'tpp'],
    ['patch', 'authorize', 'AwaitingAuthorization', 'Authorized', 'lfi'],
    ['patch', 'subscription', 'Authorized', 'Authorized', 'tpp'],
    ['patch', 'revoke', 'Authorized', 'Revoked', 'tpp'],
  ])
  expect(trail[3]).toMatchObject({
    caller: TPP,
    patch: { status: 'Revoked', 'consentBody.Data.RevokedBy': 'TPP.InitiatedByUser' },
  })
  expect(await hub.store.trail(newConsentId())).toEqual([])
})

test('usage is noted once a minute and is no change of the consent', async () => {
  const id = await hub.authorized()
  const before = { ...(await hub.store.find(id)), lastDataSharedAt: null }
  const used = async (at: number) => {
    await hub.store.touchUsage(id, at as Instant)
    const consent = await hub.store.find(id)
    expect({ ...consent, lastDataSharedAt: null }).toEqual(before)
    return consent?.lastDataSharedAt
  }
  expect(await used(NOW)).toBe(NOW)
  expect(await used(NOW + 59_999)).toBe(NOW)
  expect(await used(NOW + 60_000)).toBe(NOW + 60_000)
  // Another process that does not remember what this one has written.
  const other = testStore(database.db)
  await other.store.touchUsage(id, (NOW + 100_000) as Instant)
  await other.close()
  expect((await hub.store.find(id))?.lastDataSharedAt).toBe(NOW + 60_000)
  expect((await hub.traces(id)).trail).toHaveLength(2)
})

describe('the database refuses, whoever writes', () => {
  const update = (id: ConsentId, columns: object) => database.db('consent').where({ id }).update(columns)

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
    const id = await hub.authorized()
    await expect(update(id, columns)).rejects.toThrow()
    expect((await hub.store.find(id))?.status).toBe('Authorized')
  })

  test('a terminal consent that lives again', async () => {
    const id = await hub.authorized()
    await hub.store.revoke(id, { revokedBy: 'LFI' }, LFI)
    await expect(update(id, { status: 'Authorized', revoked_by: null, revision: 4 })).rejects.toThrow('terminal')
  })

  test('a trail that is rewritten', async () => {
    const id = await hub.authorized()
    const rows = () => database.db('consent_trail').where('consent_id', id)
    await expect(rows().update({ change: 'revoke' })).rejects.toThrow('only ever added to')
    await expect(rows().delete()).rejects.toThrow('only ever added to')
  })
})

test('a usage time is read back as it was written', async () => {
  const id = await hub.authorized()
  const at = toInstant('2026-02-03T04:05:06.789+04:00')
  await hub.store.patchByLfi(id, lfiPatch({ lastDataSharedAt: at }), LFI)
  expect((await hub.store.find(id))?.lastDataSharedAt).toBe(at)
})
