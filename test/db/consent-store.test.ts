import { describe, expect, test, vi } from 'vitest'
import type { Instant } from '../../src/clock.ts'
import { CONSENT_CHANNEL } from '../../src/consent-store/index.ts'
import { inTransaction } from '../../src/db.ts'
import type { ConsentId } from '../../src/ids.ts'
import { codeOf, storeForEachTest } from '../unit/consent-store/fixture.ts'
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
  ORGANISATION,
  OTHER_CLIENT,
  psu,
  TPP,
  testStore,
  WEBHOOK,
} from '../unit/consent-store/support.ts'

const given = storeForEachTest()

describe('lodging', () => {
  test('records what was asked for', async () => {
    const id = await given.hub.lodge({ webhook: 'active', members: { BaseConsentId: newConsentId() } })
    const consent = await given.hub.store.find(id)
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
    const id = await given.hub.lodge({ webhook: 'active' })
    const { audit, trail, outbox } = await given.hub.traces(id)
    expect(audit).toMatchObject([
      {
        ...{
          kind: 'consent-changed',
          change: 'lodged',
          from: null,
          to: 'AwaitingAuthorization',
          revision: 1,
          by: 'tpp',
        },
        ...{ organisationId: ORGANISATION, clientId: CLIENT, consentType: 'account-access', standardVersion: 'v2.1' },
        ...{ userType: 'Retail', purpose: 'AccountAggregation', isLargeCorporate: null, isRenewal: false },
        revokedBy: null,
      },
    ])
    expect(trail).toMatchObject([
      { change: 'lodged', status_from: null, status_to: 'AwaitingAuthorization', revision: 1 },
    ])
    expect(outbox).toMatchObject([{ kind: 'lfi-event', event: 'post', revision: 1, url: null, body: null }])
  })

  test('of four at once with one id, one is lodged', async () => {
    const id = newConsentId()
    const lodge = (day: number) =>
      inTransaction(given.db, (tx) => {
        const members = { ConsentId: id, FromDate: `2026-01-0${day}` }
        return given.hub.store.lodge(tx, lodgeAsk(id, { members }), TPP)
      })
    const answers = await Promise.all([lodge(1), lodge(2), lodge(3), lodge(4)])
    expect(answers.toSorted()).toEqual(['duplicate', 'duplicate', 'duplicate', 'lodged'])
    expect((await given.hub.traces(id)).audit).toHaveLength(1)
  })

  test('of four at once that are the same, one is lodged and three repeat it', async () => {
    const id = newConsentId()
    const lodge = () => inTransaction(given.db, (tx) => given.hub.store.lodge(tx, lodgeAsk(id), TPP))
    const answers = await Promise.all([lodge(), lodge(), lodge(), lodge()])
    expect(answers.toSorted()).toEqual(['lodged', 'repeated', 'repeated', 'repeated'])
    expect((await given.hub.traces(id)).audit).toHaveLength(1)
  })

  test('nothing is repeated once a journey has begun, or the time for it has run out', async () => {
    const [begun, late] = [await given.hub.lodge(), await given.hub.lodge()]
    await given.hub.store.linkInteraction(begun, newInteractionId(), LFI)
    const again = (id: ConsentId) => inTransaction(given.db, (tx) => given.hub.store.lodge(tx, lodgeAsk(id), TPP))
    expect(await again(begun)).toBe('duplicate')
    expect(await again(late)).toBe('repeated')
    given.hub.clock.set(AUTHORIZE_BY)
    expect(await again(late)).toBe('duplicate')
  })

  test('an id is taken for other clients too, and in other letters', async () => {
    const id = await given.hub.lodge()
    const again = (other: ConsentId) =>
      inTransaction(given.db, (tx) => given.hub.store.lodge(tx, lodgeAsk(other, { clientId: OTHER_CLIENT }), TPP))
    expect(await again(id)).toBe('duplicate')
    expect(await again(id.toUpperCase() as ConsentId)).toBe('duplicate')
    expect(await given.hub.store.findOwned(id, OTHER_CLIENT)).toBeNull()
  })

  test('in a transaction that fails, nothing is left', async () => {
    const id = newConsentId()
    const work = inTransaction(given.db, async (tx) => {
      await given.hub.store.lodge(tx, lodgeAsk(id), TPP)
      throw new Error('the rest of PAR failed')
    })
    await expect(work).rejects.toThrow('the rest of PAR failed')
    expect(await given.hub.store.find(id)).toBeNull()
    expect(await given.hub.traces(id)).toEqual({ audit: [], trail: [], outbox: [] })
  })

  test('a consent of a type that is not offered is a fault', async () => {
    const ask = { ...lodgeAsk(newConsentId()), rarType: 'urn:openfinanceuae:insurance-consent:v2.1' }
    await expect(inTransaction(given.db, (tx) => given.hub.store.lodge(tx, ask, TPP))).rejects.toThrow()
  })

  test('a later request_uri takes the place of the earlier one, until a journey begins', async () => {
    const id = await given.hub.lodge()
    const attach = (uri: string) => inTransaction(given.db, (tx) => given.hub.store.attachPar(tx, id, uri))
    expect(await attach('urn:ietf:params:oauth:request_uri:a')).toBeNull()
    expect(await attach('urn:ietf:params:oauth:request_uri:b')).toBe('urn:ietf:params:oauth:request_uri:a')
    await given.hub.store.linkInteraction(id, newInteractionId(), LFI)
    await expect(attach('urn:ietf:params:oauth:request_uri:c')).rejects.toThrow()
    expect((await given.hub.store.find(id))?.parId).toBe('urn:ietf:params:oauth:request_uri:b')
  })
})

