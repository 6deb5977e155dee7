/** The whole way: a TPP subscribes in its pushed request, the bank acts, the webhook arrives; and the operator's door. */
import { generateKeyPairSync, randomUUID } from 'node:crypto'
import { compactDecrypt, createLocalJWKSet, type JSONWebKeySet, jwtVerify } from 'jose'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createAuditReader } from '../../src/audit/index.ts'
import type { Milliseconds, Seconds } from '../../src/clock.ts'
import type { CorrelationId } from '../../src/ids.ts'
import { createAuthority } from '../gateway/support/pki.ts'
import { type Flow, flowOf } from '../profiles/support/flow.ts'
import { createProfileWorld, type ProfileWorld } from '../profiles/support/world.ts'
import { type Receiver, startReceiver, status } from './support/receiver.ts'

const BOOT_MS = 180_000
const encryption = generateKeyPairSync('rsa', { modulusLength: 2048 })
let webhook: Receiver
let lfi: Receiver
let world: ProfileWorld
let flow: Flow

beforeAll(async () => {
  const authority = await createAuthority('Outside')
  const certificate = await authority.issue({ O: 'Receiver', dns: 'localhost' })
  webhook = await startReceiver(certificate)
  lfi = await startReceiver(certificate)
  lfi.answer = status(204)
  const key = { ...encryption.publicKey.export({ format: 'jwk' }), kid: 'tpp-enc', use: 'enc' }
  world = await createProfileWorld(['uae'], {
    roles: ['auth', 'as', 'rs', 'hh', 'cm', 'admin', 'worker'],
    entry: (entry) => ({
      ...entry,
      webhookUris: [`${webhook.origin}/events`],
      jwks: { keys: [...entry.jwks.keys, key] },
    }),
    tenant: (tenant) => ({
      ...tenant,
      lfi: {
        ...tenant.lfi,
        ozoneConnectUrl: lfi.origin,
        ca: authority.certificate,
        consentActions: {
          validate: [],
          validateFailure: 'refuse',
          augment: [],
          events: ['account-access'],
          validateTimeoutMs: 1_000 as Milliseconds,
          augmentTimeoutMs: 1_000 as Milliseconds,
          eventTimeoutMs: 1_000 as Milliseconds,
        },
      },
      webhooks: {
        ca: authority.certificate,
        timeoutMs: 2_000 as Milliseconds,
        perReceiver: 4,
        attemptsMax: 3,
        giveUpSeconds: 600 as Seconds,
        firstDelayMs: 50 as Milliseconds,
        delayMaxMs: 100 as Milliseconds,
        keepDays: 30,
      },
    }),
  })
  flow = flowOf(world)
}, BOOT_MS)
afterAll(async () => {
  await Promise.all([webhook.close(), lfi.close()])
  await world.close()
}, BOOT_MS)

type Subscription = { readonly Webhook: { readonly Url: string; readonly IsActive: boolean } }
const uae = () => world.parties.uae

async function consent(subscription?: Subscription): Promise<string> {
  const { params, consentId } = flow.request()
  const [detail] = params['authorization_details'] as [object]
  const details = [{ ...detail, ...(subscription === undefined ? {} : { subscription }) }]
  const { answer } = await flow.push(
    uae(),
    { ...params, authorization_details: details },
    { certificate: uae().certificate },
  )
  if (answer.status !== 201) throw new Error(`/par: ${answer.status} ${answer.text}`)
  const { request_uri: requestUri } = answer.json() as { request_uri: string }
  await flow.agree(uae(), requestUri, consentId)
  return consentId
}
const revokeAtBank = (consentId: string) =>
  world.call('cm', {
    method: 'POST',
    path: `/consents/${consentId}/action/revoke`,
    certificate: world.bank,
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ revokedBy: 'LFI.InitiatedByUser' }),
  })
/** With the TPP's key and what the issuer publishes; nothing else is believed. */
async function opened(jwe: string) {
  const { plaintext } = await compactDecrypt(jwe, encryption.privateKey)
  const jwks = (await world.call('auth', { path: '/jwks' })).json() as JSONWebKeySet
  const { payload } = await jwtVerify(plaintext, createLocalJWKSet(jwks), {
    algorithms: ['PS256'],
    issuer: world.issuer,
    audience: uae().clientId,
    requiredClaims: ['exp', 'nbf', 'jti', 'message'],
  })
  return payload as typeof payload & {
    readonly message: { readonly Data: { readonly Status: string; readonly RevokedBy?: string }; readonly Meta: object }
  }
}
const ofConsent = async (consentId: string) => {
  const all = await Promise.all(webhook.received.map(({ body }) => opened(body)))
  return all.filter(({ message }) => (message.Meta as { ConsentId: string }).ConsentId === consentId)
}
const active = (): Subscription => ({ Webhook: { Url: `${webhook.origin}/events`, IsActive: true } })
async function admin(method: string, path: string, interactionId: string = randomUUID()) {
  const headers = { 'x-fapi-interaction-id': interactionId }
  const answer = await world.call('admin', { method, path, headers, certificate: world.bank })
  return { status: answer.status, body: answer.text === '' ? null : (answer.json() as Record<string, never>) }
}
type Listed = { readonly id: string; readonly state: string; readonly consentId: string; readonly attempts: number }
const listed = async (query = ''): Promise<readonly Listed[]> =>
  ((await admin('GET', `/webhooks${query}`)).body as unknown as { data: Listed[] }).data
async function until(condition: () => Promise<boolean>): Promise<void> {
  while (!(await condition())) await new Promise((later) => setTimeout(later, 50))
}

