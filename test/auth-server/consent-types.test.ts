/** Payment and insurance consents from the push to their end, over every door that they pass. */
import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { outcomeOf } from './support/bank.ts'
import { compact, type Json, readVerified } from './support/jws.ts'
import { forInsurance, forPayment, INSURANCE, JWE, SERVICE_INITIATION } from './support/payment-cases.ts'
import { detailOf, now, type Push, send } from './support/tpp.ts'
import type { Answer } from './support/wire.ts'
import { startWorld, type World } from './support/world.ts'

const BOOT_MS = 180_000
const PAYMENTS = '/open-finance/payment/v2.1/payment-consents'
const INSURANCES = '/open-finance/insurance/v2.1/insurance-consents'

let world: World
let account: string
beforeAll(async () => {
  world = await startWorld()
  const { consentId } = (await world.tokens()).journey
  account = String((recordOf(await world.bank.consent(consentId))['accountIds'] as string[])[0])
}, BOOT_MS)
afterAll(() => world.close(), BOOT_MS)

const recordOf = (answer: Answer): Json => answer.json['data'] as Json
const lfiPatch = (consentId: string, members: Json) =>
  world.bank.call(`${world.doors.cm}/consents/${consentId}`, {
    method: 'PATCH',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ authorizationChannel: 'Web', ...members }),
  })
const psuIdentifiers = () => ({ userId: world.userId })

async function tokenOf(push: Push, interactionId: string): Promise<Answer> {
  const outcome = outcomeOf(await world.bank.doConfirm(interactionId))
  const code = outcome.query.get('code')
  if (code === null) throw new Error(`doConfirm: ${outcome.status} ${outcome.location}`)
  return send(world.tpp.exchange(code, push.verifier))
}
const consentIn = (answer: Answer): Json =>
  ((answer.json['authorization_details'] as readonly Json[])[0]?.['consent'] ?? {}) as Json

async function clientToken(scope: string): Promise<string> {
  const answer = await send(world.tpp.clientCredentials(scope))
  expect([answer.status, answer.json['scope']]).toEqual([200, scope])
  return String(answer.json['access_token'])
}

type Options = { readonly method?: string; readonly body?: string; readonly type?: string; readonly accept?: string }
const call = (token: string, path: string, { method = 'GET', body, type, accept }: Options = {}) =>
  world.tpp.wire.send(`${world.server.rs}${path}`, {
    method,
    headers: {
      authorization: `Bearer ${token}`,
      ...(accept === undefined ? {} : { accept }),
      ...(type === undefined ? {} : { 'content-type': type }),
    },
    ...(body === undefined ? {} : { body }),
  })

/** The message of an answer that the hub signed with a key that it publishes. */
function messageOf(answer: Answer): unknown {
  expect(answer.headers['content-type']).toBe('application/jwt')
  const { kid } = JSON.parse(Buffer.from(answer.text.split('.')[0] ?? '', 'base64url').toString()) as { kid: string }
  const key = world.hubKeys.find((each) => each.kid === kid)
  const read = key === undefined ? null : readVerified(answer.text, key)
  if (read === null) throw new Error('the answer is not signed with a published key')
  expect(read.claims).toMatchObject({ iss: world.server.issuer, aud: [world.tpp.clientId] })
  return read.claims['message']
}
const signed = (message: Json): string => {
  const at = now()
  const claims = { iss: world.tpp.clientId, aud: world.server.issuer, iat: at, nbf: at, exp: at + 60, message }
  return compact({ header: { alg: 'PS256', kid: world.tpp.kid }, claims, key: world.tpp.key })
}

const single =
  (members: Json = {}) =>
  (push: Push) =>
    forPayment(push, 'SingleInstantPayment', members)

