/** The outbox with its workers on a real database; receivers, the LFI and the directory are programs outside. */
import { createHash, generateKeyPairSync, randomUUID } from 'node:crypto'
import { compactDecrypt, compactVerify, importJWK, type JWK } from 'jose'
import { createAudit } from '../../../src/audit/index.ts'
import { type Clock, iso, type Milliseconds, plus, type Seconds, toInstant } from '../../../src/clock.ts'
import type { ConsentActionsConfig, TenantConfig, WebhooksConfig } from '../../../src/config.ts'
import { type Consent, createConsentStore, type JsonObject, type LfiPatch } from '../../../src/consent-store/index.ts'
import { inTransaction } from '../../../src/db.ts'
import { createFetchGuard } from '../../../src/fetch-guard.ts'
import {
  type ConsentId,
  newCorrelationId,
  type OrganisationId,
  type TenantId,
  type Thumbprint,
} from '../../../src/ids.ts'
import { loadKey, publicJwk, type SigningKey } from '../../../src/jose.ts'
import { fixedKeyRing } from '../../../src/keys/index.ts'
import { createConnector, createConsentActions } from '../../../src/lfi/index.ts'
import { createLog } from '../../../src/log.ts'
import { createNoticeDesk, createNotices, type Notices } from '../../../src/notices/index.ts'
import { createParticipants } from '../../../src/participants/index.ts'
import { createResourceLog } from '../../../src/resource-log/index.ts'
import { loadSchemas } from '../../../src/schema-registry.ts'
import { Secret } from '../../../src/secret.ts'
import { type DirectoryEntry, startDirectory } from '../../gateway/support/outside.ts'
import { createAuthority } from '../../gateway/support/pki.ts'
import { createTestDatabase } from '../../support/postgres.ts'
import { ROOM } from '../../support/room.ts'
import { startReceiver, status } from './receiver.ts'
import { subjectsOf } from './subjects.ts'
import { newTpp, type Tpp } from './tpp.ts'

export type { Tpp } from './tpp.ts'

const RAR_TYPE = 'urn:openfinanceuae:account-access-consent:v2.1'
const PAYMENT_RAR_TYPE = 'urn:openfinanceuae:service-initiation-consent:v2.1'
const DAY_MS = 86_400_000

const ACCOUNTS = {
  rarType: RAR_TYPE,
  scope: 'openid accounts',
  members: {
    Permissions: ['ReadAccountsBasic', 'ReadBalances'],
    OpenFinanceBilling: { UserType: 'Retail', Purpose: 'AccountAggregation' },
  },
}
const AMOUNT = { Amount: '100.00', Currency: 'AED' }
const PAYMENTS = {
  rarType: PAYMENT_RAR_TYPE,
  scope: 'openid payments',
  members: {
    PaymentPurposeCode: 'ACM',
    // Many payments: none uses the consent up, which would be an event of its own.
    ControlParameters: {
      ConsentSchedule: {
        MultiPayment: {
          PeriodicSchedule: {
            Type: 'VariableOnDemand',
            PeriodType: 'Day',
            PeriodStartDate: '2026-01-01',
            Controls: { MaximumIndividualAmount: AMOUNT },
          },
        },
      },
    },
  },
}

type Kind = { readonly rarType: string; readonly scope: string; readonly members: JsonObject }

export type Event = {
  readonly header: Readonly<Record<string, unknown>>
  readonly jwsHeader: Readonly<Record<string, unknown>>
  readonly claims: Readonly<Record<string, unknown>> & {
    readonly jti: string
    readonly message: {
      readonly Data: Readonly<Record<string, unknown>>
      readonly Meta: Readonly<Record<string, unknown>>
    }
  }
}
export type Rig = Awaited<ReturnType<typeof createRig>>

export type Options = {
  readonly webhooks?: Partial<WebhooksConfig>
  readonly actions?: Partial<ConsentActionsConfig>
  readonly tpps?: number
  readonly allowedAddresses?: readonly string[]
  readonly drainSeconds?: number
}

const newKey = (kid: string): SigningKey => {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  return loadKey({ kid, key: new Secret(privateKey.export({ type: 'pkcs8', format: 'pem' }) as string) })
}