test('what the bank’s customer ends reaches TPP and bank', async () => {
  const consentId = await consent(active())
  expect((await revokeAtBank(consentId)).status).toBe(204)
  await until(async () => (await ofConsent(consentId)).length === 2)
  const said = (await ofConsent(consentId)).map(({ message }) => [message.Data.Status, message.Data.RevokedBy])
  expect(said).toEqual([
    ['Authorized', undefined],
    ['Revoked', 'LFI.InitiatedByUser'],
  ])
  const told = () =>
    lfi.received
      .map(({ body, path }) => ({ path, record: JSON.parse(body) as { id: string } }))
      .filter(({ record }) => record.id === consentId)
      .map(({ path }) => path)
  await until(async () => told().length === 3)
  expect(told()).toEqual(['/consent/event/post', '/consent/event/patch', '/consent/event/patch'])
})

describe('a subscription', () => {
  const patch = async (subscription: Subscription, consentId: string) => {
    const { answer } = await flow.token(
      uae(),
      { grant_type: 'client_credentials', scope: 'accounts' },
      { certificate: uae().certificate },
    )
    const { access_token: token } = answer.json() as { access_token: string }
    return world.call('rs', {
      method: 'PATCH',
      path: `/open-finance/account-information/v2.1/account-access-consents/${consentId}`,
      certificate: uae().certificate,
      headers: {
        authorization: `Bearer ${token}`,
        'content-type': 'application/json',
        'x-fapi-interaction-id': randomUUID(),
      },
      body: JSON.stringify({ Subscription: subscription }),
    })
  }

  test('can be made later by PATCH, and ended', async () => {
    const consentId = await consent()
    expect((await patch(active(), consentId)).status).toBe(204)
    expect((await revokeAtBank(consentId)).status).toBe(204)
    await until(async () => (await ofConsent(consentId)).length === 1)
    const silent = await consent(active())
    await until(async () => (await ofConsent(silent)).length === 1)
    expect((await patch({ Webhook: { ...active().Webhook, IsActive: false } }, silent)).status).toBe(204)
    expect((await revokeAtBank(silent)).status).toBe(204)
    const last = await consent(active())
    await until(async () => (await ofConsent(last)).length === 1)
    expect(await ofConsent(silent)).toHaveLength(1)
  })

  test.each([
    ['one that is not listed', (): string => `${webhook.origin}/other`],
    ['one without TLS', (): string => `${webhook.origin.replace('https', 'http')}/events`],
  ])('leads nowhere but to listed addresses: %s', async (_name, url) => {
    const { params } = flow.request()
    const [detail] = params['authorization_details'] as [object]
    const subscription = { Webhook: { Url: url(), IsActive: true } }
    const push = await flow.push(
      uae(),
      { ...params, authorization_details: [{ ...detail, subscription }] },
      { certificate: uae().certificate },
    )
    expect([push.answer.status, (push.answer.json() as { error: string }).error]).toEqual([400, 'invalid_request'])
    const consentId = await consent()
    const answer = await patch(subscription, consentId)
    expect([answer.status, answer.error?.Code]).toEqual([400, 'Body.InvalidFormat'])
  })
})

describe('the operator', () => {
  test('sees what was given up, and has it delivered again', async () => {
    webhook.answer = status(503)
    const consentId = await consent(active())
    const mine = async (query: string) => (await listed(query)).filter((each) => each.consentId === consentId)
    await until(async () => (await mine('?state=dead')).length === 1)
    const [letter] = await mine('?state=dead')
    expect(letter).toMatchObject({ state: 'dead', attempts: 3, outcome: 'answered 503', clientId: uae().clientId })
    expect(JSON.stringify(letter)).not.toContain('ReadAccountsBasic')
    webhook.answer = status(202)
    const interactionId = randomUUID()
    const redelivery = await admin('POST', `/webhooks/${letter?.id}/redelivery`, interactionId)
    expect(redelivery).toEqual({ status: 202, body: null })
    const entries = await createAuditReader({ db: world.db }).findByInteraction(interactionId as CorrelationId)
    expect(entries.map(({ entry }) => entry)).toContainEqual(
      expect.objectContaining({ operationId: 'redeliverWebhook', route: '/webhooks/{id}/redelivery', status: 202 }),
    )
    await until(async () => (await mine('?state=delivered')).length === 1)
    const ids = new Set((await ofConsent(consentId)).map(({ jti }) => jti))
    expect(ids.size).toBe(1)
    const { body } = await admin('GET', '/webhooks')
    expect((body as unknown as { meta: { counts: unknown[] } }).meta.counts).toContainEqual({
      kind: 'tpp-webhook',
      state: 'delivered',
      count: expect.any(Number),
    })
  })

  test.each([
    ['GET', '/webhooks?state=lost', 400, 'Resource.InvalidFormat'],
    ['POST', '/webhooks', 405, 'MethodNotAllowed'],
    ['GET', '/webhooks/1/redelivery', 405, 'MethodNotAllowed'],
    ['POST', '/webhooks/999999999/redelivery', 404, 'NotFound'],
    ['POST', '/webhooks/abc/redelivery', 404, 'NotFound'],
    ['POST', '/webhooks/9999999999999999999999/redelivery', 404, 'NotFound'],
  ])('%s %s → %i', async (method, path, code, errorCode) => {
    expect(await admin(method, path)).toMatchObject({ status: code, body: { errorCode } })
  })

  test('is the LFI’s: a TPP is not let in', async () => {
    for (const [method, path] of [
      ['GET', '/webhooks'],
      ['POST', '/webhooks/1/redelivery'],
    ] as const) {
      const answer = await world.call('admin', { method, path, certificate: uae().certificate })
      expect(answer.status).toBe(401)
    }
  })
})
