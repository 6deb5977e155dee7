/** Sending the customer's browser back to the TPP with an error (RFC 6749 4.1.2.1, RFC 9207). */
import { printable } from './oauth-answer.ts'

export type ErrorRedirect = {
  /** Checked against the client's registration by whoever calls this. */
  readonly redirectUri: string
  readonly issuer: string
  readonly error: string
  readonly description: string
  readonly state: unknown
}

export function errorLocation({ redirectUri, issuer, error, description, state }: ErrorRedirect): string {
  const location = new URL(redirectUri)
  location.searchParams.set('error', error)
  location.searchParams.set('error_description', printable(description))
  if (typeof state === 'string') location.searchParams.set('state', state)
  location.searchParams.set('iss', issuer)
  return location.href
}
