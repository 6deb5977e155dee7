/** The body of PATCH /consents/{id}: flat names with dots in them, not nested objects (lfi-api 2.4). */
import { type Instant, toInstant } from '../clock.ts'
import {
  type AuthorizationChannel,
  type Charge,
  type ConsentType,
  chargesOf,
  type ExchangeRate,
  isNonEmpty,
  type JsonObject,
  type LfiPatch,
  type MultipleAuthorizers,
  type NonEmpty,
  type PatchableStatus,
  type PaymentPatch,
  type Psu,
  type RevokedBy,
} from '../consent-store/index.ts'
import { HubError } from '../errors.ts'
import { type AccountId, toAccountId } from '../ids.ts'
import type { SealedToken } from '../sealed-token.ts'

/** It travels base64-encoded in a header of every call to the LFI (lfi-api 3.2). */
const PSU_BYTES_MAX = 2048
const USER_ID_MAX = 256

/** A body that its schema has accepted. */
type PatchBody = {
  readonly authorizationChannel: AuthorizationChannel
  readonly status?: PatchableStatus
  readonly 'consentBody.Data.Status'?: PatchableStatus
  readonly 'consentBody.Data.RevokedBy'?: RevokedBy
  readonly 'consentBody.Data.OpenFinanceBilling'?: { readonly IsLargeCorporate: boolean }
  readonly psuIdentifiers?: Psu
  readonly accountIds?: readonly string[]
  readonly insurancePolicyIds?: readonly string[]
  readonly supplementaryInformation?: JsonObject
  readonly 'consentBody.Data.Charges'?: readonly Charge[]
  readonly 'consentBody.Data.ExchangeRate'?: ExchangeRate
  readonly 'consentBody.Meta.MultipleAuthorizers'?: MultipleAuthorizers
  readonly ConnectToken?: string
  readonly consentUsage?: { readonly lastDataShared?: string; readonly lastServiceInitiationAttempt?: string }
}

/**
 * Members that belong to some types only (lfi-api 2.4). The document knows three bodies and not which of them is meant:
 * that the consent says.
 */
const MEMBERS_OF_TYPE: readonly (readonly [keyof PatchBody, readonly ConsentType[]])[] = [
  ['accountIds', ['account-access', 'service-initiation']],
  ['insurancePolicyIds', ['insurance']],
  ['consentBody.Data.Charges', ['service-initiation']],
  ['consentBody.Data.ExchangeRate', ['service-initiation']],
  ['consentBody.Meta.MultipleAuthorizers', ['service-initiation']],
  ['ConnectToken', ['service-initiation']],
]

/** @throws HubError Body.InvalidFormat, Consent.BusinessRuleViolation */
export function toLfiPatch(checked: unknown, type: ConsentType, seal: (token: string) => SealedToken): LfiPatch {
  const body = checked as PatchBody
  for (const [name, types] of MEMBERS_OF_TYPE) {
    if (body[name] !== undefined && !types.includes(type))
      throw invalid(name, 'is not known for a consent of this type')
  }
  if (type === 'service-initiation' && (body.accountIds?.length ?? 1) !== 1)
    throw invalid('accountIds', 'must name exactly one account')
  return {
    channel: body.authorizationChannel,
    status: statusOf(body),
    revokedBy: body['consentBody.Data.RevokedBy'] ?? null,
    psu: psuOf(body.psuIdentifiers),
    accountIds: accountsOf(body.insurancePolicyIds === undefined ? 'accountIds' : 'insurancePolicyIds', body),
    supplementaryInformation: body.supplementaryInformation ?? null,
    isLargeCorporate: body['consentBody.Data.OpenFinanceBilling']?.IsLargeCorporate ?? null,
    lastDataSharedAt: time(body.consentUsage?.lastDataShared),
    lastServiceInitiationAt: time(body.consentUsage?.lastServiceInitiationAttempt),
    ...(type === 'service-initiation' ? { payment: paymentOf(body, seal) } : {}),
  }
}

function paymentOf(body: PatchBody, seal: (token: string) => SealedToken): PaymentPatch {
  return {
    authorizers: body['consentBody.Meta.MultipleAuthorizers'] ?? null,
    charges: chargesOf(body['consentBody.Data.Charges']),
    exchangeRate: body['consentBody.Data.ExchangeRate'] ?? null,
    connectToken: body.ConnectToken === undefined ? null : seal(bearer(body.ConnectToken)),
  }
}

/** It travels in a header of calls to the LFI: RFC 6750 2.1, and no longer than headers may be. */
const BEARER_TOKEN = /^[A-Za-z0-9._~+/-]{1,2048}={0,2}$/

function bearer(token: string): string {
  if (!BEARER_TOKEN.test(token)) throw invalid('ConnectToken', 'must be a bearer token of at most 2048 characters')
  return token
}

/** Both names mean the same status; either may stand alone. */
function statusOf(body: PatchBody): PatchableStatus | null {
  const outer = body.status
  const inner = body['consentBody.Data.Status']
  if (outer !== undefined && inner !== undefined && outer !== inner)
    throw new HubError('Consent.BusinessRuleViolation', {
      path: 'consentBody.Data.Status',
      reason: 'status and consentBody.Data.Status differ',
    })
  return outer ?? inner ?? null
}

function psuOf(psu: Psu | undefined): Psu | null {
  if (psu === undefined) return null
  if (psu.userId === '' || psu.userId.length > USER_ID_MAX)
    throw invalid('psuIdentifiers.userId', `must have 1 to ${USER_ID_MAX} characters`)
  if (Buffer.byteLength(JSON.stringify(psu)) > PSU_BYTES_MAX)
    throw invalid('psuIdentifiers', `must not be longer than ${PSU_BYTES_MAX} bytes`)
  return psu
}

function accountsOf(name: 'accountIds' | 'insurancePolicyIds', body: PatchBody): NonEmpty<AccountId> | null {
  const accounts = [...new Set(body[name] ?? [])].map((each, at) => {
    const account = toAccountId(each)
    if (account === null) throw invalid(`${name}[${at}]`, 'must be 1 to 40 characters that a URL need not escape')
    return account
  })
  return isNonEmpty(accounts) ? accounts : null
}

const time = (text: string | undefined): Instant | null => (text === undefined ? null : toInstant(text))
const invalid = (path: string, reason: string): HubError =>
  new HubError('Body.InvalidFormat', { path, reason: `${path} ${reason}` })
