/** Answers and errors as they go over the wire (tpp-api 5.1, 7). */
import { epochSeconds } from '../clock.ts'
import { DPOP_ALGORITHMS } from '../dpop-proof.ts'
import { ERRORS, type HubError } from '../errors.ts'
import { sign } from '../jose.ts'
import type { Offer } from './accept.ts'
import { type Answer, Bytes } from './answer.ts'
import type { Services } from './services.ts'

export type Rendered = {
  readonly status: number
  readonly headers: Readonly<Record<string, string | number>>
  readonly body: Buffer | null
}
/** For whom: undefined while it is not known. */
export type Recipient = {
  readonly offer: Offer | undefined
  readonly clientId: string | undefined
  /** How the family writes the audience of a signed message (tpp-api 5.1). */
  readonly audience: 'list' | 'text'
  /** What the next DPoP proof has to hold; undefined for who does not use DPoP. */
  readonly nonce: string | undefined
}

const MESSAGE_LIFETIME_SECONDS = 600
const NEVER_STORED = { 'cache-control': 'no-store' } as const

export async function renderAnswer(answer: Answer, to: Recipient, services: Services): Promise<Rendered> {
  const { status, body } = answer
  const headers = { ...NEVER_STORED, ...nonceHeader(to), ...answer.headers }
  if (status === 204) return { status, headers, body: null }
  if (body === null) return { status, headers: { ...headers, 'content-length': 0 }, body }
  if (body instanceof Bytes) {
    const { bytes, contentType } = body
    return { status, headers: { ...headers, 'content-type': contentType, 'content-length': bytes.length }, body: bytes }
  }
  return withBody(status, body, to, headers, services, answer.signed)
}

export async function renderError(error: HubError, to: Recipient, services: Services): Promise<Rendered> {
  const { status } = error
  const headers = { ...NEVER_STORED, ...nonceHeader(to), ...headersOf(error, to) }
  // A status that is not the code's own is one that has a body (errors.ts).
  if (!ERRORS[error.code].body) return { status, headers: { ...headers, 'content-length': 0 }, body: null }
  const { path } = error.options
  const told = {
    Code: error.wireCode,
    Message: error.reason,
    ...(path === undefined ? {} : { Path: path.slice(0, 500) }),
  }
  return withBody(status, { Errors: [told] }, to, headers, services)
}

async function withBody(
  status: number,
  message: unknown,
  to: Recipient,
  headers: Readonly<Record<string, string>>,
  services: Services,
  signedBefore: string | null = null,
): Promise<Rendered> {
  const offer = to.offer ?? 'application/json; charset=utf-8'
  const text =
    offer === 'application/jwt' ? (signedBefore ?? (await signMessage(message, to, services))) : JSON.stringify(message)
  const body = Buffer.from(text)
  return { status, headers: { ...headers, 'content-type': offer, 'content-length': body.length }, body }
}

export function signMessage(
  message: unknown,
  { clientId, audience }: Pick<Recipient, 'clientId' | 'audience'>,
  services: Pick<Services, 'tenant' | 'clock' | 'keys'>,
): Promise<string> {
  const { tenant, clock, keys } = services
  const [key] = keys.now().signing
  const now = epochSeconds(clock.now())
  const claims = {
    iss: tenant.listeners.auth.origin,
    ...audienceOf(clientId, audience),
    iat: now,
    nbf: now,
    exp: now + MESSAGE_LIFETIME_SECONDS,
    message,
  }
  return sign(key, claims)
}

function audienceOf(clientId: string | undefined, as: Recipient['audience']): { readonly aud?: string | string[] } {
  if (as === 'list') return { aud: clientId === undefined ? [] : [clientId] }
  return clientId === undefined ? {} : { aud: clientId }
}

/** RFC 9449 8.2: with every answer, so that the nonce of the next proof is never a stale one. */
const nonceHeader = ({ nonce }: Recipient): Readonly<Record<string, string>> =>
  nonce === undefined ? {} : { 'dpop-nonce': nonce }

function headersOf(error: HubError, to: Recipient): Readonly<Record<string, string>> {
  switch (error.code) {
    case 'Unauthorized':
      return { 'www-authenticate': challenge(error, to) }
    case 'MethodNotAllowed':
      return { allow: (error.options.allow ?? []).join(', ') }
    case 'TooManyRequests':
      return { 'retry-after': String(error.options.retryAfterSeconds ?? 1) }
    default:
      return error.options.retryAfterSeconds === undefined
        ? {}
        : { 'retry-after': String(error.options.retryAfterSeconds) }
  }
}

/** RFC 6750 3, RFC 9449 7.1. */
function challenge({ options, reason }: HubError, { nonce }: Recipient): string {
  const told = `error="${options.challenge ?? 'invalid_token'}", error_description="${quotable(reason)}"`
  return nonce === undefined ? `Bearer ${told}` : `DPoP ${told}, algs="${DPOP_ALGORITHMS.join(' ')}"`
}

/** RFC 6750 3: printable ASCII without quote and backslash. */
const quotable = (text: string): string => text.replaceAll(/[^\x20\x21\x23-\x5b\x5d-\x7e]/g, "'")
