/** The body of PATCH /consents/{id}: flat names with dots in them, not nested objects (lfi-api 2.4). */
import { type Instant, toInstant } from '../clock.ts'
import {
  type AuthorizationChannel,
  isNonEmpty,
  type JsonObject,
  type LfiPatch,
  type NonEmpty,
  type PatchableStatus,
  type Psu,
  type RevokedBy,
} from '../consent-store/index.ts'
import { HubError } from '../errors.ts'
import { type AccountId, toAccountId } from '../ids.ts'

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
  readonly supplementaryInformation?: JsonObject
  readonly consentUsage?: { readonly lastDataShared?: string; readonly lastServiceInitiationAttempt?: string }
}

/** @throws HubError Body.InvalidFormat, Consent.BusinessRuleViolation */
export function toLfiPatch(checked: unknown): LfiPatch {
  const body = checked as PatchBody
  return {
    channel: body.authorizationChannel,
    status: statusOf(body),
    revokedBy: body['consentBody.Data.RevokedBy'] ?? null,
    psu: psuOf(body.psuIdentifiers),
    accountIds: accountsOf(body.accountIds),
    supplementaryInformation: body.supplementaryInformation ?? null,
    isLargeCorporate: body['consentBody.Data.OpenFinanceBilling']?.IsLargeCorporate ?? null,
    lastDataSharedAt: time(body.consentUsage?.lastDataShared),
    lastServiceInitiationAt: time(body.consentUsage?.lastServiceInitiationAttempt),
  }
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

function accountsOf(raw: readonly string[] | undefined): NonEmpty<AccountId> | null {
  if (raw === undefined) return null
  const accounts = [...new Set(raw)].map((each, at) => {
    const account = toAccountId(each)
    if (account === null) throw invalid(`accountIds[${at}]`, 'must be 1 to 40 characters that a URL need not escape')
    return account
  })
  return isNonEmpty(accounts) ? accounts : null
}

const time = (text: string | undefined): Instant | null => (text === undefined ? null : toInstant(text))
const invalid = (path: string, reason: string): HubError =>
  new HubError('Body.InvalidFormat', { path, reason: `${path} ${reason}` })