describe('a payment consent', () => {
  test('is shown to the LFI whole, and to the TPP without what is personal', async () => {
    const { push, requestUri } = await world.lodge(world.tpp, single())
    const begun = await world.bank.getAuth({ client_id: world.tpp.clientId, request_uri: requestUri })
    expect(begun.status).toBe(200)
    const interaction = begun.json['interaction'] as Json
    expect(interaction).toMatchObject({
      consentIdsList: [push.consentId],
      params: { scopes: ['openid', 'payments'], authorization_details: [detailOf(push)] },
    })
    expect(
      (
        await lfiPatch(push.consentId, {
          status: 'Authorized',
          psuIdentifiers: psuIdentifiers(),
          accountIds: [account],
        })
      ).status,
    ).toBe(204)
    const answer = await tokenOf(push, String(interaction['interactionId']))
    expect([answer.status, answer.json['scope']]).toEqual([
      200,
      expect.toBeOneOf(['openid payments', 'payments openid']),
    ])
    const { PersonalIdentifiableInformation: _, ...pushed } = detailOf(push).consent
    const view = {
      Data: {
        ...pushed,
        Status: 'Authorized',
        CreationDateTime: expect.any(String),
        StatusUpdateDateTime: expect.any(String),
      },
      Links: { Self: `${world.server.rs}${PAYMENTS}/${push.consentId}`, Related: [] },
      Meta: {},
    }
    expect(answer.json['authorization_details']).toEqual([{ type: SERVICE_INITIATION, consent: view }])
    expect(answer.text).not.toContain(JWE)

    const token = await clientToken('payments')
    const shown = await call(token, `${PAYMENTS}/${push.consentId}`)
    expect([shown.status, messageOf(shown)]).toEqual([200, view])
    const listed = await call(token, `${PAYMENTS}?baseConsentId=${push.consentId}`)
    expect([listed.status, messageOf(listed)]).toEqual([200, [view]])
    // It opens no account: it holds no such permission, and its token not the scope.
    const refused = await world.tpp.read(String(answer.json['access_token']))
    expect([refused.status, (refused.json['Errors'] as Json[])[0]?.['Code']]).toEqual([403, 'AccessToken.InvalidScope'])
  })

  test('opens the accounts that it holds permissions for', async () => {
    const { push, interactionId } = await world.begin(world.tpp, (each) => {
      single({ Permissions: ['ReadAccountsBasic', 'ReadBalances'] })(each)
      each.request.claims['scope'] = 'openid accounts payments'
    })
    await lfiPatch(push.consentId, { status: 'Authorized', psuIdentifiers: psuIdentifiers(), accountIds: [account] })
    const token = String((await tokenOf(push, interactionId)).json['access_token'])
    const accounts = await world.tpp.read(token)
    expect(accounts.status).toBe(200)
    expect(((accounts.json['Data'] as Json)['Account'] as Json[]).map((each) => each['AccountId'])).toEqual([account])
    expect((await world.tpp.read(token, `/accounts/${account}`)).status).toBe(200)
    expect((await world.tpp.read(token, `/accounts/${account}/balances`)).status).toBe(200)
    const transactions = await world.tpp.read(token, `/accounts/${account}/transactions`)
    expect([transactions.status, (transactions.json['Errors'] as Json[])[0]?.['Code']]).toEqual([
      400,
      'Consent.Invalid',
    ])
    expect((await world.tpp.read(token, '/accounts/somebody-elses')).status).toBe(403)

    const without = await world.begin(world.tpp, (each) => {
      single({ Permissions: ['ReadAccountsBasic'] })(each)
      each.request.claims['scope'] = 'openid accounts payments'
    })
    await lfiPatch(without.push.consentId, {
      status: 'Authorized',
      psuIdentifiers: psuIdentifiers(),
      accountIds: [account],
    })
    const less = String((await tokenOf(without.push, without.interactionId)).json['access_token'])
    const balances = await world.tpp.read(less, `/accounts/${account}/balances`)
    expect([balances.status, (balances.json['Errors'] as Json[])[0]?.['Code']]).toEqual([
      403,
      'AccessToken.InvalidScope',
    ])
  })

  test('is ended by its TPP with a signed message only', async () => {
    const { push } = await world.lodge(world.tpp, single())
    const token = await clientToken('payments')
    const path = `${PAYMENTS}/${push.consentId}`
    const revoke = { Data: { Status: 'Revoked', RevokedBy: 'TPP.InitiatedByUser' } }
    const plain = await call(token, path, {
      method: 'PATCH',
      body: JSON.stringify(revoke),
      type: 'application/json',
    })
    expect([plain.status, plain.text]).toEqual([415, ''])
    expect((await call(token, path, { accept: 'application/json' })).status).toBe(406)
    const byLfi = signed({ Data: { Status: 'Revoked', RevokedBy: 'LFI' } })
    const refused = await call(token, path, { method: 'PATCH', body: byLfi, type: 'application/jwt' })
    expect(refused.status).toBe(400)
    expect(messageOf(refused)).toMatchObject({ Errors: [{ Code: 'Body.InvalidFormat', Path: 'Data.RevokedBy' }] })
    const done = await call(token, path, { method: 'PATCH', body: signed(revoke), type: 'application/jwt' })
    expect([done.status, done.text]).toEqual([204, ''])
    expect(recordOf(await world.bank.consent(push.consentId))).toMatchObject({
      status: 'Revoked',
      consentBody: { Data: { RevokedBy: 'TPP.InitiatedByUser' } },
    })
    const again = await call(token, path, { method: 'PATCH', body: signed(revoke), type: 'application/jwt' })
    expect([again.status, messageOf(again)]).toMatchObject([400, { Errors: [{ Code: 'Consent.Invalid' }] }])
  })

  test('moves its events, half a subscription at a time', async () => {
    const { push } = await world.lodge(world.tpp, single())
    const token = await clientToken('payments')
    const path = `${PAYMENTS}/${push.consentId}`
    const patch = (Webhook: Json) =>
      call(token, path, { method: 'PATCH', body: signed({ Subscription: { Webhook } }), type: 'application/jwt' })
    const Url = `${world.manifest.edge}webhooks`
    const half = await patch({ IsActive: true })
    expect([half.status, messageOf(half)]).toMatchObject([
      400,
      { Errors: [{ Code: 'Body.InvalidFormat', Path: 'Subscription.Webhook.Url' }] },
    ])
    expect((await patch({ Url: 'https://stranger.example/' })).status).toBe(400)
    expect((await patch({ Url, IsActive: true })).status).toBe(204)
    expect((await patch({ IsActive: false })).status).toBe(204)
    expect(messageOf(await call(token, path))).toMatchObject({ Subscription: { Webhook: { Url, IsActive: false } } })
  })

  test('is not there for others, and not under other families', async () => {
    const { push: foreign } = await world.lodge(world.second)
    const { push } = await world.lodge(world.tpp, single())
    const payments = await clientToken('payments')
    const accounts = await clientToken('accounts')
    for (const id of [randomUUID(), foreign.consentId]) {
      expect((await call(payments, `${PAYMENTS}/${id}`)).status).toBe(404)
      const body = signed({ Data: { Status: 'Revoked' } })
      const patched = await call(payments, `${PAYMENTS}/${id}`, { method: 'PATCH', body, type: 'application/jwt' })
      expect([patched.status, messageOf(patched)]).toMatchObject([400, { Errors: [{ Code: 'Consent.Invalid' }] }])
    }
    const other = await call(
      accounts,
      `/open-finance/account-information/v2.1/account-access-consents/${push.consentId}`,
    )
    expect([other.status, (other.json['Errors'] as Json[])[0]?.['Code']]).toEqual([400, 'Consent.Invalid'])
    const scope = await call(accounts, `${PAYMENTS}/${push.consentId}`)
    expect([scope.status, messageOf(scope)]).toMatchObject([403, { Errors: [{ Code: 'AccessToken.InvalidScope' }] }])
    const nameless = await call(payments, PAYMENTS)
    expect([nameless.status, messageOf(nameless)]).toMatchObject([
      400,
      { Errors: [{ Code: 'Resource.InvalidFormat' }] },
    ])
  })
})

