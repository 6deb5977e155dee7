/** How an authorization journey ends: doConfirm and doFail, turned into the result that the engine resumes with. */
import type { InteractionResults, Provider } from 'oidc-provider'
import type { Clock } from '../clock.ts'
import { iso } from '../clock.ts'
import type { TenantConfig } from '../config.ts'
import { type Consent, type ConsentStore, type Psu, usable } from '../consent-store/index.ts'
import type { IdTokenClaims } from './id-token-claims.ts'
import { authorizationCode, printable } from './oauth-answer.ts'
import type { GrantDetail } from './provider.ts'
import type { SubjectOf } from './subject.ts'
import type { Unit } from './unit-of-work.ts'

export type CompletionDeps = {
  readonly tenant: TenantConfig
  readonly provider: Provider
  readonly consents: ConsentStore
  readonly clock: Clock
  readonly subjectOf: SubjectOf
}

/** lfi-api 1.5: defaults when absent, and whatever is no authorization error becomes invalid_request. */
export function failure(form: ReadonlyMap<string, string>): InteractionResults {
  return {
    error: authorizationCode(form.get('error') ?? 'access_denied'),
    error_description: printable(form.get('error_description') ?? 'the authorization was not completed'),
  }
}

/** The grant behind a confirmed consent, and what the LFI says of the authentication. */
export async function confirmation(
  deps: CompletionDeps,
  unit: Unit,
  consent: Consent,
  form: ReadonlyMap<string, string>,
  idTokenClaims: IdTokenClaims,
): Promise<InteractionResults> {
  const confirmed = usable(consent, deps.clock.now())
  const psu = confirmed.ok ? confirmed.consent.psu : firstOfSeveral(consent)
  if (psu === null) {
    return {
      error: 'server_error',
      error_description: printable(`the consent cannot be confirmed, it is ${confirmed.ok ? '' : confirmed.status}`),
    }
  }
  const accountId = await deps.subjectOf(psu.userId)
  const grant = new deps.provider.Grant({ clientId: consent.clientId, accountId })
  // The engine counts every listed scope as its own as well as the resource's, and prompts for what it misses.
  const { scope } = consent
  grant.addOIDCScope(scope)
  grant.addResourceScope(deps.tenant.listeners.rs.origin, scope)
  grant.addRar({
    type: consent.rarType,
    ConsentId: consent.id,
    ExpirationDateTime: iso(consent.expiresAt),
    idTokenClaims,
  } satisfies GrantDetail)
  const grantId = await grant.save()
  unit.join((tx) => deps.consents.attachGrant(tx, consent.id, grantId))
  const authTime = Number(form.get('auth_time'))
  return {
    login: {
      accountId,
      remember: false,
      ...(Number.isInteger(authTime) && authTime > 0 ? { ts: authTime } : {}),
      ...(form.get('acr') === undefined ? {} : { acr: printable(form.get('acr') ?? '') }),
    },
    consent: { grantId },
  }
}

/**
 * Where several must authorize, the first is sent back to the TPP at once: there are tokens, which show how the consent
 * stands, and open nothing before it is authorized (tpp-api 4.8).
 */
function firstOfSeveral(consent: Consent): Psu | null {
  if (consent.status !== 'AwaitingAuthorization' || consent.type !== 'service-initiation') return null
  const { authorization } = consent.payment
  return authorization.by === 'several' && authorization.authorizers !== null ? consent.psu : null
}
