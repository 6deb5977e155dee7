/** What a payment consent holds beyond other consents (tpp-api 4.7, 4.8; lfi-api 2.3). */
import { type Instant, plus, toInstant, toMilliseconds } from '../clock.ts'
import { type Money, noMoney, toWireMoney, type WireMoney } from '../money.ts'
import type { SealedToken } from '../sealed-token.ts'
import { type ControlParameters, controlParametersOf } from './control-parameters.ts'
import type { JsonObject, RarElement } from './shapes.ts'

export type AuthorizationStatus = 'Pending' | 'Approved' | 'Rejected'
export type Authorizer = {
  readonly AuthorizerId?: string
  readonly AuthorizerType?: string
  readonly AuthorizationDate?: string
  readonly AuthorizationStatus?: AuthorizationStatus
}
/** As the LFI writes it and as the TPP reads it. */
export type MultipleAuthorizers = {
  readonly TotalRequired?: number
  readonly Authorizations?: readonly Authorizer[]
}

export type Charge = { readonly ChargeBearer: string; readonly Type: string; readonly Amount: WireMoney }
/** The LFI may say more about an amount than a TPP may be told. */
export const chargesOf = (charges: readonly Charge[] | undefined): readonly Charge[] | null =>
  charges?.map(({ Amount: { Amount, Currency }, ...rest }) => ({ ...rest, Amount: { Amount, Currency } })) ?? null
export type ExchangeRate = JsonObject & { readonly UnitCurrency: string; readonly RateType: string }

/** Payments under the consent that were not rejected, those under way included. */
export type PaymentConsumption = {
  readonly number: number
  readonly value: Money
  /** Those of the period that the latest payment fell into; null where the schedule has no periods. */
  readonly period: { readonly number: number; readonly value: Money; readonly endsAt: Instant } | null
}

export type PaymentTerms = {
  readonly control: ControlParameters
  /** IsSingleAuthorization: with one authorizer there are no others to keep (tpp-api 4.8). */
  readonly authorization:
    | { readonly by: 'one' }
    | { readonly by: 'several'; readonly authorizers: MultipleAuthorizers | null }
  readonly charges: readonly Charge[] | null
  readonly exchangeRate: ExchangeRate | null
  readonly consumption: PaymentConsumption | null
  /** What the hub shows the LFI instead of its own credentials in calls under this consent (lfi-api 2.3). */
  readonly connectToken: SealedToken | null
}

export type StoredTerms = {
  readonly authorizers: MultipleAuthorizers | null
  readonly charges: readonly Charge[] | null
  readonly exchangeRate: ExchangeRate | null
  readonly consumption: PaymentConsumption | null
  readonly connectToken: SealedToken | null
}
const NOTHING_YET: StoredTerms = {
  authorizers: null,
  charges: null,
  exchangeRate: null,
  consumption: null,
  connectToken: null,
}

export function termsOf(request: RarElement, stored: StoredTerms = NOTHING_YET): PaymentTerms {
  const { authorizers, ...rest } = stored
  return {
    control: controlParametersOf(request),
    authorization: isSingleAuthorization(request) ? { by: 'one' } : { by: 'several', authorizers },
    ...rest,
  }
}

/** Optional in the document, to be set in prose: where it is not, there is one authorizer (tpp-api 10, row 13). */
const isSingleAuthorization = (request: RarElement): boolean => request.consent['IsSingleAuthorization'] !== false

export const authorizersOf = ({ authorization }: PaymentTerms): MultipleAuthorizers | null =>
  authorization.by === 'several' ? authorization.authorizers : null

/** Of everybody who has to agree: one rejection is enough, and until all that are required have agreed it is open. */
export function verdictOf(authorizers: MultipleAuthorizers): 'pending' | 'approved' | 'rejected' {
  const { Authorizations: all = [], TotalRequired: required = all.length } = authorizers
  if (all.some(({ AuthorizationStatus: status }) => status === 'Rejected')) return 'rejected'
  const approved = all.filter(({ AuthorizationStatus: status }) => status === 'Approved').length
  return approved >= Math.max(required, 1) ? 'approved' : 'pending'
}

const AUTHORIZERS_MAX = 100

/** Whether the numbers add up: a whole number of required authorizers, and nobody twice. */
export function isCoherent({ TotalRequired: required, Authorizations: all = [] }: MultipleAuthorizers): boolean {
  const ids = all.flatMap(({ AuthorizerId: id }) => id ?? [])
  return (
    (required === undefined || (Number.isInteger(required) && required >= 1 && required <= AUTHORIZERS_MAX)) &&
    all.length <= AUTHORIZERS_MAX &&
    new Set(ids).size === ids.length
  )
}

/** The longest that several authorizers may take (tpp-api 4.3). */
export const AUTHORIZATION_WINDOW_MAX = toMilliseconds(30 * 24 * 3_600_000)

/** Until when the others may decide, once the first has. */
export function decisionDeadline(request: RarElement, createdAt: Instant, expiresAt: Instant): Instant {
  const asked = request.consent['AuthorizationExpirationDateTime']
  const limits = [plus(createdAt, AUTHORIZATION_WINDOW_MAX), expiresAt]
  if (typeof asked === 'string') limits.push(toInstant(asked))
  return Math.min(...limits) as Instant
}

/** The record of a payment period ends with it: what was paid in it is no part of the next one. */
export function termsAt(terms: PaymentTerms, now: Instant): PaymentTerms {
  const { consumption } = terms
  if (consumption === null || consumption.period === null || now < consumption.period.endsAt) return terms
  const { period } = consumption
  if (period.number === 0) return terms
  return {
    ...terms,
    consumption: { ...consumption, period: { ...period, number: 0, value: noMoney(period.value.currency) } },
  }
}

/** PaymentConsumption of both views. */
export function wireConsumption({ number, value, period }: PaymentConsumption): JsonObject {
  return {
    CumulativeNumberOfPayments: number,
    CumulativeValueOfPayments: toWireMoney(value),
    ...(period === null
      ? {}
      : {
          CumulativeNumberOfPaymentsInCurrentPeriod: period.number,
          CumulativeValueOfPaymentsInCurrentPeriod: toWireMoney(period.value),
        }),
  }
}
