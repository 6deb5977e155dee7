/** Services that need no consent (tpp-api 5.4 to 5.8): asked with a token of the application itself. */
import { randomUUID } from 'node:crypto'
import { SignJWT } from 'jose'
import { LfiFault } from './errors.ts'
import type { SigningKey } from './profile.ts'
import type { CustomerPresent, ResourceAnswer, Resources } from './resources.ts'

/** Family as the directory names it → scope of its tokens. */
const SCOPES = {
  confirmation: 'confirmation-of-payee',
  atm: 'atm',
  product: 'products',
  fx: 'fx',
  'account-opening': 'account-opening',
} as const
export type ServiceFamily = keyof typeof SCOPES

export type ServiceAsk = {
  readonly family: ServiceFamily
  /** Below the base of the family. */
  readonly path: string
  readonly method?: 'GET' | 'POST' | 'PATCH'
  readonly body?: unknown
  /** The body goes, and the answer comes, as a signed message. */
  readonly signed?: boolean
  readonly customer?: CustomerPresent | undefined
}
export type Services = { ask(ask: ServiceAsk): Promise<ResourceAnswer> }

const MESSAGE_SECONDS = 240

export function createServices(deps: {
  readonly bases: ReadonlyMap<string, string>
  readonly resources: Resources
  readonly signing: SigningKey
  readonly clientId: string
  readonly issuer: string
  readonly token: (scope: string) => Promise<string>
}): Services {
  return {
    async ask({ family, path, method = 'GET', body, signed = false, customer }) {
      const base = deps.bases.get(family)
      if (base === undefined) throw new LfiFault('untrusted', `the trust framework lists no ${family} at this bank`)
      const accessToken = await deps.token(SCOPES[family])
      const content = body === undefined ? {} : signed ? { jws: await sign(body, deps) } : { body }
      return deps.resources.call(base + path, { method, accessToken, customer, signed, ...content })
    },
  }
}

/** tpp-api 5.1. */
function sign(
  message: unknown,
  { signing, clientId, issuer }: { readonly signing: SigningKey; readonly clientId: string; readonly issuer: string },
): Promise<string> {
  const now = Math.floor(Date.now() / 1000)
  return new SignJWT({ message })
    .setProtectedHeader({ alg: 'PS256', kid: signing.kid })
    .setIssuer(clientId)
    .setAudience(issuer)
    .setIssuedAt(now)
    .setNotBefore(now)
    .setExpirationTime(now + MESSAGE_SECONDS)
    .setJti(randomUUID())
    .sign(signing.key)
}
