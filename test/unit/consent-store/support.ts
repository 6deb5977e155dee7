/** Consents, callers and a store with a clock to turn, for the tests of the consent store. */
import { randomUUID } from 'node:crypto'
import { createAudit, createAuditReader } from '../../../src/audit/index.ts'
import { type Clock, type Instant, iso, toInstant } from '../../../src/clock.ts'
import type {
  CallerKind,
  Consent,
  ConsentStatus,
  ConsentType,
  JsonObject,
  Psu,
  RarElement,
} from '../../../src/consent-store/consent.ts'
import {
  type Caller,
  type ConsentStore,
  createConsentStore,
  type LfiPatch,
  type LodgeAsk,
} from '../../../src/consent-store/index.ts'
import { type PaymentTerms, termsOf } from '../../../src/consent-store/payment.ts'
import { type Db, inTransaction, type Tx } from '../../../src/db.ts'
import type {
  AccountId,
  ClientId,
  ConsentId,
  CorrelationId,
  InteractionId,
  OrganisationId,
  TenantId,
} from '../../../src/ids.ts'
import { createLog } from '../../../src/log.ts'

export const NOW = toInstant('2026-03-01T08:00:00Z')
export const AUTHORIZE_BY = toInstant('2026-03-01T10:00:00Z')
export const EXPIRES_AT = toInstant('2026-09-01T00:00:00Z')
export const RAR_TYPE = 'urn:openfinanceuae:account-access-consent:v2.1'
export const PAYMENT_TYPE = 'urn:openfinanceuae:service-initiation-consent:v2.1'
export const INSURANCE_TYPE = 'urn:openfinanceuae:insurance-consent:v2.1'
export const JWE = 'aGVhZGVy.a2V5.aXY.Y2lwaGVy.dGFn'
export const TENANT = 'aurora' as TenantId
export const CLIENT = 'a3f1c9d2-4b5e-4f60-8a71-92b3c4d5e6f7' as ClientId
export const OTHER_CLIENT = 'b4e2dae3-5c6f-4071-9b82-a3c4d5e6f708' as ClientId
export const ORGANISATION = 'c5f3ebf4-6d70-4182-ac93-b4d5e6f70819' as OrganisationId
export const WEBHOOK = 'https://tpp.example/events'

export const newConsentId = (): ConsentId => randomUUID() as ConsentId
export const newInteractionId = (): InteractionId => `i-${randomUUID()}` as InteractionId
export const account = (name: string): AccountId => name as AccountId
export const psu = (userId: string): Psu => ({ userId })

export const callerOf = (by: CallerKind): Caller => ({
  by,
  organisationId: ORGANISATION,
  clientId: CLIENT,
  softwareStatementId: CLIENT,
  interactionId: randomUUID() as CorrelationId,
})
export const TPP = callerOf('tpp')
export const LFI = callerOf('lfi')
export const OPERATOR = callerOf('operator')

export function rar(
  id: ConsentId,
  options: { members?: JsonObject; webhook?: 'active' | 'inactive' } = {},
): RarElement {
  return {
    type: RAR_TYPE,
    consent: {
      ConsentId: id,
      Permissions: ['ReadAccountsBasic', 'ReadBalances'],
      ExpirationDateTime: iso(EXPIRES_AT),
      OpenFinanceBilling: { UserType: 'Retail', Purpose: 'AccountAggregation' },
      ...options.members,
    },
    ...(options.webhook === undefined
      ? {}
      : { subscription: { Webhook: { Url: WEBHOOK, IsActive: options.webhook === 'active' } } }),
  }
}

export const SINGLE = {
  ConsentSchedule: { SinglePayment: { Type: 'SingleInstantPayment', Amount: { Amount: '100.00', Currency: 'AED' } } },
}

export const paymentRar = (id: ConsentId, members: JsonObject = {}): RarElement => ({
  type: PAYMENT_TYPE,
  consent: {
    ConsentId: id,
    ExpirationDateTime: iso(EXPIRES_AT),
    PaymentPurposeCode: 'ACM',
    PersonalIdentifiableInformation: JWE,
    ControlParameters: SINGLE,
    ...members,
  },
})

export const insuranceRar = (id: ConsentId, members: JsonObject = {}): RarElement => ({
  type: INSURANCE_TYPE,
  consent: {
    ConsentId: id,
    Permissions: [{ InsuranceType: 'Motor', Permissions: ['ReadInsurancePolicies'] }],
    ExpirationDateTime: iso(EXPIRES_AT),
    OpenFinanceBilling: { Purpose: 'QuoteComparison' },
    ...members,
  },
})

const REQUESTS = {
  'account-access': (id: ConsentId, members: JsonObject) => rar(id, { members }),
  'service-initiation': paymentRar,
  insurance: insuranceRar,
} as const satisfies Record<ConsentType, (id: ConsentId, members: JsonObject) => RarElement>

export const TPP_RECORD = {
  clientId: CLIENT,
  tppId: ORGANISATION,
  tppName: 'Wadi Money',
  softwareStatementId: CLIENT,
  orgId: ORGANISATION,
  decodedSsa: { client_name: 'Wadi Budget', roles: ['BDSP'] },
}

