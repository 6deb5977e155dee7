/** A consent and its row, in both directions. What the row may hold is said by the constraints of the table. */
import assert from 'node:assert'
import { type Instant, toInstant } from '../clock.ts'
import type { AccountId, ClientId, ConsentId, InteractionId, OrganisationId } from '../ids.ts'
import { never } from '../ids.ts'
import { type RevokedTokens, revokedTokensIn } from '../revoked-tokens.ts'
import type { SealedToken } from '../sealed-token.ts'
import {
  type AuthorizationChannel,
  type Consent,
  type ConsentStatus,
  type ConsentType,
  isNonEmpty,
  type JsonObject,
  type Psu,
  type RarElement,
  type RevokedBy,
  type Subscription,
} from './consent.ts'
import {
  authorizersOf,
  type Charge,
  type ExchangeRate,
  type MultipleAuthorizers,
  type PaymentConsumption,
  termsOf,
} from './payment.ts'

export type ConsentRow = {
  readonly id: string
  readonly type: ConsentType
  readonly rar_type: string
  readonly client_id: string
  readonly organisation_id: string
  readonly base_consent_id: string | null
  readonly request: RarElement
  readonly request_headers: JsonObject
  readonly request_url: string
  readonly tpp: JsonObject
  readonly scope: string
  readonly subscription: Subscription | null
  readonly is_large_corporate: boolean | null
  readonly supplementary_information: JsonObject | null
  readonly par_id: string | null
  readonly interaction_id: string | null
  readonly completed_at: Date | null
  readonly grant_id: string | null
  readonly revoked_tokens: RevokedTokens | null
  readonly status: ConsentStatus
  readonly psu: Psu | null
  readonly account_ids: readonly string[]
  readonly channel: AuthorizationChannel | null
  readonly authorized_at: Date | null
  readonly rejected_for: 'refused' | 'lapsed' | null
  readonly revoked_by: RevokedBy | null
  readonly created_at: Date
  readonly authorize_by: Date
  readonly expires_at: Date
  readonly status_changed_at: Date
  readonly updated_at: Date
  readonly last_data_shared_at: Date | null
  readonly last_service_initiation_at: Date | null
  readonly revision: number
  readonly authorizers: MultipleAuthorizers | null
  readonly charges: readonly Charge[] | null
  readonly exchange_rate: ExchangeRate | null
  readonly consumption: PaymentConsumption | null
  readonly connect_token: string | null
}

/** Enumerated, so that a column of a later release does not reach this one. */
export const COLUMNS = [
  'id',
  'type',
  'rar_type',
  'client_id',
  'organisation_id',
  'base_consent_id',
  'request',
  'request_headers',
  'request_url',
  'tpp',
  'scope',
  'subscription',
  'is_large_corporate',
  'supplementary_information',
  'par_id',
  'interaction_id',
  'completed_at',
  'grant_id',
  'revoked_tokens',
  'status',
  'psu',
  'account_ids',
  'channel',
  'authorized_at',
  'rejected_for',
  'revoked_by',
  'created_at',
  'authorize_by',
  'expires_at',
  'status_changed_at',
  'updated_at',
  'last_data_shared_at',
  'last_service_initiation_at',
  'revision',
  'authorizers',
  'charges',
  'exchange_rate',
  'consumption',
  'connect_token',
] as const satisfies readonly (keyof ConsentRow)[]

export function toConsent(row: ConsentRow): Consent {
  const common = {
    id: row.id as ConsentId,
    rarType: row.rar_type,
    clientId: row.client_id as ClientId,
    organisationId: row.organisation_id as OrganisationId,
    baseConsentId: row.base_consent_id as ConsentId | null,
    request: row.request,
    requestHeaders: row.request_headers,
    requestUrl: row.request_url,
    tpp: row.tpp,
    scope: row.scope,
    permissions: permissionsOf(row.request),
    subscription: row.subscription,
    isLargeCorporate: row.is_large_corporate,
    supplementaryInformation: row.supplementary_information,
    parId: row.par_id,
    interactionId: row.interaction_id as InteractionId | null,
    completedAt: maybe(row.completed_at),
    createdAt: toInstant(row.created_at),
    authorizeBy: toInstant(row.authorize_by),
    expiresAt: toInstant(row.expires_at),
    statusChangedAt: toInstant(row.status_changed_at),
    updatedAt: toInstant(row.updated_at),
    lastDataSharedAt: maybe(row.last_data_shared_at),
    lastServiceInitiationAt: maybe(row.last_service_initiation_at),
    revision: row.revision,
    ...revokedTokensIn(row.revoked_tokens),
  }
  const live = { grantId: row.grant_id }
  const ended = { grantId: null }
  switch (row.status) {
    case 'AwaitingAuthorization':
      return { ...common, ...proposed(row), ...live, status: row.status }
    case 'Authorized':
    case 'Suspended':
      return { ...common, ...granted(row), ...live, status: row.status }
    case 'Rejected':
      assert(row.rejected_for !== null)
      return { ...common, ...proposed(row), ...ended, status: row.status, rejectedFor: row.rejected_for }
    case 'Revoked': {
      assert(row.revoked_by !== null)
      const before = row.authorized_at === null ? proposed(row) : granted(row)
      return { ...common, ...before, ...ended, status: row.status, revokedBy: row.revoked_by }
    }
    case 'Expired': {
      const before = row.authorized_at === null ? proposed(row) : granted(row)
      return { ...common, ...before, ...ended, status: row.status }
    }
    case 'Consumed': {
      const before = granted(row)
      assert(before.type === 'service-initiation')
      return { ...common, ...before, ...ended, status: row.status }
    }
    default:
      return never(row.status)
  }
}

