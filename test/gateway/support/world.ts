/** The real gateway behind its real listener, on a real database; only the LFI and the directory are stand-ins. */
import { generateKeyPairSync, randomUUID } from 'node:crypto'
import type { AddressInfo } from 'node:net'
import { createServer } from 'node:net'
import { type Audit, createAudit, createAuditReader, createReceiptOffice } from '../../../src/audit/index.ts'
import { type Clock, iso, type Milliseconds, plus, type Seconds, systemClock } from '../../../src/clock.ts'
import type { LfiAuthentication, ListenerConfig, TenantConfig } from '../../../src/config.ts'
import { type ConsentStore, createConsentStore, type LfiPatch } from '../../../src/consent-store/index.ts'
import { inTransaction } from '../../../src/db.ts'
import { createDeviations } from '../../../src/deviations/index.ts'
import { createEndpoints } from '../../../src/endpoints/index.ts'
import { createFetchGuard } from '../../../src/fetch-guard.ts'
import { createGateway } from '../../../src/gateway/index.ts'
import type { ApiVersion } from '../../../src/gateway/versions.ts'
import {
  type ClientId,
  type ConsentId,
  type CorrelationId,
  newCorrelationId,
  type OrganisationId,
  type TenantId,
} from '../../../src/ids.ts'
import { loadKey, publicJwk, type SigningKey, sign } from '../../../src/jose.ts'
import { fixedKeyRing } from '../../../src/keys/index.ts'
import { createConnector } from '../../../src/lfi/index.ts'
import { createApp, openDoors } from '../../../src/listener.ts'
import { createLog } from '../../../src/log.ts'
import { createParticipants } from '../../../src/participants/index.ts'
import { PERMISSIONS } from '../../../src/permissions.ts'
import { createReports } from '../../../src/reports/index.ts'
import { createResourceLog } from '../../../src/resource-log/index.ts'
import { loadSchemas, type SchemaOptions } from '../../../src/schema-registry.ts'
import { Secret } from '../../../src/secret.ts'
import type { SpanSink } from '../../../src/spans.ts'
import { newAuditKey } from '../../support/audit-key.ts'
import { createTestDatabase } from '../../support/postgres.ts'
import { ROOM } from '../../support/room.ts'
import { type DirectoryEntry, startDirectory, startLfi } from './outside.ts'
import { type Authority, type Certificate, createAuthority } from './pki.ts'
import { type Answer, type Call, send } from './tpp.ts'

export const BASE = '/open-finance/account-information/v2.1'
export const RAR_TYPE = 'urn:openfinanceuae:account-access-consent:v2.1'
export const ALL_PERMISSIONS = Object.keys(PERMISSIONS)

export type Tpp = {
  readonly clientId: ClientId
  readonly organisationId: OrganisationId
  readonly softwareStatementId: string
  readonly certificate: Certificate
  readonly revoked: Certificate
  readonly signing: SigningKey
  readonly jwks: { keys: unknown[] }
}
export type World = Awaited<ReturnType<typeof createWorld>>

export const newSigningKey = (kid: string): SigningKey => {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  return loadKey({ kid, key: new Secret(privateKey.export({ type: 'pkcs8', format: 'pem' }) as string) })
}

async function newTpp(authority: Authority): Promise<Tpp> {
  const clientId = randomUUID() as ClientId
  const organisationId = randomUUID() as OrganisationId
  const subject = { O: 'Wadi, Money', OU: organisationId, CN: clientId }
  const signing = newSigningKey(`tpp-${clientId}`)
  return {
    clientId,
    organisationId,
    softwareStatementId: clientId,
    certificate: await authority.issue(subject),
    revoked: await authority.issue(subject),
    signing,
    jwks: { keys: [publicJwk(signing, 'sig')] },
  }
}

const directoryEntry = (tpp: Tpp): DirectoryEntry => ({
  organisationId: tpp.organisationId,
  organisation: 'Wadi Money',
  clientId: tpp.clientId,
  softwareStatementId: tpp.softwareStatementId,
  webhookUris: ['https://tpp.example/events', 'http://tpp.example/plain'],
  certificates: [
    { thumbprint: tpp.certificate.thumbprint, status: 'Active' },
    { thumbprint: tpp.revoked.thumbprint, status: 'Inactive' },
  ],
  jwks: tpp.jwks,
})

