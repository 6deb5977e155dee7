/** How an authorization journey ends: doConfirm and doFail, turned into the result that the engine resumes with. */
import type { InteractionResults, Provider } from 'oidc-provider'
import type { Clock } from '../clock.ts'
import { iso } from '../clock.ts'
import type { TenantConfig } from '../config.ts'
import { type Consent, type ConsentStore, usable } from '../consent-store/index.ts'
import { type Db, inTransaction } from '../db.ts'
import type { GrantDetail } from './provider.ts'
import { SCOPES_OF_RAR_TYPE } from './served.ts'
import type { SubjectOf } from './subject.ts'

export type CompletionDeps = {
  readonly tenant: TenantConfig
  readonly provider: Provider
  readonly db: Db
  readonly consents: ConsentStore
  readonly clock: Clock
  readonly subjectOf: SubjectOf
}

/** Error codes that an authorization response may carry (RFC 6749 4.1.2.1, OIDC Core 3.1.2.6). */
const FAIL_CODES: ReadonlySet<string> = new Set([
  'access_denied',
  'invalid_request',
  'invalid_scope',
  'unauthorized_client',
  'unsupported_response_type',
  'server_error',
  'temporarily_unavailable',
  'login_required',
  'interaction_required',
  'account_selection_required',
  'consent_required',
])

/** lfi-api 1.5: defaults when absent, and whatever is no authorization error becomes invalid_request. */
export function failure(form: ReadonlyMap<string, string>): InteractionResults {
  const error = form.get('error') ?? 'access_denied'
  const description = form.get('error_description') ?? 'the authorization was not completed'
  return { error: FAIL_CODES.has(error) ? error : 'invalid_request', error_description: printable(description) }
}

/** RFC 6749 4.1.2.1 allows these characters in error_description. */
const printable = (text: string): string => text.replace(/[^\x20-\x21\x23-\x5b\x5d-\x7e]/g, ' ').slice(0, 500)

/**
 * The grant behind a confirmed consent. `heimdall.*` parameters are accepted and ignored (lfi-api 1.4); `acr` and
 * `auth_time` become claims of the id_token.
 */
export async function confirmation(
  deps: CompletionDeps,
  consent: Consent,
  form: ReadonlyMap<string, string>,
): Promise<InteractionResults> {
  const granted = usable(consent, deps.clock.now())
  if (!granted.ok) {
    return {
      error: 'server_error',
      error_description: printable(`the consent cannot be confirmed, it is ${granted.status}`),
    }
  }
  const { psu } = granted.consent
  const accountId = await deps.subjectOf(psu.userId)
  const grant = new deps.provider.Grant({ clientId: consent.clientId, accountId })
  // The engine counts every listed scope as its own as well as the resource's, and prompts for what it misses.
  const scope = (SCOPES_OF_RAR_TYPE.get(consent.rarType) ?? []).join(' ')
  grant.addOIDCScope(scope)
  grant.addResourceScope(deps.tenant.listeners.rs.origin, scope)
  grant.addRar({
    type: consent.rarType,
    ConsentId: consent.id,
    ExpirationDateTime: iso(consent.expiresAt),
  } satisfies GrantDetail)
  const grantId = await grant.save()
  await inTransaction(deps.db, (tx) => deps.consents.attachGrant(tx, consent.id, grantId))
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