function proposed(row: ConsentRow) {
  const members = { psu: row.psu, channel: row.channel, authorizedAt: null }
  const accountIds = row.account_ids as readonly AccountId[]
  if (row.type !== 'service-initiation') return { type: row.type, ...members, accountIds }
  const [debtor, ...others] = accountIds
  assert(others.length === 0)
  return { ...payment(row), ...members, accountIds: debtor === undefined ? ([] as const) : ([debtor] as const) }
}

function granted(row: ConsentRow) {
  const accountIds = row.account_ids as readonly AccountId[]
  assert(row.psu !== null && row.channel !== null && row.authorized_at !== null && isNonEmpty(accountIds))
  const members = { psu: row.psu, channel: row.channel, authorizedAt: toInstant(row.authorized_at) }
  if (row.type !== 'service-initiation') return { type: row.type, ...members, accountIds }
  const [debtor, ...others] = accountIds
  assert(others.length === 0)
  return { ...payment(row), ...members, accountIds: [debtor] as const }
}

function payment(row: ConsentRow) {
  const { authorizers, charges, consumption } = row
  const stored = { exchangeRate: row.exchange_rate, connectToken: row.connect_token as SealedToken | null }
  return {
    type: 'service-initiation',
    payment: termsOf(row.request, { authorizers, charges, consumption, ...stored }),
  } as const
}

/**
 * The columns that a change may touch. `completed_at` and `revoked_tokens` are not among them: the one is claimed and
 * the other added to, and neither is changed.
 */
export function changingColumns(consent: Consent) {
  return {
    status: consent.status,
    subscription: json(consent.subscription),
    is_large_corporate: consent.isLargeCorporate,
    supplementary_information: json(consent.supplementaryInformation),
    ...paymentColumns(consent),
    authorize_by: date(consent.authorizeBy),
    interaction_id: consent.interactionId,
    grant_id: consent.grantId,
    psu: json(consent.psu),
    account_ids: [...consent.accountIds],
    channel: consent.channel,
    authorized_at: date(consent.authorizedAt),
    rejected_for: consent.status === 'Rejected' ? consent.rejectedFor : null,
    revoked_by: consent.status === 'Revoked' ? consent.revokedBy : null,
    status_changed_at: date(consent.statusChangedAt),
    updated_at: date(consent.updatedAt),
    last_data_shared_at: date(consent.lastDataSharedAt),
    last_service_initiation_at: date(consent.lastServiceInitiationAt),
    revision: consent.revision,
  }
}

export function newRow(consent: Consent) {
  return {
    ...changingColumns(consent),
    id: consent.id,
    type: consent.type,
    rar_type: consent.rarType,
    client_id: consent.clientId,
    organisation_id: consent.organisationId,
    base_consent_id: consent.baseConsentId,
    request: json(consent.request),
    request_headers: json(consent.requestHeaders),
    request_url: consent.requestUrl,
    tpp: json(consent.tpp),
    scope: consent.scope,
    par_id: consent.parId,
    created_at: date(consent.createdAt),
    expires_at: date(consent.expiresAt),
  }
}

function paymentColumns(consent: Consent) {
  const terms = consent.type === 'service-initiation' ? consent.payment : null
  return {
    authorizers: json(terms === null ? null : authorizersOf(terms)),
    charges: json(terms?.charges ?? null),
    exchange_rate: json(terms?.exchangeRate ?? null),
    consumption: json(terms?.consumption ?? null),
    connect_token: terms?.connectToken ?? null,
  }
}

/** A payment consent need not have any; an insurance consent has them for each type of insurance, as Type.Permission. */
export function permissionsOf(request: RarElement): readonly string[] {
  const list = request.consent['Permissions']
  if (!Array.isArray(list)) return []
  return list.flatMap((each: string | InsurancePermissions) =>
    typeof each === 'string' ? [each] : each.Permissions.map((permission) => `${each.InsuranceType}.${permission}`),
  )
}
type InsurancePermissions = { readonly InsuranceType: string; readonly Permissions: readonly string[] }

export const date = (at: Instant | null): Date | null => (at === null ? null : new Date(at))
const maybe = (at: Date | null): Instant | null => (at === null ? null : toInstant(at))
const json = (value: unknown): string | null => (value === null ? null : JSON.stringify(value))