export async function createRig(options: Options = {}) {
  /** Goes with the real one, and forward at the test's wish. */
  let ahead = 0
  const clock: Clock = { now: () => toInstant(Date.now() + ahead) }
  const log = createLog({ level: 'silent', name: 'test' })
  const framework = await createAuthority('Test Trust Framework')
  const server = await framework.issue({ O: 'Server', dns: 'localhost' })
  const hub = await framework.issue({ O: 'Hub', OU: randomUUID(), CN: randomUUID() })
  const lfi = await startReceiver(server, framework.certificate)
  lfi.answer = status(204)
  const tpps: Tpp[] = []
  for (let index = 0; index < (options.tpps ?? 1); index += 1) tpps.push(newTpp(await startReceiver(server)))
  const certificates = new Map(
    tpps.map(({ clientId }) => [clientId, createHash('sha256').update(clientId).digest('base64url')]),
  )
  const directory = await startDirectory(
    server,
    tpps.map(
      (tpp): DirectoryEntry => ({
        organisationId: tpp.organisationId,
        organisation: 'Wadi Money',
        clientId: tpp.clientId,
        softwareStatementId: tpp.clientId,
        webhookUris: tpp.webhookUris,
        certificates: [{ thumbprint: certificates.get(tpp.clientId) ?? '', status: 'Active' }],
        jwks: tpp.jwks,
      }),
    ),
  )
  const database = await createTestDatabase()
  const { db } = database
  const hubKey = newKey('hub-sig')
  const nowhere = {
    origin: 'https://aurora.example',
    address: '127.0.0.1',
    port: 1,
    certificate: '',
    key: new Secret(''),
  }
  const at = (origin: string) => ({ ...nowhere, origin })
  const tenant: TenantConfig = {
    id: 'aurora' as TenantId,
    name: 'Aurora Bank PJSC',
    organisationId: randomUUID() as OrganisationId,
    databaseUrl: database.url,
    listeners: {
      auth: at('https://auth.aurora.example'),
      as: at('https://as.aurora.example'),
      rs: at('https://rs.aurora.example'),
      hh: nowhere,
      cm: nowhere,
      admin: nowhere,
    },
    authorizationEndpoint: 'https://bank.example/authorize',
    jwksUrl: 'https://keystore.example/jwks',
    keys: { signing: [], encryption: [], store: null, audit: new Secret('') },
    lfi: {
      ozoneConnectUrl: `${lfi.origin}/oc`,
      ca: framework.certificate,
      certificate: hub.certificate,
      key: new Secret(hub.key),
      authentication: { type: 'none' },
      callerJwt: { required: false, audience: 'aurora' },
      connections: 4,
      timeoutMs: 5_000 as Milliseconds,
      connectTimeoutMs: 2_000 as Milliseconds,
      responseBytesMax: 65_536,
      pageSize: 100,
      consentActions: {
        validate: [],
        validateFailure: 'refuse',
        augment: [],
        events: ['account-access'],
        validateTimeoutMs: 1_000 as Milliseconds,
        augmentTimeoutMs: 1_000 as Milliseconds,
        eventTimeoutMs: 1_000 as Milliseconds,
        ...options.actions,
      },
    },
    webhooks: {
      ca: framework.certificate,
      timeoutMs: 5_000 as Milliseconds,
      perReceiver: 2,
      attemptsMax: 4,
      giveUpSeconds: 86_400 as Seconds,
      firstDelayMs: 60_000 as Milliseconds,
      delayMaxMs: 3_600_000 as Milliseconds,
      keepDays: 30,
      ...options.webhooks,
    },
    activation: 'automatic',
    fieldFilter: 'basic-detail',
    paymentPurposeCodes: ['ACM'],
    lifetimes: {
      accessTokenSeconds: 600 as Seconds,
      requestUriSeconds: 60 as Seconds,
      interactionSeconds: 600 as Seconds,
      authorizationWindowSeconds: 600 as Seconds,
    },
    limits: { requestsPerSecond: 100, bodyBytesMax: 65_536, fileBytesMax: 10_485_760, ...ROOM },
  }
  const audit = createAudit({ db, tenantId: tenant.id, clock, log })
  const participants = createParticipants({
    db,
    tenant,
    trustFramework: {
      apiUrl: directory.url,
      tokenUrl: `${directory.url}/token`,
      keystoreUrl: directory.url,
      ca: framework.certificate,
      serverCa: framework.certificate,
      clientId: randomUUID(),
      certificate: hub.certificate,
      key: new Secret(hub.key),
      cacheSeconds: 1 as Seconds,
      timeoutMs: 5_000 as Milliseconds,
    },
    audit,
    clock,
    log,
  })
  const consents = createConsentStore({ db, tenantId: tenant.id, clock, audit })
  const resources = createResourceLog({ db, tenantId: tenant.id, clock, audit, consents })
  const connector = createConnector({ tenant, clock })
  const consentActions = createConsentActions({ tenant, connector, registry: loadSchemas() })
  const keys = fixedKeyRing({ signing: [hubKey], encryption: [] })
  const desk = createNoticeDesk({ db, tenant, audit, clock })
  const started: Notices[] = []
  const makeWorker = (more: { readonly random?: () => number } = {}): Notices =>
    createNotices({
      db,
      tenant,
      consents,
      resources,
      participants,
      consentActions,
      keys,
      guard: createFetchGuard(options.allowedAddresses ?? ['127.0.0.1', '::1']),
      audit,
      clock,
      log,
      everyMs: 20,
      drainSeconds: (options.drainSeconds ?? 5) as Seconds,
      // The longest delay there is.
      random: () => 1,
      ...more,
    })
  for (const tpp of tpps) {
    await participants.register(
      {
        commonName: tpp.clientId,
        organisationId: tpp.organisationId,
        thumbprint: (certificates.get(tpp.clientId) ?? '') as Thumbprint,
        organisation: 'Wadi Money',
        subject: '',
        issuer: '',
        trusted: true,
        expiresAt: Number.MAX_SAFE_INTEGER,
      },
      newCorrelationId(),
    )
  }

  const lodge = async (
    tpp: Tpp,
    subscription: Consent['subscription'],
    kind = ACCOUNTS as Kind,
  ): Promise<ConsentId> => {
    const id = randomUUID() as ConsentId
    const now = clock.now()
    const { clientId, organisationId } = tpp
    const caller = { by: 'tpp', organisationId, clientId, softwareStatementId: clientId } as const
    await inTransaction(db, async (tx) => {
      await consents.lodge(
        tx,
        {
          consentId: id,
          clientId,
          organisationId,
          rarType: kind.rarType,
          request: {
            type: kind.rarType,
            consent: {
              ConsentId: id,
              ...kind.members,
              ExpirationDateTime: iso(plus(now, DAY_MS as Milliseconds)),
            },
            ...(subscription === null ? {} : { subscription }),
          },
          requestHeaders: {},
          requestUrl: 'https://as.aurora.example/par',
          tpp: {
            clientId,
            tppId: organisationId,
            tppName: 'Wadi Money',
            softwareStatementId: clientId,
            orgId: organisationId,
            decodedSsa: {},
          },
          scope: kind.scope,
          authorizeBy: plus(now, 600_000 as Milliseconds),
          interactionId: null,
        },
        { ...caller, interactionId: newCorrelationId() },
      )
    })
    return id
  }
  const patch = (id: ConsentId, members: Partial<LfiPatch>) =>
    consents.patchByLfi(
      id,
      {
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
      },
      LFI,
    )

  return {
    clock,
    advance: (ms: number) => {
      ahead += ms
    },
    db,
    tenant,
    lfi,
    tpps,
    tpp: tpps[0] as Tpp,
    hubJwk: publicJwk(hubKey, 'sig'),
    consents,
    resources,
    participants,
    audit,
    desk,
    makeWorker,
    work: (more: { readonly random?: () => number } = {}): Notices => {
      const worker = makeWorker(more)
      started.push(worker)
      worker.start()
      return worker
    },
    /** A consent whose TPP wants to hear of it. */
    subscribed: (tpp: Tpp = tpps[0] as Tpp) =>
      lodge(tpp, { Webhook: { Url: `${tpp.receiver.origin}/events`, IsActive: true } }),
    lodge,
    authorize: (id: ConsentId) =>
      patch(id, {
        status: 'Authorized',
        psu: { userId: 'user-7' },
        accountIds: ['acc-1'] as unknown as LfiPatch['accountIds'],
      }),
    payingConsent: (tpp: Tpp) =>
      lodge(tpp, { Webhook: { Url: `${tpp.receiver.origin}/events`, IsActive: true } }, PAYMENTS),
    ...subjectsOf({ db, resources, clock }),
    suspend: (id: ConsentId) => patch(id, { status: 'Suspended' }),
    resume: (id: ConsentId) => patch(id, { status: 'Authorized' }),
    revoke: (id: ConsentId) => consents.revoke(id, { revokedBy: 'LFI.InitiatedByUser' }, LFI),
    patchByTpp: (tpp: Tpp, id: ConsentId, subscription: NonNullable<Consent['subscription']>) =>
      consents.patchByTpp(id, tpp.clientId, { subscription }, { ...LFI, by: 'tpp', clientId: tpp.clientId }),
    rows: async (kind: 'lfi-event' | 'tpp-webhook') =>
      (await db('outbox').where({ kind }).orderBy('id').select()) as readonly OutboxRow[],
    /** Until every notice of the kind is settled; in how, oldest first. */
    settled: async (kind: 'lfi-event' | 'tpp-webhook'): Promise<readonly OutboxRow[]> => {
      for (;;) {
        const rows = (await db('outbox').where({ kind }).orderBy('id').select()) as readonly OutboxRow[]
        if (rows.every(({ settled_at }) => settled_at !== null)) return rows
        await new Promise((later) => setTimeout(later, 20))
      }
    },
    /** Until so many webhooks are in that state. */
    count: async (state: string, count: number): Promise<void> => {
      for (;;) {
        const rows = await db('outbox').where({ kind: 'tpp-webhook', state })
        if (rows.length >= count) return
        await new Promise((later) => setTimeout(later, 20))
      }
    },
    /** Until the newest webhook has been tried so often and waits for the next time. */
    tried: async (attempts: number): Promise<OutboxRow> => {
      for (;;) {
        const rows = (await db('outbox').where({ kind: 'tpp-webhook' }).orderBy('id').select()) as readonly OutboxRow[]
        const row = rows.at(-1)
        if (row !== undefined && row.attempts >= attempts && row.state !== 'sending') return row
        await new Promise((later) => setTimeout(later, 20))
      }
    },
    /** As the TPP reads it: with its own key, and the hub's published one. */
    open: async (tpp: Tpp, jwe: string): Promise<Event> => {
      const { plaintext, protectedHeader: header } = await compactDecrypt(jwe, tpp.decryption)
      const key = await importJWK(publicJwk(hubKey, 'sig') as JWK, 'PS256')
      const { payload, protectedHeader: jwsHeader } = await compactVerify(plaintext, key, { algorithms: ['PS256'] })
      return { header, jwsHeader, claims: JSON.parse(Buffer.from(payload).toString('utf8')) as Event['claims'] }
    },
    /** As it was at first, but for the clock: workers at rest, nothing to tell, nobody has said or received anything. */
    rest: async () => {
      for (const { receiver } of tpps) receiver.hangUp()
      for (const worker of started.splice(0)) await worker.stop()
      await db.raw('truncate consent, service_request cascade')
      Object.assign(lfi, { answer: status(204) }).received.length = 0
      for (const { clientId, receiver, jwks, webhookUris, published } of tpps) {
        Object.assign(receiver, { answer: status(202) }).received.length = 0
        jwks.keys.splice(0, jwks.keys.length, ...published)
        webhookUris.splice(0, webhookUris.length, `${receiver.origin}/events`)
        await participants.setStatus('client', clientId, 'active', { actor: 'test', interactionId: null })
      }
      // What is known of them is not believed any longer, and an LFI that has failed is not left alone any longer.
      ahead += 120_000
    },
    close: async () => {
      for (const { receiver } of tpps) await receiver.close()
      await lfi.close()
      for (const worker of started) await worker.stop()
      await connector.close()
      await participants.close()
      await audit.close()
      await directory.close()
      await database.close()
    },
  }
}

export type OutboxRow = {
  readonly id: string
  readonly event_id: string
  readonly at: Date
  readonly consent_id: string | null
  readonly resource_id: string | null
  readonly interaction_id: string | null
  readonly state: string
  readonly attempts: number
  readonly outcome: string | null
  readonly due_at: Date | null
  readonly settled_at: Date | null
}

export const LFI = {
  by: 'lfi',
  organisationId: null,
  clientId: null,
  softwareStatementId: null,
  interactionId: null,
} as const