describe('a move', () => {
  test('leaves an audit entry, a trail row, an event, and a webhook where one is wanted', async () => {
    const id = await given.hub.authorized({ webhook: 'active' })
    const { audit, trail, outbox } = await given.hub.traces(id)
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
      consentType: 'account-access',
    })
    expect(trail[1]).toMatchObject({ change: 'authorize', revision: 2, caller_kind: 'lfi' })
    expect(outbox.slice(1)).toMatchObject([
      { kind: 'lfi-event', event: 'patch', revision: 2 },
      { kind: 'tpp-webhook', event: 'Resource.Updated', revision: 2, url: WEBHOOK, body: { Status: 'Authorized' } },
    ])
  })

  test('tells no user or account to the TPP, and no value to the audit log', async () => {
    const id = await given.hub.lodge({ webhook: 'active' })
    const patch = {
      ...AUTHORIZE,
      psu: { userId: 'u-42', name: 'Mariam' },
      supplementaryInformation: { note: 'private' },
    }
    await given.hub.store.patchByLfi(id, patch, LFI)
    const { audit, trail, outbox } = await given.hub.traces(id)
    expect(JSON.stringify(outbox)).not.toMatch(/u-42|acc-1|Mariam|private/)
    expect(JSON.stringify(audit)).not.toMatch(/u-42|acc-1|Mariam|private/)
    expect(JSON.stringify(trail)).not.toMatch(/Mariam|private/)
    expect(trail[1]?.['patch']).toMatchObject({ psuIdentifiers: { userId: 'u-42' }, accountIds: ['acc-1'] })
  })

  test('sends no webhook without an active subscription, and none for a change that is no change of status', async () => {
    for (const webhook of [undefined, 'inactive', 'active'] as const) {
      const id = await given.hub.lodge(webhook === undefined ? {} : { webhook })
      await given.hub.store.patchByLfi(id, lfiPatch({ isLargeCorporate: true }), LFI)
      await given.hub.store.patchByLfi(id, AUTHORIZE, LFI)
      const webhooks = (await given.hub.traces(id)).outbox.filter(({ kind }) => kind === 'tpp-webhook')
      expect(webhooks.map(({ revision }) => revision)).toEqual(webhook === 'active' ? [3] : [])
    }
  })

  test('that is refused leaves nothing', async () => {
    const id = await given.hub.authorized()
    const before = await given.hub.traces(id)
    expect(await codeOf(given.hub.store.patchByLfi(id, lfiPatch({ status: 'Rejected' }), LFI))).toBe(
      '400 Consent.BusinessRuleViolation',
    )
    expect(await given.hub.traces(id)).toEqual(before)
    expect((await given.hub.store.find(id))?.revision).toBe(2)
  })

  test('that fails at its last step is undone in every place', async () => {
    const id = await given.hub.authorized({ webhook: 'active' })
    await given.grant(id, 'grant-1')
    const before = await given.hub.traces(id)
    given.failOnTerminal = true
    await expect(given.hub.store.revoke(id, { revokedBy: 'LFI' }, LFI)).rejects.toThrow('the tokens could not be ended')
    expect(await given.hub.traces(id)).toEqual(before)
    expect(await given.hub.store.find(id)).toMatchObject({ status: 'Authorized', grantId: 'grant-1', revision: 2 })
  })

  test('that changes nothing is done and leaves nothing', async () => {
    const id = await given.hub.authorized()
    const before = await given.hub.traces(id)
    const outcome = await given.hub.store.patchByLfi(id, AUTHORIZE, LFI)
    expect(outcome.changed).toEqual([])
    expect(await given.hub.traces(id)).toEqual(before)
  })

  test('is announced once it is committed', async () => {
    const id = await given.hub.lodge()
    const connection = await given.db.client.acquireConnection()
    const heard: string[] = []
    connection.on('notification', (message: { channel: string; payload: string }) => heard.push(message.payload))
    await connection.query(`listen ${CONSENT_CHANNEL}`)
    await given.hub.store.patchByLfi(id, AUTHORIZE, LFI)
    await expect(given.hub.store.patchByLfi(id, lfiPatch({ status: 'Rejected' }), LFI)).rejects.toThrow()
    await given.hub.store.revoke(id, { revokedBy: 'LFI' }, LFI)
    await vi.waitFor(() => expect(heard).toEqual([id, id]))
    await connection.query('unlisten *')
    connection.removeAllListeners('notification')
    await given.db.client.releaseConnection(connection)
  })

  test('counts one revision, and is later than the last one whatever the clock says', async () => {
    const id = await given.hub.lodge()
    given.hub.clock.advance(-60_000)
    const { consent } = await given.hub.store.patchByLfi(id, AUTHORIZE, LFI)
    expect(consent.revision).toBe(2)
    expect(consent.updatedAt).toBe(NOW + 1)
    const { rows } = await given.hub.store.listForLfi({ updatedAfter: NOW, page: 1, pageSize: 10 })
    expect(rows.map((row) => row.id)).toEqual([id])
  })
})

