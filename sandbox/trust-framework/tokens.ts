/** Opaque access tokens of the directory's API, each bound to the certificate that asked for it (RFC 8705 3). */
import { createHash, randomBytes } from 'node:crypto'
import type { Clock } from './directory.ts'

export const TOKEN_SECONDS = 600
const TOKENS_MAX = 1_000

export type Tokens = {
  issue(thumbprint: string): string
  /** True for a token of this certificate that has not run out. */
  holds(token: string, thumbprint: string): boolean
}

export function createTokens(now: Clock): Tokens {
  const issued = new Map<string, { readonly thumbprint: string; readonly expires: number }>()
  return {
    issue: (thumbprint) => {
      // Issued in order and all of one lifetime: the oldest are first, and the first to go.
      for (const [key, { expires }] of issued) {
        if (expires > now().getTime() && issued.size < TOKENS_MAX) break
        issued.delete(key)
      }
      const token = randomBytes(32).toString('base64url')
      issued.set(digest(token), { thumbprint, expires: now().getTime() + TOKEN_SECONDS * 1000 })
      return token
    },
    holds: (token, thumbprint) => {
      const known = issued.get(digest(token))
      return known !== undefined && known.thumbprint === thumbprint && known.expires > now().getTime()
    },
  }
}

const digest = (token: string): string => createHash('sha256').update(token).digest('base64url')
