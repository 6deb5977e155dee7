/** What a TPP is told when the LFI does not answer with data (lfi-api 6.3), as a table. */
import { ERRORS, type ErrorCode, HubError } from '../errors.ts'
import type { Attempt } from './exchange.ts'

type Told = {
  readonly code: ErrorCode
  /** Keeps the LFI's own code where the contract knows it, or, at 400, where it is namespaced. */
  readonly keepsCode: boolean
  /** Keeps the LFI's words. Never at 500: they may tell of its inside. */
  readonly keepsText: boolean
}

const BROKEN: Told = { code: 'GenericError', keepsCode: false, keepsText: false }
const UNAVAILABLE: Told = { code: 'GenericRecoverableError', keepsCode: false, keepsText: false }

export const BY_STATUS: ReadonlyMap<number, Told> = new Map([
  [400, { code: 'GenericError', keepsCode: true, keepsText: true }],
  // The hub was refused, not the TPP, whose token is in order.
  [401, BROKEN],
  [403, { code: 'GenericError', keepsCode: true, keepsText: true }],
  [404, { code: 'Resource.InvalidFormat', keepsCode: false, keepsText: false }],
  [409, { code: 'GenericError', keepsCode: true, keepsText: true }],
  [429, { code: 'TooManyRequests', keepsCode: false, keepsText: false }],
  [500, { code: 'GenericError', keepsCode: true, keepsText: false }],
  [502, UNAVAILABLE],
  [503, UNAVAILABLE],
  [504, UNAVAILABLE],
])
/** Status at the TPP where it is not the one of the code; most operations declare no 409. */
const TPP_STATUS: ReadonlyMap<number, 400 | 403 | 500> = new Map([
  [400, 400],
  [403, 403],
  [409, 400],
  [500, 500],
])
const BY_OUTCOME = {
  timeout: UNAVAILABLE,
  unreachable: UNAVAILABLE,
  cancelled: UNAVAILABLE,
  'invalid-response': BROKEN,
} as const satisfies Record<Exclude<Attempt['outcome'], 'answered'>, Told>

/** Codes that may reach the TPP because of what the LFI said. */
export const LFI_CODES: readonly ErrorCode[] = (Object.keys(ERRORS) as ErrorCode[]).filter(
  (code) => ERRORS[code].body || code === 'NotFound' || code === 'TooManyRequests',
)

/** The pattern of codes that a system may make up for itself (tpp-api 7.1). */
const NAMESPACED = /^[A-Za-z]+\.[A-Za-z0-9]+$/
const CODE_LENGTH_MAX = 100

/** The TPP has to be told one (tpp-api 7), also where the LFI did not. */
const RETRY_AFTER_SECONDS = 60

/** What the operation declares: 404 without a body, 409 with one. */
type Declared = { readonly has404: boolean; readonly has409?: boolean }

export function toTppError(attempt: Attempt, operation: Declared): HubError {
  if (attempt.outcome !== 'answered') {
    const { outcome, why: detail, retryAfterSeconds } = attempt
    return new HubError(BY_OUTCOME[outcome].code, {
      detail,
      ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }),
    })
  }
  const { status } = attempt
  const detail = `the LFI answered ${status}`
  if (status === 404 && operation.has404) return new HubError('NotFound', { detail })
  const { retryAfterSeconds } = attempt
  if (status === 429) {
    return new HubError('TooManyRequests', { detail, retryAfterSeconds: retryAfterSeconds ?? RETRY_AFTER_SECONDS })
  }
  const told = BY_STATUS.get(status) ?? BROKEN
  const said = readError(attempt.body)
  const own = told.keepsCode ? ownCode(said.code, status) : null
  const tppStatus = status === 409 && operation.has409 === true ? 409 : TPP_STATUS.get(status)
  return new HubError(own?.code ?? told.code, {
    detail,
    ...(own?.wireCode === undefined ? {} : { wireCode: own.wireCode }),
    ...(status === 503 && retryAfterSeconds !== null ? { retryAfterSeconds } : {}),
    ...(tppStatus === undefined ? {} : { status: tppStatus }),
    ...(told.keepsText && said.message !== '' ? { reason: said.message } : {}),
  })
}

/** Codes of the catalogue at the status they belong to; at 400 and 409 also what the LFI makes up for itself. */
function ownCode(code: string, status: number): { readonly code: ErrorCode; readonly wireCode?: string } | null {
  if (code === 'GenericError' || code === 'GenericRecoverableError') return { code }
  if (status === 500) return null
  const known = Object.hasOwn(ERRORS, code) ? (code as ErrorCode) : null
  if (known !== null && ERRORS[known].body && ERRORS[known].status === (status === 409 ? 400 : status)) {
    return { code: known }
  }
  if (status === 403 || code.length > CODE_LENGTH_MAX || !NAMESPACED.test(code)) return null
  return { code: 'GenericError', wireCode: code }
}

/** In the form of every error of an LFI (lfi-api 6.1). */
export function readError(body: Buffer): { readonly code: string; readonly message: string } {
  let said: unknown
  try {
    said = JSON.parse(body.toString('utf8'))
  } catch {
    said = null
  }
  const { errorCode, errorMessage } = (typeof said === 'object' && said !== null ? said : {}) as {
    readonly errorCode?: unknown
    readonly errorMessage?: unknown
  }
  return {
    code: typeof errorCode === 'string' ? errorCode : '',
    message: typeof errorMessage === 'string' ? errorMessage.trim() : '',
  }
}
