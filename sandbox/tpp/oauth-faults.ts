/** The OAuth library's errors, in this application's words. */
import * as oidc from 'openid-client'
import { LfiFault, untrusted } from './errors.ts'
import { findFault } from './profile.ts'
import { INTERACTION_HEADER } from './transport.ts'

export async function asFault<T>(work: Promise<T>): Promise<T> {
  try {
    return await work
  } catch (error) {
    throw toFault(error)
  }
}

function toFault(error: unknown): LfiFault {
  const known = findFault(error)
  if (known !== null) return known
  if (error instanceof oidc.AuthorizationResponseError) {
    return new LfiFault('oauth', error.error_description ?? error.error, { code: error.error, cause: error })
  }
  if (error instanceof oidc.ResponseBodyError) {
    return new LfiFault('oauth', error.error_description ?? error.error, {
      status: error.status,
      code: error.error,
      interactionId: error.response.headers.get(INTERACTION_HEADER),
      cause: error,
    })
  }
  if (error instanceof oidc.WWWAuthenticateChallengeError) {
    return new LfiFault('oauth', 'the hub asks for another way to authenticate', {
      status: error.status,
      interactionId: error.response.headers.get(INTERACTION_HEADER),
      cause: error,
    })
  }
  const answer = unexpectedAnswer(error)
  if (answer !== null) {
    return new LfiFault('oauth', `the authorization server answered ${answer.status}`, {
      status: answer.status,
      interactionId: answer.headers.get(INTERACTION_HEADER),
      cause: error,
    })
  }
  // Everything else the library throws is an answer it would not believe: it names the check that failed.
  return untrusted(explain(error), error)
}

/** A status that no OAuth answer has, such as 500: the library hands the response over as the cause. */
function unexpectedAnswer(error: unknown): Response | null {
  const cause: unknown = error instanceof oidc.ClientError ? error.cause : null
  const unexpected = cause !== null && typeof cause === 'object' && 'status' in cause && 'headers' in cause
  return unexpected ? (cause as Response) : null
}

function explain(error: unknown): string {
  if (!(error instanceof Error)) return 'the answer could not be believed'
  const inner = error.cause instanceof Error ? ` (${error.cause.message})` : ''
  return `${error.message}${inner}`
}