export type Options = {
  readonly authentication?: 'none' | 'jwt' | 'api-key'
  readonly requestsPerSecond?: number
  readonly timeoutMs?: number
  readonly fieldFilter?: TenantConfig['fieldFilter']
  readonly clock?: Clock
  readonly schemas?: SchemaOptions
  readonly versions?: readonly ApiVersion[]
  /** Instead of the stand-in's address. */
  readonly lfiUrl?: string
  readonly lfiFromRogue?: boolean
  /** Of the tenant's configuration. */
  readonly lfi?: Partial<TenantConfig['lfi']>
  readonly spans?: SpanSink
  readonly audit?: (audit: Audit) => Audit
  readonly consents?: (consents: ConsentStore) => ConsentStore
}

export async function createWorld(options: Options = {}) {
  const clock = options.clock ?? systemClock
  const log = createLog({ level: 'silent', name: 'test' })
  const framework = await createAuthority('Test Trust Framework')
  const rogue = await createAuthority('Test Trust Framework')
  const bank = await createAuthority('Test Bank')
  const server = await framework.issue({ O: 'Hub', dns: 'localhost' })
  const hubId = randomUUID()
  const hubClient = await framework.issue({ O: 'Hub, the operator', OU: hubId, CN: randomUUID() })
  const [one, two] = await Promise.all([newTpp(framework), newTpp(framework)])
  const lfiAuthority = options.lfiFromRogue === true ? rogue : bank
  const lfi = await startLfi(await lfiAuthority.issue({ O: 'Bank', dns: 'localhost' }), framework)
  const directory = await startDirectory(server, [one, two].map(directoryEntry))
  const database = await createTestDatabase()
  const { db } = database
  const tenantId = 'aurora' as TenantId
  const hubKey = newSigningKey('hub-sig')
  const lfiKey = newSigningKey('hub-jwt-auth')
  const port = await freePort()
  const listener = (origin: string): ListenerConfig => ({
    origin,
    address: '127.0.0.1',
    port,
    certificate: server.certificate,
    key: new Secret(server.key),
  })
  const rs = listener(`https://localhost:${port}`)
  const elsewhere = listener('https://auth.aurora.example')
  const tenant: TenantConfig = {
    id: tenantId,
    name: 'Aurora Bank PJSC',
    organisationId: randomUUID() as OrganisationId,
    databaseUrl: database.url,
    listeners: { auth: elsewhere, as: elsewhere, rs, hh: elsewhere, cm: elsewhere, admin: elsewhere },
    authorizationEndpoint: 'https://bank.example/authorize',
    jwksUrl: 'https://keystore.example/jwks',
    keys: { signing: [], encryption: [], store: null, audit: newAuditKey() },
    lfi: {
      ozoneConnectUrl: options.lfiUrl ?? lfi.url,
      ca: bank.certificate,
      certificate: hubClient.certificate,
      key: new Secret(hubClient.key),
      authentication: authenticationOf(options.authentication ?? 'none', lfiKey),
      callerJwt: { required: false, audience: tenantId },
      connections: 8,
      timeoutMs: (options.timeoutMs ?? 1_000) as Milliseconds,
      connectTimeoutMs: 500 as Milliseconds,
      responseBytesMax: 200_000,
      pageSize: 100,
      ...options.lfi,
    },
    activation: 'automatic',
    fieldFilter: options.fieldFilter ?? 'basic-detail',
    paymentPurposeCodes: ['ACM', 'SAL'],
    lifetimes: {
      accessTokenSeconds: 600 as Seconds,
      requestUriSeconds: 60 as Seconds,
      interactionSeconds: 600 as Seconds,
      authorizationWindowSeconds: 600 as Seconds,
    },
    limits: {
      requestsPerSecond: options.requestsPerSecond ?? 10_000,
      bodyBytesMax: 65_536,
      fileBytesMax: 10_485_760,
      ...ROOM,
    },
  }
  const innerAudit = createAudit({ db, tenantId, clock, log })
  const audit = options.audit?.(innerAudit) ?? innerAudit
  const participants = createParticipants({
    db,
    tenant,
    trustFramework: {
      apiUrl: directory.url,
      tokenUrl: `${directory.url}/token`,
      keystoreUrl: directory.url,
      ca: framework.certificate,
      serverCa: framework.certificate,
      clientId: hubId,
      certificate: hubClient.certificate,
      key: new Secret(hubClient.key),
      cacheSeconds: 600 as Seconds,
      timeoutMs: 2_000 as Milliseconds,
    },
    audit: innerAudit,
    clock,
    log,
  })
  const innerConsents = createConsentStore({ db, tenantId, clock, audit: innerAudit })
  const consents = options.consents?.(innerConsents) ?? innerConsents
  const registry = loadSchemas(options.schemas)
  const keys = fixedKeyRing({ signing: [hubKey], encryption: [] })
  const endpoints = await createEndpoints({ db, tenant, audit: innerAudit, clock, log })
  const moves = { endpoints, guard: createFetchGuard(['127.0.0.1', '::1']) }
  const connector = createConnector({ tenant, clock, moves })
  const resources = createResourceLog({ db, tenantId, clock, audit: innerAudit, consents: innerConsents })
  const deviations = createDeviations({ db, clock, log })
  const payees = new Map([['033', { issuer: tenant.listeners.auth.origin, resourceServer: rs.origin }]])
  const reports = createReports({ db, tenant, audit: innerAudit, clock })
  const receipts = createReceiptOffice({ db })
  const gateway = createGateway({
    tenant,
    db,
    resources,
    deviations,
    payees,
    consents,
    participants,
    audit,
    receipts,
    registry,
    connector,
    dpop: null,
    keys,
    reports,
    clock,
    log,
    ...(options.versions === undefined ? {} : { versions: options.versions }),
  })
  const app = createApp({ log, clock, spans: options.spans })
  gateway.mount(app)
  const listeners = await openDoors(
    [
      {
        tenantId,
        role: 'rs',
        listener: rs,
        clientCertificates: { mode: 'requested', ca: framework.certificate },
        app,
      },
    ],
    { log, drainSeconds: 1 as Seconds },
  )

  const consentOf = async (asked: {
    readonly tpp?: Tpp
    readonly permissions?: readonly string[]
    readonly accountIds?: readonly string[]
    readonly members?: Readonly<Record<string, unknown>>
    readonly authorized?: boolean
    readonly rarType?: string
  }) => {
    const tpp = asked.tpp ?? one
    const rarType = asked.rarType ?? RAR_TYPE
    const id = randomUUID() as ConsentId
    const grantId = randomUUID()
    const now = clock.now()
    const caller = {
      by: 'tpp',
      organisationId: tpp.organisationId,
      clientId: tpp.clientId,
      softwareStatementId: tpp.softwareStatementId,
      interactionId: newCorrelationId(),
    } as const
    await inTransaction(db, async (tx) => {
      await innerConsents.lodge(
        tx,
        {
          consentId: id,
          clientId: tpp.clientId,
          organisationId: tpp.organisationId,
          rarType,
          request: {
            type: rarType,
            consent: {
              ConsentId: id,
              Permissions: asked.permissions ?? ALL_PERMISSIONS,
              ExpirationDateTime: iso(plus(now, 86_400_000 as Milliseconds)),
              OpenFinanceBilling: { UserType: 'Retail', Purpose: 'AccountAggregation' },
              ...asked.members,
            },
            subscription: { Webhook: { Url: 'https://tpp.example/events', IsActive: false } },
          },
          requestHeaders: {},
          requestUrl: 'https://as.example/par',
          tpp: {},
          scope: 'openid accounts',
          authorizeBy: plus(now, 600_000 as Milliseconds),
          interactionId: null,
        },
        caller,
      )
      await innerConsents.attachGrant(tx, id, grantId)
    })
    if (asked.authorized !== false) {
      await innerConsents.patchByLfi(
        id,
        lfiPatch({
          status: 'Authorized',
          psu: { userId: 'user-7' },
          accountIds: (asked.accountIds ??
            (rarType === RAR_TYPE ? ['acc-1', 'acc-2'] : ['acc-1'])) as unknown as LfiPatch['accountIds'],
        }),
        LFI_CALLER,
      )
    }
    return { id, grantId, tpp }
  }
  type TestConsent = Awaited<ReturnType<typeof consentOf>>

  const claimsOf = (consent: TestConsent): Record<string, unknown> => ({
    iss: tenant.listeners.auth.origin,
    aud: rs.origin,
    sub: consent.id,
    exp: Math.floor(clock.now() / 1000) + 600,
    iat: Math.floor(clock.now() / 1000),
    jti: randomUUID(),
    client_id: consent.tpp.clientId,
    scope: 'openid accounts',
    cnf: { 'x5t#S256': consent.tpp.certificate.thumbprint },
    consent_id: consent.id,
    grant_id: consent.grantId,
    org_id: consent.tpp.organisationId,
  })
  const signToken = (claims: object, header: Readonly<Record<string, string>> = { typ: 'at+jwt' }) =>
    sign(hubKey, claims, header)
  const userToken = (consent: TestConsent, changes: object = {}) => signToken({ ...claimsOf(consent), ...changes })
  const clientToken = (tpp: Tpp, changes: object = {}) =>
    signToken({
      iss: tenant.listeners.auth.origin,
      aud: rs.origin,
      sub: tpp.clientId,
      exp: Math.floor(clock.now() / 1000) + 600,
      jti: randomUUID(),
      client_id: tpp.clientId,
      scope: 'openid accounts',
      cnf: { 'x5t#S256': tpp.certificate.thumbprint },
      ...changes,
    })

  const client = { origin: rs.origin, ca: framework.certificate }
  const call = (asked: Call): Promise<Answer> => send(client, { certificate: one.certificate, ...asked })
  const get = async (path: string, token: string, more: Partial<Call> = {}): Promise<Answer> =>
    call({ ...more, path: `${BASE}${path}`, headers: { authorization: `Bearer ${token}`, ...more.headers } })
  const reader = createAuditReader({ db })
  /** What was recorded under the interaction id of an answer, oldest first. */
  const entries = async (interactionId: unknown): Promise<readonly Record<string, unknown>[]> =>
    (await reader.findByInteraction(String(interactionId) as CorrelationId)).map(({ entry }) => ({ ...entry }))

  for (const tpp of [one, two]) {
    const registered = await call({ method: 'POST', path: '/tpp-registration', certificate: tpp.certificate })
    if (registered.status !== 204) throw new Error(`registration answered ${registered.status}`)
  }
  return {
    tenant,
    db,
    client,
    one,
    two,
    framework,
    rogue,
    lfi,
    hubKey,
    hubId,
    lfiJwk: publicJwk(lfiKey, 'sig'),
    hubJwk: publicJwk(hubKey, 'sig'),
    gateway,
    connector,
    endpoints,
    /** Another address of the same bank. */
    anotherLfi: async () => startLfi(await lfiAuthority.issue({ O: 'Bank', dns: 'localhost' }), framework),
    participants,
    consents: innerConsents,
    resources,
    deviations,
    registry,
    reports,
    audit: innerAudit,
    consentOf,
    claimsOf,
    signToken,
    userToken,
    clientToken,
    call,
    get,
    entries,
    close: async () => {
      await listeners.close()
      await endpoints.close()
      await connector.close()
      await participants.close()
      await deviations.close()
      await innerAudit.close()
      await lfi.close()
      await directory.close()
      await database.close()
    },
  }
}

export const LFI_CALLER = {
  by: 'lfi',
  organisationId: null,
  clientId: null,
  softwareStatementId: null,
  interactionId: null,
} as const

export const lfiPatch = (members: Partial<LfiPatch>): LfiPatch => ({
  channel: 'App',
  status: null,
  revokedBy: null,
  psu: null,
  accountIds: null,
  supplementaryInformation: null,
  isLargeCorporate: null,
  lastDataSharedAt: null,
  lastServiceInitiationAt: null,
  ...members,
})

function authenticationOf(type: 'none' | 'jwt' | 'api-key', key: SigningKey): LfiAuthentication {
  if (type === 'api-key') return { type, key: new Secret('the-api-key') }
  if (type === 'none') return { type }
  const pem = key.privateKey.export({ type: 'pkcs8', format: 'pem' }) as string
  return { type, audience: 'aurora-bank', kid: key.kid, key: new Secret(pem), lifetimeSeconds: 20 as Seconds }
}

async function freePort(): Promise<number> {
  const probe = createServer()
  const port = await new Promise<number>((ready) => {
    probe.listen(0, '127.0.0.1', () => ready((probe.address() as AddressInfo).port))
  })
  await new Promise((done) => probe.close(done))
  return port
}
