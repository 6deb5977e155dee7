import type { RuleId } from './refusals.ts'

/**
 * The error catalogue of the resource side (gateway and consent manager). OAuth endpoints speak RFC 6749
 * errors instead, which the authorization server renders.
 *
 * `body: false` marks the statuses that the published documents declare without content (tpp-api 7.2); the reason
 * then travels in `WWW-Authenticate` (401) or is only logged.
 */
type Row = { readonly status: number; readonly body: boolean; readonly text: string }

export const ERRORS = {
  'AccessToken.InvalidScope': {
    status: 403,
    body: true,
    text: 'The access token or its consent does not permit this operation',
  },
  'Body.InvalidFormat': { status: 400, body: true, text: 'The request body does not have the documented form' },
  'Resource.InvalidFormat': {
    status: 400,
    body: true,
    text: 'A path, query or header value does not have the documented form',
  },
  'Consent.Invalid': { status: 400, body: true, text: 'The consent cannot be used' },
  'Consent.BusinessRuleViolation': { status: 400, body: true, text: 'The request breaks a rule of the consent' },
  'Consent.FailsControlParameters': { status: 400, body: true, text: 'The request exceeds what the consent allows' },
  'Consent.InvalidUserIdentifier': { status: 400, body: true, text: 'The LFI does not know the user of this consent' },
  'Consent.TransientAccountAccessFailure': {
    status: 403,
    body: true,
    text: 'The account cannot be read at the moment',
  },
  'Consent.AccountTemporarilyBlocked': { status: 403, body: true, text: 'The account is temporarily blocked' },
  'Consent.PermanentAccountAccessFailure': {
    status: 403,
    body: true,
    text: 'The account is not available to this consent',
  },
  'JWS.Malformed': { status: 400, body: true, text: 'The signed message cannot be parsed' },
  'JWS.InvalidHeader': { status: 400, body: true, text: 'The signed message has an unacceptable header' },
  'JWS.InvalidSignature': { status: 400, body: true, text: 'The signature of the message does not verify' },
  'JWS.InvalidClaim': { status: 400, body: true, text: 'A claim of the signed message is missing or unacceptable' },
  'JWE.DecryptionError': { status: 400, body: true, text: 'The encrypted content cannot be decrypted' },
  'JWE.InvalidHeader': { status: 400, body: true, text: 'The encrypted content has an unacceptable header' },
  'Event.UnexpectedEvent': { status: 400, body: true, text: 'The event is not possible in the present state' },
  GenericRecoverableError: {
    status: 500,
    body: true,
    text: 'The request could not be completed; repeating it may succeed',
  },
  GenericError: { status: 500, body: true, text: 'The request could not be completed' },
  Unauthorized: { status: 401, body: false, text: 'The caller is not authenticated' },
  NotFound: { status: 404, body: false, text: 'No such resource' },
  MethodNotAllowed: { status: 405, body: false, text: 'The method is not available here' },
  NotAcceptable: { status: 406, body: false, text: 'None of the accepted media types is offered' },
  PayloadTooLarge: { status: 413, body: false, text: 'The request body is too large' },
  UnsupportedMediaType: { status: 415, body: false, text: 'The content type is not accepted here' },
  MisdirectedRequest: { status: 421, body: false, text: 'This host is not served here' },
  TooManyRequests: { status: 429, body: false, text: 'Too many requests' },
} as const satisfies Record<string, Row>

export type ErrorCode = keyof typeof ERRORS

export type HubErrorOptions = {
  /** Public: why, in words the caller can act on. Never holds a value from a payload, token or person. */
  readonly reason?: string
  /** Public: JSON path, parameter or header at fault, 1–500 characters. */
  readonly path?: string
  /** Log only. */
  readonly detail?: string
  /** Which rule refuses; stands in the audit entry, so that the refusal can be explained later. */
  readonly rule?: RuleId
  /** What was found instead, in words of ours: never a value from a payload, token or person. */
  readonly seen?: string
  /** A code on the wire other than the catalogue's: an LFI's own namespaced code (tpp-api 7.1). */
  readonly wireCode?: string
  /** A status other than the catalogue's, where the contract allows the code under several (Generic* at 400, 403, 409). */
  readonly status?: 400 | 403 | 409 | 500
  readonly retryAfterSeconds?: number
  readonly allow?: readonly string[]
  /** What `WWW-Authenticate` says instead of invalid_token (RFC 9449 7.1, 9). */
  readonly challenge?: 'invalid_dpop_proof' | 'use_dpop_nonce'
  readonly cause?: unknown
}

/** Every expected failure. Anything else that is thrown is a fault of ours and becomes GenericError. */
export class HubError extends Error {
  readonly code: ErrorCode
  readonly options: HubErrorOptions

  constructor(code: ErrorCode, options: HubErrorOptions = {}) {
    super(options.detail ?? options.reason ?? code, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = 'HubError'
    this.code = code
    this.options = options
  }

  get status(): number {
    return this.options.status ?? ERRORS[this.code].status
  }

  get wireCode(): string {
    return this.options.wireCode ?? this.code
  }

  /** Public text, cut to the 500 characters that the contract allows. */
  get reason(): string {
    return (this.options.reason ?? ERRORS[this.code].text).slice(0, 500)
  }
}

export const toHubError = (thrown: unknown): HubError =>
  thrown instanceof HubError
    ? thrown
    : new HubError(isPassing(thrown) ? 'GenericRecoverableError' : 'GenericError', {
        detail: thrown instanceof Error ? thrown.message : 'thrown value',
        cause: thrown,
      })

/** PostgreSQL's own: a statement ended for its length, a server that goes or comes, no room for a connection. */
const PASSING_STATES = /^(57014|57P0[1-5]|53\d{3}|08\w{3}|40001|40P01|25P03)$/
const CONNECTION_FAULTS = new Set(['ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'ETIMEDOUT', 'EHOSTUNREACH', 'ENETUNREACH'])
/** Of the driver, which gives these no code. */
const PASSING_WORDS =
  /^(Connection terminated|timeout expired|the database has gone|Client (has encountered a connection error|was closed))/
/** The database is away, slow or full: the same call may well succeed in a moment. */
function isPassing(thrown: unknown): boolean {
  if (!(thrown instanceof Error)) return false
  const { code } = thrown as { readonly code?: unknown }
  if (typeof code === 'string') return PASSING_STATES.test(code) || CONNECTION_FAULTS.has(code)
  return thrown.name === 'KnexTimeoutError' || PASSING_WORDS.test(thrown.message)
}

/** A fault that whoever runs a command can mend: told in a sentence, without a stack. */
export class OperatorError extends Error {
  override name = 'OperatorError'
}