describe('a consent that several must authorize', () => {
  const several = (push: Push) => {
    single({ IsSingleAuthorization: false, Permissions: ['ReadAccountsBasic'] })(push)
    push.request.claims['scope'] = 'openid accounts payments'
  }
  const authorizers = (...statuses: readonly string[]): Json => ({
    TotalRequired: 2,
    Authorizations: statuses.map((AuthorizationStatus, at) => ({
      AuthorizerId: `a${at}`,
      AuthorizerType: 'Financial',
      AuthorizationStatus,
    })),
  })
  const decide = (consentId: string, ...statuses: readonly string[]) =>
    lfiPatch(consentId, {
      psuIdentifiers: psuIdentifiers(),
      accountIds: [account],
      'consentBody.Meta.MultipleAuthorizers': authorizers(...statuses),
    })

  test('gives a code and tokens to the first, and opens when all have agreed', async () => {
    const { push, interactionId } = await world.begin(world.tpp, several)
    expect((await decide(push.consentId, 'Approved', 'Pending')).status).toBe(204)
    expect(recordOf(await world.bank.consent(push.consentId))).toMatchObject({
      status: 'AwaitingAuthorization',
      consentBody: { Meta: authorizers('Approved', 'Pending') },
    })
    const answer = await tokenOf(push, interactionId)
    expect([answer.status, consentIn(answer)]).toMatchObject([
      200,
      {
        Data: { Status: 'AwaitingAuthorization' },
        Meta: { MultipleAuthorizers: authorizers('Approved', 'Pending') },
      },
    ])
    const refused = await world.tpp.read(String(answer.json['access_token']))
    expect([refused.status, (refused.json['Errors'] as Json[])[0]]).toMatchObject([
      400,
      { Code: 'Consent.Invalid', Message: 'The consent awaits authorization' },
    ])
    const refresh = () => send(world.tpp.refresh(String(answer.json['refresh_token'])))
    expect(consentIn(await refresh())).toMatchObject({ Data: { Status: 'AwaitingAuthorization' } })

    const early = await lfiPatch(push.consentId, { status: 'Authorized' })
    expect([early.status, early.json['errorCode']]).toEqual([400, 'Consent.BusinessRuleViolation'])
    expect((await decide(push.consentId, 'Approved', 'Approved')).status).toBe(204)
    const refreshed = await refresh()
    expect(consentIn(refreshed)).toMatchObject({ Data: { Status: 'Authorized' } })
    expect((await world.tpp.read(String(refreshed.json['access_token']))).status).toBe(200)
    // A token from before opens it as well now: it is the consent that is asked.
    expect((await world.tpp.read(String(answer.json['access_token']))).status).toBe(200)
  })

  test('ends with the first who rejects it, and with it its tokens', async () => {
    const { push, interactionId } = await world.begin(world.tpp, several)
    await decide(push.consentId, 'Approved', 'Pending')
    const answer = await tokenOf(push, interactionId)
    expect((await decide(push.consentId, 'Approved', 'Rejected')).status).toBe(204)
    expect(recordOf(await world.bank.consent(push.consentId))).toMatchObject({ status: 'Rejected' })
    const refreshed = await send(world.tpp.refresh(String(answer.json['refresh_token'])))
    expect([refreshed.status, refreshed.json['error']]).toEqual([400, 'invalid_grant'])
    const read = await world.tpp.read(String(answer.json['access_token']))
    expect(read.status).toBe(400)
  })

  test('is not confirmed before the first has authorized', async () => {
    const { push, interactionId } = await world.begin(world.tpp, several)
    const outcome = outcomeOf(await world.bank.doConfirm(interactionId))
    expect([outcome.status, outcome.query.get('error'), outcome.query.get('code')]).toEqual([303, 'server_error', null])
    expect(recordOf(await world.bank.consent(push.consentId))).toMatchObject({ status: 'AwaitingAuthorization' })
  })

  test('has no others where one authorizer has to be enough', async () => {
    const { push } = await world.begin(world.tpp, single())
    const refused = await decide(push.consentId, 'Approved', 'Pending')
    expect([refused.status, refused.json['errorCode'], refused.json['errorMessage']]).toEqual([
      400,
      'Consent.BusinessRuleViolation',
      'IsSingleAuthorization leaves no room for further authorizers',
    ])
  })
})