/** A consent as it comes from the store, in any status: no test decides by itself what such a consent holds. */
export function consentIn(
  status: ConsentStatus,
  options: { type?: ConsentType; members?: JsonObject; terms?: Partial<PaymentTerms> } = {},
): Consent {
  const id = newConsentId()
  const type = options.type ?? (status === 'Consumed' ? 'service-initiation' : 'account-access')
  const request = REQUESTS[type](id, options.members ?? {})
  const common = {
    id,
    rarType: request.type,
    clientId: CLIENT,
    organisationId: ORGANISATION,
    baseConsentId: null,
    request,
    requestHeaders: {},
    requestUrl: 'https://as1.aurora.example/par',
    tpp: TPP_RECORD,
    scope: 'openid accounts',
    permissions: ['ReadAccountsBasic', 'ReadBalances'],
    subscription: null,
    isLargeCorporate: null,
    supplementaryInformation: null,
    parId: null,
    interactionId: null,
    completedAt: null,
    createdAt: NOW,
    authorizeBy: AUTHORIZE_BY,
    expiresAt: EXPIRES_AT,
    statusChangedAt: NOW,
    updatedAt: NOW,
    lastDataSharedAt: null,
    lastServiceInitiationAt: null,
    revision: 1,
  }
  const one = [account('acc-1')] as const
  const ofType =
    type === 'service-initiation'
      ? { type, payment: { ...termsOf(request), ...options.terms }, accountIds: one }
      : { type, accountIds: status === 'AwaitingAuthorization' ? one : ([...one, account('acc-2')] as const) }
  const proposed = { ...ofType, psu: psu('u-42'), channel: 'App', authorizedAt: null } as const
  const granted = { ...ofType, psu: psu('u-42'), channel: 'App', authorizedAt: NOW } as const
  switch (status) {
    case 'AwaitingAuthorization':
      return { ...common, ...proposed, grantId: null, status }
    case 'Authorized':
    case 'Suspended':
      return { ...common, ...granted, grantId: 'grant-1', status }
    case 'Rejected':
      return { ...common, ...proposed, grantId: null, status, rejectedFor: 'refused' }
    case 'Revoked':
      return { ...common, ...granted, grantId: null, status, revokedBy: 'LFI' }
    case 'Expired':
      return { ...common, ...granted, grantId: null, status }
    case 'Consumed':
      if (granted.type !== 'service-initiation') throw new Error('only a payment consent is consumed')
      return { ...common, ...granted, grantId: null, status }
  }
}

export const lfiPatch = (patch: Partial<LfiPatch> = {}): LfiPatch => ({
  channel: 'App',
  status: null,
  revokedBy: null,
  psu: null,
  accountIds: null,
  supplementaryInformation: null,
  isLargeCorporate: null,
  lastDataSharedAt: null,
  lastServiceInitiationAt: null,
  ...patch,
})
export const AUTHORIZE = lfiPatch({ status: 'Authorized', psu: psu('u-42'), accountIds: [account('acc-1')] })

export type TestClock = Clock & { set(at: Instant): void; advance(ms: number): void }

export function testClock(start: Instant = NOW): TestClock {
  let at = start
  return {
    now: () => at,
    set: (to) => {
      at = to
    },
    advance: (ms) => {
      at = (at + ms) as Instant
    },
  }
}

export type TestStore = {
  readonly store: ConsentStore
  readonly clock: TestClock
  readonly db: Db
  /** Grants whose end was asked for. */
  readonly ended: string[]
  lodge(options?: LodgeOptions): Promise<ConsentId>
  /** Lodged and authorized. */
  authorized(options?: LodgeOptions): Promise<ConsentId>
  traces(id: ConsentId): Promise<Traces>
  close(): Promise<void>
}
export type LodgeOptions = {
  readonly type?: ConsentType
  readonly id?: ConsentId
  readonly clientId?: ClientId
  readonly members?: JsonObject
  readonly webhook?: 'active' | 'inactive'
  readonly authorizeBy?: Instant
}
/** What a change leaves behind, in every place that should know of it. */
export type Traces = {
  readonly audit: readonly JsonObject[]
  readonly trail: readonly JsonObject[]
  readonly outbox: readonly { kind: string; event: string; revision: number; url: string | null; body: unknown }[]
}

export function testStore(db: Db, onTerminal?: (tx: Tx, grantId: string) => Promise<void>): TestStore {
  const clock = testClock()
  const ended: string[] = []
  const audit = createAudit({ db, tenantId: TENANT, clock, log: createLog({ level: 'silent', name: 'test' }) })
  const store = createConsentStore({
    db,
    tenantId: TENANT,
    clock,
    audit,
    onTerminal: async (tx, grantId) => {
      await onTerminal?.(tx, grantId)
      ended.push(grantId)
    },
  })
  const lodge = async (options: LodgeOptions = {}): Promise<ConsentId> => {
    const id = options.id ?? newConsentId()
    await inTransaction(db, (tx) => store.lodge(tx, lodgeAsk(id, options), TPP))
    return id
  }
  return {
    store,
    clock,
    db,
    ended,
    lodge,
    authorized: async (options) => {
      const id = await lodge(options)
      await store.patchByLfi(id, AUTHORIZE, LFI)
      return id
    },
    traces: async (id) => {
      const entries = await createAuditReader({ db }).findByConsent(id, 1000)
      return {
        audit: entries.toReversed().map(({ entry }) => entry as unknown as JsonObject),
        trail: await db('consent_trail').where('consent_id', id).orderBy('revision').select(),
        outbox: await db('outbox').where('consent_id', id).orderBy('id').select(),
      }
    },
    close: () => audit.close(),
  }
}

export function lodgeAsk(id: ConsentId, options: LodgeOptions = {}): LodgeAsk {
  const { type = 'account-access', members = {} } = options
  const request = type === 'account-access' ? rar(id, options) : REQUESTS[type](id, members)
  return {
    consentId: id,
    clientId: options.clientId ?? CLIENT,
    organisationId: ORGANISATION,
    rarType: request.type,
    request,
    requestHeaders: { 'user-agent': 'test' },
    requestUrl: 'https://as1.aurora.example/par',
    tpp: TPP_RECORD,
    scope: 'openid accounts',
    authorizeBy: options.authorizeBy ?? AUTHORIZE_BY,
    interactionId: TPP.interactionId,
  }
}
