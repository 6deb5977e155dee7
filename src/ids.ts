/**
 * Branded identifiers. Text from outside becomes one of these through a `to…` function or not at all;
 * past that line nothing is a bare string. `null` means malformed.
 */
declare const brand: unique symbol
export type Brand<T, Name extends string> = T & { readonly [brand]: Name }

/** LFI code: 3–8 lower-case alphanumerics, immutable, equal to `o3-provider-id` (lfi-api 7.1). */
export type TenantId = Brand<string, 'TenantId'>
/** Directory id of an application; a UUID, optionally behind a prefix (CM schema: ends in a v4 UUID). */
export type ClientId = Brand<string, 'ClientId'>
export type OrganisationId = Brand<string, 'OrganisationId'>
/** Chosen by the TPP in its authorization details; a UUID. */
export type ConsentId = Brand<string, 'ConsentId'>
/** Opaque account identifier of the LFI, 1–40 characters. */
export type AccountId = Brand<string, 'AccountId'>
/** The `x-fapi-interaction-id` of one request. */
export type CorrelationId = Brand<string, 'CorrelationId'>
/** One authorization journey between getAuth and doConfirm or doFail. */
export type InteractionId = Brand<string, 'InteractionId'>
/** base64url SHA-256 of a DER certificate: `x5t#S256`, also the directory's `kid`. */
export type Thumbprint = Brand<string, 'Thumbprint'>

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i
const TENANT = /^[a-z][a-z0-9]{2,7}$/
const ENDS_IN_UUID = /^\S{0,200}[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i
const OPAQUE = /^[\x21-\x7e]{1,128}$/
// Path segments of accounts travel into the LFI's URL: only characters that need no escaping there.
const ACCOUNT = /^[A-Za-z0-9._~-]{1,40}$/

const parser =
  <T extends string>(pattern: RegExp) =>
  (raw: unknown): T | null =>
    typeof raw === 'string' && pattern.test(raw) ? (raw as T) : null

export const isUuid = (raw: unknown): raw is string => typeof raw === 'string' && UUID.test(raw)
export const toTenantId = parser<TenantId>(TENANT)
export const toClientId = parser<ClientId>(ENDS_IN_UUID)
export const toOrganisationId = parser<OrganisationId>(UUID)
export const toConsentId = parser<ConsentId>(UUID)
export const toCorrelationId = parser<CorrelationId>(UUID)
export const toInteractionId = parser<InteractionId>(OPAQUE)
export const toThumbprint = parser<Thumbprint>(/^[A-Za-z0-9_-]{43}$/)
/** `.` and `..` would be path segments with a meaning of their own. */
export const toAccountId = (raw: unknown): AccountId | null =>
  raw === '.' || raw === '..' ? null : parser<AccountId>(ACCOUNT)(raw)

export const newCorrelationId = (): CorrelationId => crypto.randomUUID() as CorrelationId

/** The end of every switch over a union: a new member breaks the build where it matters. */
export function never(value: never): never {
  throw new Error(`unreachable: ${typeof value}`)
}