test('a renewal is authorized by the user of its chain, and by nobody else', async () => {
  const { push: root } = await world.begin(world.tpp, single())
  await lfiPatch(root.consentId, { status: 'Authorized', psuIdentifiers: psuIdentifiers(), accountIds: [account] })
  const { push } = await world.begin(world.tpp, single({ BaseConsentId: root.consentId }))
  const authorize = (userId: string) =>
    lfiPatch(push.consentId, { status: 'Authorized', psuIdentifiers: { userId }, accountIds: [account] })
  const refused = await authorize('somebody-else')
  expect([refused.status, refused.json['errorCode'], refused.json['errorMessage']]).toEqual([
    400,
    'Consent.BusinessRuleViolation',
    'The consent continues one of another user',
  ])
  expect((await authorize(world.userId)).status).toBe(204)
  const listed = await call(await clientToken('payments'), `${PAYMENTS}?baseConsentId=${root.consentId}`)
  expect((messageOf(listed) as Json[]).map(({ Data }) => (Data as Json)['ConsentId'])).toEqual([
    root.consentId,
    push.consentId,
  ])
})

describe('an insurance consent', () => {
  test('is authorized for policies, shown, and ended, plain or signed', async () => {
    const { push, interactionId } = await world.begin(world.tpp, forInsurance)
    const policy = randomUUID()
    const wrong = await lfiPatch(push.consentId, { status: 'Authorized', accountIds: [account] })
    expect([wrong.status, wrong.json['errorCode']]).toEqual([400, 'Body.InvalidFormat'])
    expect(
      (
        await lfiPatch(push.consentId, {
          status: 'Authorized',
          psuIdentifiers: psuIdentifiers(),
          insurancePolicyIds: [policy],
        })
      ).status,
    ).toBe(204)
    expect(recordOf(await world.bank.consent(push.consentId))).toMatchObject({
      status: 'Authorized',
      insurancePolicyIds: [policy],
      accountIds: [policy],
    })
    const answer = await tokenOf(push, interactionId)
    const view = {
      Data: {
        ...detailOf(push).consent,
        Status: 'Authorized',
        CreationDateTime: expect.any(String),
        StatusUpdateDateTime: expect.any(String),
      },
      Links: { Self: `${world.server.rs}${INSURANCES}/${push.consentId}` },
      Meta: {},
    }
    expect([answer.status, answer.json['authorization_details']]).toEqual([200, [{ type: INSURANCE, consent: view }]])

    const token = await clientToken('insurance')
    const path = `${INSURANCES}/${push.consentId}`
    expect((await call(token, path)).json).toEqual(view)
    expect(messageOf(await call(token, path, { accept: 'application/jwt' }))).toEqual(view)
    expect((await call(token, `${INSURANCES}?BaseConsentId=${push.consentId}`)).json).toEqual({
      Data: [view.Data],
      Links: { Self: `${world.server.rs}${INSURANCES}?BaseConsentId=${push.consentId}` },
      Meta: { TotalPages: 1 },
    })
    expect((await call(token, `${INSURANCES}?BaseConsentId=${randomUUID()}`)).json).toMatchObject({
      Data: [],
      Meta: { TotalPages: 0 },
    })
    expect((await call(token, `${INSURANCES}?baseConsentId=${push.consentId}`)).status).toBe(400)
    expect((await call(token, `${INSURANCES}/${randomUUID()}`)).status).toBe(404)

    const consumed = await lfiPatch(push.consentId, { status: 'Consumed' })
    expect([consumed.status, consumed.json['errorMessage']]).toEqual([400, 'A consent of this type is never consumed'])
    const empty = await call(token, path, { method: 'PATCH' })
    expect([empty.status, (empty.json['Errors'] as Json[])[0]?.['Code']]).toEqual([400, 'Body.InvalidFormat'])
    const patch = (body: Json) =>
      call(token, path, { method: 'PATCH', body: JSON.stringify(body), type: 'application/json' })
    const Webhook = { Url: `${world.manifest.edge}webhooks`, IsActive: true }
    const Data = { Status: 'Revoked' }
    for (const [body, at] of [
      [{ Data: { ...Data, RevokedBy: 'LFI' } }, 'Data.RevokedBy'],
      [{ Data: { ...Data, RevokedBy: 'LFI.InitiatedByUser' } }, 'Data.RevokedBy'],
      [{ Data: { Status: 'Consumed' } }, 'Data.Status'],
      [{ Subscription: { Webhook } }, 'Data'],
      [{ Data, Subscription: { Webhook: { ...Webhook, Url: 'http://localhost/' } } }, 'Subscription.Webhook.Url'],
      [{ Data, Subscription: { Webhook: { ...Webhook, Url: 'https://other.example/' } } }, 'Subscription.Webhook.Url'],
      [{ Data, Subscription: { Webhook: { IsActive: true } } }, 'Subscription.Webhook.Url'],
      [{ Data, Extra: 1 }, 'Extra'],
    ] as const) {
      const refused = await patch(body)
      expect([refused.status, (refused.json['Errors'] as Json[])[0]]).toMatchObject([
        400,
        { Code: 'Body.InvalidFormat', Path: at },
      ])
    }
    expect((await patch({ Data, Subscription: { Webhook } })).status).toBe(204)
    const refreshed = await send(world.tpp.refresh(String(answer.json['refresh_token'])))
    expect([refreshed.status, refreshed.json['error']]).toEqual([400, 'invalid_grant'])
    expect((await call(token, path)).json).toMatchObject({
      ...{ Data: { Status: 'Revoked', RevokedBy: 'TPP' }, Subscription: { Webhook } },
    })
    const { push: other } = await world.lodge(world.tpp, forInsurance)
    const body = signed({ Data: { ...Data, RevokedBy: 'TPP.InitiatedByUser' } })
    const ended = await call(token, `${INSURANCES}/${other.consentId}`, {
      ...{ method: 'PATCH', body, type: 'application/jwt' },
    })
    expect([ended.status, ended.text]).toEqual([204, ''])
    expect(recordOf(await world.bank.consent(other.consentId))).toMatchObject({
      consentBody: { Data: { Status: 'Revoked', RevokedBy: 'TPP.InitiatedByUser' } },
    })
  })
})

test('an application gets the scopes of its roles, and no others', async () => {
  for (const scope of ['payments', 'insurance']) {
    await clientToken(scope)
    const refused = await send(world.second.clientCredentials(scope))
    expect([scope, refused.status, refused.json['error']]).toEqual([scope, 400, 'invalid_scope'])
  }
})
