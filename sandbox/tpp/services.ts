/** Services that need no consent (tpp-api 5.4 to 5.8): asked with a token of the application itself. */
import { LfiFault } from './errors.ts'
import type { CustomerPresent, ResourceAnswer, Resources } from './resources.ts'
import { type Signer, signMessage } from './signed-message.ts'

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

export function createServices(
  deps: Signer & {
    readonly bases: ReadonlyMap<string, string>
    readonly resources: Resources
    readonly token: (scope: string) => Promise<string>
  },
): Services {
  return {
    async ask({ family, path, method = 'GET', body, signed = false, customer }) {
      const base = deps.bases.get(family)
      if (base === undefined) throw new LfiFault('untrusted', `the trust framework lists no ${family} at this bank`)
      const accessToken = await deps.token(SCOPES[family])
      const content = body === undefined ? {} : signed ? { jws: await signMessage(body, deps) } : { body }
      return deps.resources.call(base + path, { method, accessToken, customer, signed, ...content })
    },
  }
}