describe('the journey', () => {
  test('the latest getAuth wins', async () => {
    const id = await given.hub.lodge()
    const [first, second] = [newInteractionId(), newInteractionId()]
    await given.hub.store.linkInteraction(id, first, LFI)
    await given.hub.store.linkInteraction(id, second, LFI)
    expect(await given.hub.store.byInteraction(first)).toBeNull()
    expect((await given.hub.store.byInteraction(second))?.id).toBe(id)
    const { audit, outbox } = await given.hub.traces(id)
    expect(audit.map((entry) => entry['change'])).toEqual(['lodged', 'linked', 'linked'])
    expect(outbox).toHaveLength(1)
  })

  test('only an awaiting consent is linked', async () => {
    const id = await given.hub.authorized()
    expect(await codeOf(given.hub.store.linkInteraction(id, newInteractionId(), LFI))).toBe(
      '400 Consent.BusinessRuleViolation',
    )
    expect(await codeOf(given.hub.store.linkInteraction(newConsentId(), newInteractionId(), LFI))).toBe(
      '400 Consent.Invalid',
    )
  })

  test('a grant is attached to a live consent, once', async () => {
    const id = await given.hub.authorized()
    await given.grant(id, 'grant-1')
    await given.grant(id, 'grant-1')
    expect(await codeOf(given.grant(id, 'grant-2'))).toBe('400 Consent.Invalid')
    await given.hub.store.revoke(id, { revokedBy: 'LFI' }, LFI)
    expect(await codeOf(given.grant(id, 'grant-1'))).toBe('400 Consent.Invalid')
    const late = await given.hub.authorized()
    given.hub.clock.set(EXPIRES_AT)
    expect(await codeOf(given.grant(late, 'grant-3'))).toBe('400 Consent.Invalid')
  })
})

