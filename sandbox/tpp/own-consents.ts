/** The consents that this TPP has asked for, as the hub holds them now (tpp-api 4.4). */
import { CONSENT_KINDS, type ConsentKind } from './consent-kinds.ts'
import type { ResourceAnswer, Resources } from './resources.ts'
import { type Signer, signMessage } from './signed-message.ts'

export type OwnConsents = {
  show(kind: ConsentKind, consentId: string, options?: { readonly signed?: boolean }): Promise<ResourceAnswer>
  /** Of accounts; the root and what continues it (tpp-api 4.5). */
  group(baseConsentId: string): Promise<ResourceAnswer>
  end(kind: ConsentKind, consentId: string, by: 'TPP' | 'TPP.InitiatedByUser'): Promise<ResourceAnswer>
}

export function createOwnConsents(
  deps: Signer & {
    /** Of the bank's resources. */
    readonly origin: string
    readonly resources: Resources
    readonly token: (scope: string) => Promise<string>
  },
): OwnConsents {
  const { origin, resources } = deps
  const at = (kind: ConsentKind, rest: string): string => `${origin}${CONSENT_KINDS[kind].path}${rest}`
  const tokenFor = (kind: ConsentKind): Promise<string> => deps.token(`openid ${CONSENT_KINDS[kind].scope}`)
  return {
    show: async (kind, consentId, options = {}) =>
      resources.call(at(kind, `/${encodeURIComponent(consentId)}`), {
        accessToken: await tokenFor(kind),
        ...options,
        ...(CONSENT_KINDS[kind].isSigned ? { signed: true } : {}),
      }),
    group: async (baseConsentId) =>
      resources.call(at('accounts', `?${new URLSearchParams({ baseConsentId })}`), {
        accessToken: await tokenFor('accounts'),
      }),
    end: async (kind, consentId, by) => {
      const body = { Data: { Status: 'Revoked', RevokedBy: by } }
      const { isSigned } = CONSENT_KINDS[kind]
      return resources.call(at(kind, `/${encodeURIComponent(consentId)}`), {
        method: 'PATCH',
        accessToken: await tokenFor(kind),
        ...(isSigned ? { signed: true, jws: await signMessage(body, deps) } : { body }),
      })
    },
  }
}
