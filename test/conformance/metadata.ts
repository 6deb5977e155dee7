/** Members that a discovery document may have, by whom they are registered, and what the profile wants of them. */
import type { Style } from './style.ts'

export type MetadataRule = { readonly isRequired: boolean; readonly fits: (value: unknown) => boolean }

const isText = (value: unknown): boolean => typeof value === 'string' && value !== ''
const isFlag = (value: unknown): boolean => typeof value === 'boolean'
const isHttps = (value: unknown): boolean =>
  typeof value === 'string' && URL.canParse(value) && new URL(value).protocol === 'https:'
const isList = (value: unknown): value is readonly string[] => Array.isArray(value) && value.every(isText)
const holding =
  (...members: readonly string[]) =>
  (value: unknown): boolean =>
    isList(value) && members.every((member) => value.includes(member))
/** A list of algorithms the profile knows, and PS256 among them (FAPI 2.0 SP 5.4.1). */
const isSigning = (value: unknown): boolean =>
  holding('PS256')(value) && (value as readonly string[]).every((alg) => ['PS256', 'ES256', 'EdDSA'].includes(alg))
const isAliases = (value: unknown): boolean =>
  typeof value === 'object' && value !== null && Object.values(value).every(isHttps)

const must = (fits: MetadataRule['fits']): MetadataRule => ({ isRequired: true, fits })
const may = (fits: MetadataRule['fits']): MetadataRule => ({ isRequired: false, fits })

const METADATA: ReadonlyMap<string, MetadataRule> = new Map([
  // RFC 8414 and OpenID Connect Discovery 1.0
  ['issuer', must(isHttps)],
  ['authorization_endpoint', must(isHttps)],
  ['token_endpoint', must(isHttps)],
  ['jwks_uri', must(isHttps)],
  ['registration_endpoint', may(isHttps)],
  ['userinfo_endpoint', may(isHttps)],
  ['revocation_endpoint', may(isHttps)],
  ['introspection_endpoint', may(isHttps)],
  ['scopes_supported', must(holding('openid'))],
  ['response_types_supported', must((value) => isList(value) && value.join() === 'code')],
  ['response_modes_supported', may(isList)],
  ['grant_types_supported', may(holding('authorization_code'))],
  ['acr_values_supported', may(isList)],
  ['subject_types_supported', must(isList)],
  ['id_token_signing_alg_values_supported', must(isSigning)],
  ['id_token_encryption_alg_values_supported', may(isList)],
  ['id_token_encryption_enc_values_supported', may(isList)],
  ['userinfo_signing_alg_values_supported', may(isSigning)],
  ['userinfo_encryption_alg_values_supported', may(isList)],
  ['userinfo_encryption_enc_values_supported', may(isList)],
  ['token_endpoint_auth_methods_supported', must(holding('private_key_jwt'))],
  ['token_endpoint_auth_signing_alg_values_supported', must(isSigning)],
  ['revocation_endpoint_auth_methods_supported', may(isList)],
  ['revocation_endpoint_auth_signing_alg_values_supported', may(isSigning)],
  ['introspection_endpoint_auth_methods_supported', may(isList)],
  ['introspection_endpoint_auth_signing_alg_values_supported', may(isSigning)],
  ['introspection_signing_alg_values_supported', may(isSigning)],
  ['introspection_encryption_alg_values_supported', may(isList)],
  ['introspection_encryption_enc_values_supported', may(isList)],
  ['claim_types_supported', may(isList)],
  ['claims_supported', may(isList)],
  ['claims_parameter_supported', may(isFlag)],
  ['service_documentation', may(isHttps)],
  ['ui_locales_supported', may(isList)],
  ['op_policy_uri', may(isHttps)],
  ['op_tos_uri', may(isHttps)],
  ['code_challenge_methods_supported', must((value) => isList(value) && value.join() === 'S256')],
  // RFC 9101 and OpenID Connect Core 6
  ['request_parameter_supported', may(isFlag)],
  ['request_uri_parameter_supported', may(isFlag)],
  ['require_request_uri_registration', may(isFlag)],
  ['require_signed_request_object', may(isFlag)],
  ['request_object_signing_alg_values_supported', must(isSigning)],
  ['request_object_encryption_alg_values_supported', may(isList)],
  ['request_object_encryption_enc_values_supported', may(isList)],
  // RFC 8705
  ['tls_client_certificate_bound_access_tokens', must((value) => value === true)],
  ['mtls_endpoint_aliases', may(isAliases)],
  // RFC 9126
  ['pushed_authorization_request_endpoint', must(isHttps)],
  ['require_pushed_authorization_requests', may(isFlag)],
  // RFC 9207, RFC 9396, RFC 9449, JARM
  ['authorization_response_iss_parameter_supported', must((value) => value === true)],
  ['authorization_details_types_supported', may(isList)],
  ['dpop_signing_alg_values_supported', may(isList)],
  ['authorization_signing_alg_values_supported', may(isSigning)],
  ['authorization_encryption_alg_values_supported', may(isList)],
  ['authorization_encryption_enc_values_supported', may(isList)],
])

export const KNOWN: ReadonlySet<string> = new Set(METADATA.keys())

/** A server whose tokens are bound to keys says so instead (RFC 9449 5.1). */
const BOUND_TO_KEYS: ReadonlyMap<string, MetadataRule> = new Map([
  ['tls_client_certificate_bound_access_tokens', may(isFlag)],
  ['dpop_signing_alg_values_supported', must(isSigning)],
])

export const metadataFor = ({ binding }: Style): ReadonlyMap<string, MetadataRule> =>
  binding === 'key' ? new Map([...METADATA, ...BOUND_TO_KEYS]) : METADATA
