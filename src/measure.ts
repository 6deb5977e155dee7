/** What a call was, in the words of the reports; the same at every door. */
import type { HubError } from './errors.ts'
import { ruleOf } from './refusals.ts'

/** Groups of interfaces as reports to TPPs name them; two names are misspelt in the published file (tpp-api 9.2). */
export const API_SETS = [
  'BankDataSharing',
  'BankServiceInitation',
  'InsuranceDataSharing',
  'InsuranceServiceInitation',
] as const
export type ApiSet = (typeof API_SETS)[number]

/** The last part of a route template that is no placeholder: what the call was about. */
export const resourceOf = (route: string | null): string | null =>
  route?.split('/').findLast((part) => part !== '' && !part.startsWith('{')) ?? null

export type Explained = {
  readonly rule: string | null
  readonly expected: string | null
  readonly seen: string | null
  readonly path: string | null
}
export const UNEXPLAINED: Explained = { rule: null, expected: null, seen: null, path: null }

const MADE_UP: ReadonlySet<string> = new Set(['additionalProperties', 'query.once'])

/** Of a refusal that the hub decided itself. What an LFI refused is not explained here: the hub does not know why. */
export function explained(error: HubError): Explained {
  const { rule, reason, seen } = error.options
  // A name that the caller made up stays out of the log.
  const path = MADE_UP.has(seen ?? rule ?? '') ? undefined : error.options.path
  if (error.status >= 500) return UNEXPLAINED
  if (rule === undefined) return { ...UNEXPLAINED, expected: reason ?? null, path: path ?? null }
  return {
    rule,
    expected: ruleOf(rule)?.expected ?? null,
    seen: seen ?? reason ?? null,
    path: path ?? null,
  }
}

/** By hundreds, as the reports count; a caller that hung up is on the caller's account. */
export type ResponseGroup = '2xx' | '4xx' | '5xx'
export const groupOf = (status: number): ResponseGroup => (status >= 500 ? '5xx' : status >= 400 ? '4xx' : '2xx')

/** What a payment says of its billing (lfi-api 7.7); a text of another form is not recorded. */
export type Billing = { readonly paymentType: string | null; readonly merchantId: string | null }
export function billingOf(body: unknown): Billing {
  const billing = member(member(body, 'Data'), 'OpenFinanceBilling')
  const [type, merchant] = [member(billing, 'Type'), member(billing, 'MerchantId')]
  return {
    paymentType: typeof type === 'string' && /^[A-Za-z0-9]{1,64}$/.test(type) ? type : null,
    merchantId: typeof merchant === 'string' && /^\w[\w.-]{0,63}$/.test(merchant) ? merchant : null,
  }
}

const member = (value: unknown, name: string): unknown =>
  typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>)[name] : undefined