describe('isolation', () => {
  test('another client sees nothing, changes nothing and cannot tell a foreign consent from none', async () => {
    const root = await given.hub.authorized()
    await given.hub.lodge({ members: { BaseConsentId: root } })
    const before = await given.hub.traces(root)
    for (const id of [root, newConsentId()]) {
      expect(await given.hub.store.findOwned(id, OTHER_CLIENT)).toBeNull()
      expect(await given.hub.store.listGroup(id, OTHER_CLIENT)).toEqual([])
      const answers = [{ status: 'Revoked' }, { subscription: { Webhook: { Url: WEBHOOK, IsActive: true } } }] as const
      for (const patch of answers) {
        const work = given.hub.store.patchByTpp(id, OTHER_CLIENT, patch, TPP)
        await expect(work).rejects.toMatchObject({ code: 'Consent.Invalid', reason: 'There is no such consent' })
      }
    }
    expect(await given.hub.traces(root)).toEqual(before)
  })

  test('a foreign consent that names my base consent is in the group of the LFI, not in mine', async () => {
    const root = await given.hub.lodge()
    const foreign = await given.hub.lodge({ clientId: OTHER_CLIENT, members: { BaseConsentId: root } })
    const mine = await given.hub.lodge({ members: { BaseConsentId: root } })
    const ids = (consents: readonly { id: ConsentId }[]) => consents.map(({ id }) => id).sort()
    expect(ids(await given.hub.store.listGroup(root, CLIENT))).toEqual([root, mine].sort())
    expect(ids(await given.hub.store.listGroup(root, OTHER_CLIENT))).toEqual([foreign])
    const { rows } = await given.hub.store.listForLfi({ groupId: root, page: 1, pageSize: 10 })
    expect(ids(rows)).toEqual([root, foreign, mine].sort())
  })
})

describe('lists for the LFI', () => {
  test('by user, account, group, type and status, page by page', async () => {
    const first = await given.hub.authorized()
    given.hub.clock.advance(1000)
    const second = await given.hub.lodge()
    await given.hub.store.patchByLfi(
      second,
      { ...AUTHORIZE, psu: psu('u-2'), accountIds: [account('acc-1'), account('acc-2')] },
      LFI,
    )
    given.hub.clock.advance(1000)
    const third = await given.hub.lodge({ members: { BaseConsentId: first } })
    const list = async (filter: object) => {
      const { rows, totalRecords } = await given.hub.store.listForLfi({ page: 1, pageSize: 10, ...filter })
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
    expect(await list({ updatedAfter: given.hub.clock.now() })).toEqual([])
    const page = await given.hub.store.listForLfi({ page: 2, pageSize: 2 })
    expect(page).toMatchObject({ totalRecords: 3, rows: [{ id: first }] })
    expect(await given.hub.store.listForLfi({ page: 9, pageSize: 2 })).toEqual({ rows: [], totalRecords: 3 })
  })
})

test('the trail tells who changed what, oldest first', async () => {
  const id = await given.hub.authorized()
  given.hub.clock.advance(1000)
  await given.hub.store.patchByTpp(id, CLIENT, { subscription: { Webhook: { Url: WEBHOOK, IsActive: true } } }, TPP)
  await given.hub.store.patchByTpp(id, CLIENT, { status: 'Revoked', revokedBy: 'TPP.InitiatedByUser' }, TPP)
  const trail = await given.hub.store.trail(id)
  expect(trail.map(({ operation, change, from, to, caller }) => [operation, change, from, to, caller.by])).toEqual([
    ['create', 'lodged', null, 'AwaitingAuthorization', 'tpp'],
    ['patch', 'authorize', 'AwaitingAuthorization', 'Authorized', 'lfi'],
    ['patch', 'subscription', 'Authorized', 'Authorized', 'tpp'],
    ['patch', 'revoke', 'Authorized', 'Revoked', 'tpp'],
  ])
  const { audit } = await given.hub.traces(id)
  expect(audit.map((entry) => entry['revokedBy'])).toEqual([null, null, null, 'TPP.InitiatedByUser'])
  expect(trail[3]).toMatchObject({
    caller: TPP,
    patch: { status: 'Revoked', 'consentBody.Data.RevokedBy': 'TPP.InitiatedByUser' },
  })
  expect(await given.hub.store.trail(newConsentId())).toEqual([])
})

test('usage is noted once a minute and is no change of the consent', async () => {
  const id = await given.hub.authorized()
  const before = { ...(await given.hub.store.find(id)), lastDataSharedAt: null }
  const used = async (at: number) => {
    await given.hub.store.touchUsage(id, at as Instant)
    const consent = await given.hub.store.find(id)
    expect({ ...consent, lastDataSharedAt: null }).toEqual(before)
    return consent?.lastDataSharedAt
  }
  expect(await used(NOW)).toBe(NOW)
  expect(await used(NOW + 59_999)).toBe(NOW)
  expect(await used(NOW + 60_000)).toBe(NOW + 60_000)
  // Another process that does not remember what this one has written.
  const other = testStore(given.db)
  await other.store.touchUsage(id, (NOW + 100_000) as Instant)
  await other.close()
  expect((await given.hub.store.find(id))?.lastDataSharedAt).toBe(NOW + 60_000)
  expect((await given.hub.traces(id)).trail).toHaveLength(2)
})
