/** Which Authorization a call under a consent shows, where the LFI has given a token with it (lfi-api 4.2). */
import { randomUUID } from 'node:crypto'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { type Milliseconds, systemClock } from '../../../src/clock.ts'
import type { LfiAuthentication, TenantConfig } from '../../../src/config.ts'
import type { Consent } from '../../../src/consent-store/index.ts'
import type { ConsentId } from '../../../src/ids.ts'
import { type Connector, createConnector } from '../../../src/lfi/index.ts'
import type { LfiOperation } from '../../../src/lfi-operations.ts'
import { createSealedTokens } from '../../../src/sealed-token.ts'
import { Secret } from '../../../src/secret.ts'
import { newTrace } from '../../../src/trace.ts'
import { type Authority, type Certificate, createAuthority } from '../../gateway/support/pki.ts'
import { json, type Receiver, startReceiver, status } from '../../notices/support/receiver.ts'
import { newAuditKey } from '../../support/audit-key.ts'

const KEYS = { signing: [], encryption: [], store: null, audit: newAuditKey() }
let framework: Authority
let hub: Certificate
let lfi: Receiver
let issuer: Receiver
let connector: Connector | undefined

beforeAll(async () => {
  framework = await createAuthority('Test')
  hub = await framework.issue({ O: 'Hub', OU: randomUUID(), CN: randomUUID() })
  const server = await framework.issue({ O: 'Bank', dns: 'localhost' })
  lfi = await startReceiver(server, framework.certificate)
  issuer = await startReceiver(server, framework.certificate)
  issuer.answer = json(200, { access_token: 'of-the-hub', expires_in: 600 })
})
afterAll(() => Promise.all([lfi.close(), issuer.close()]))
afterEach(() => connector?.close())

type Use = NonNullable<TenantConfig['lfi']['connectToken']>
function begin(authentication: LfiAuthentication, connectToken?: Use) {
  lfi.received.length = 0
  lfi.answer = json(200, {})
  const tenant = {
    id: 'aurora',
    keys: KEYS,
    lfi: {
      ozoneConnectUrl: lfi.origin,
      ca: framework.certificate,
      certificate: hub.certificate,
      key: new Secret(hub.key),
      authentication,
      ...(connectToken === undefined ? {} : { connectToken }),
      connections: 4,
      timeoutMs: 2_000 as Milliseconds,
      connectTimeoutMs: 2_000 as Milliseconds,
      responseBytesMax: 10_000,
    },
  } as unknown as TenantConfig
  const open = createConnector({ tenant, clock: systemClock })
  connector = open
  const consent = (more: object = {}, sealedFor?: ConsentId): Consent => {
    const id = randomUUID() as ConsentId
    const sealed = createSealedTokens(tenant).seal('of-the-consent', sealedFor ?? id)
    return { id, type: 'service-initiation', payment: { connectToken: sealed }, ...more } as unknown as Consent
  }
  const shown = async (operationId: LfiOperation, under: Consent | null) => {
    const at = { operationId, method: 'GET', route: '/x', target: '/x', headers: {} } as const
    const { attempt } = await open.ask({ ...at, under, trace: newTrace() }, null)
    return [attempt.status, ...lfi.received.splice(0).map(({ headers }) => headers.authorization)]
  }
  return { consent, shown }
}
const clientCredentials = (): LfiAuthentication => ({
  type: 'client-credentials',
  tokenUrl: `${issuer.origin}/token`,
  clientId: 'hub',
  clientSecret: new Secret('secret'),
})
const OWN = {
  'client-credentials': ['Bearer of-the-hub', clientCredentials],
  'api-key': ['the-key', (): LfiAuthentication => ({ type: 'api-key', key: new Secret('the-key') })],
  none: [undefined, (): LfiAuthentication => ({ type: 'none' })],
} as const

describe.each(Object.entries(OWN))('beside %s', (_name, [own, authentication]) => {
  test.each([
    [undefined, 'makePayment', true],
    ['payments', 'makePayment', true],
    ['payments', 'getPayment', false],
    ['payments', 'findAccounts', false],
    ['consent', 'makePayment', true],
    ['consent', 'getPayment', true],
    ['consent', 'getRefund', true],
    ['consent', 'findAccounts', true],
    ['unused', 'makePayment', false],
  ] as const)('connectToken %s, %s: the token of the consent is shown: %s', async (use, operation, isShown) => {
    const { consent, shown } = begin(authentication(), use)
    expect(await shown(operation, consent())).toEqual([200, isShown ? 'Bearer of-the-consent' : own])
  })

  test.each([
    ['no consent', () => null],
    ['a consent without one', ({ consent }) => consent({ payment: { connectToken: null } })],
    ['a consent of accounts', ({ consent }) => consent({ type: 'account-access' })],
    ['the token of another consent', ({ consent }) => consent({}, randomUUID() as ConsentId)],
  ] as readonly (readonly [
    string,
    (begun: ReturnType<typeof begin>) => Consent | null,
  ])[])('%s: as every other call', async (_what, under) => {
    const begun = begin(authentication(), 'consent')
    expect(await begun.shown('makePayment', under(begun))).toEqual([200, own])
  })
})

test('one that the LFI refuses is not made up for with the rights of the hub', async () => {
  const { consent, shown } = begin(clientCredentials())
  lfi.answer = status(401)
  expect(await shown('makePayment', consent())).toEqual([401, 'Bearer of-the-consent'])
})
