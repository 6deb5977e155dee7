/**
 * What a pushed authorization request leaves behind: the consent, with its audit entry. Everything about the request is
 * validated and its answer has not left; the LFI has its say now, and when it says no nothing is left behind at all. A TPP that never got its answer pushes again, and the consent is at hand
 * through the new request_uri alone.
 */
import { errors, type KoaContextWithOIDC } from 'oidc-provider'
import { type Clock, type Instant, secondsToMilliseconds, toInstant } from '../clock.ts'
import type { TenantConfig } from '../config.ts'
import { awaiting, type ConsentStore, type LodgeAsk } from '../consent-store/index.ts'
import { goneOf } from '../gone.ts'
import { toConsentId } from '../ids.ts'
import { keptHeaders } from '../kept-headers.ts'
import { type Augmentation, type ConsentActions, lfiPart } from '../lfi/index.ts'
import type { HubContext } from '../listener.ts'
import { type Participants, tppView } from '../participants/index.ts'
import { fileId, removeRow } from './engine-records.ts'
import { answerOAuthError } from './oauth-answer.ts'
import { type ConsentDetail, clientIdOf } from './rar.ts'
import { REQUEST_URN } from './spent-request.ts'
import type { Oidc, TppTrace } from './tpp-records.ts'
import type { Unit } from './unit-of-work.ts'

export type LodgingDeps = {
  readonly tenant: TenantConfig
  readonly consents: ConsentStore
  readonly participants: Participants
  readonly consentActions: ConsentActions
  readonly clock: Clock
}

const PUSHED = 'PushedAuthorizationRequest'

/** @throws InvalidRequest, when the unit is written, for a ConsentId that somebody else got in first with */
export async function lodge(
  ctx: HubContext,
  deps: LodgingDeps,
  oidc: Oidc,
  unit: Unit,
  trace: TppTrace,
): Promise<void> {
  const clientId = clientIdOf(ctx as unknown as KoaContextWithOIDC)
  const client = await deps.participants.client(clientId)
  const [detail] = JSON.parse(String(oidc.params?.['authorization_details'])) as readonly [ConsentDetail]
  const consentId = toConsentId(detail.consent.ConsentId)
  if (client === null || consentId === null) throw new Error('an authenticated push without client or consent id')
  const pushed = ctx.body as { readonly request_uri: string }
  const asked: LodgeAsk = {
    consentId,
    clientId,
    organisationId: client.organisationId,
    rarType: detail.type,
    request: detail,
    requestHeaders: keptHeaders(ctx.headers),
    requestUrl: `${deps.tenant.listeners.as.origin}/par`,
    tpp: tppView(client),
    scope: String(oidc.params?.['scope']),
    authorizeBy: authorizeBy(deps, detail),
    interactionId: ctx.state.correlationId,
  }
  const draft = { ...awaiting(asked, deps.clock.now()), parId: pushed.request_uri }
  const review = await deps.consentActions.review(draft, ctx.state, goneOf(ctx.res))
  trace.lfiCalls.push(...review.calls)
  ctx.state.parts?.push(...review.calls.map((call) => lfiPart(call)))
  if (!review.ok) {
    trace.clientId = clientId
    trace.consentId = consentId
    return answerOAuthError(ctx, 400, 'invalid_request', review.why)
  }
  const ask = { ...asked, ...addedBy(review.added) }
  const caller = {
    by: 'tpp',
    organisationId: client.organisationId,
    clientId,
    softwareStatementId: client.softwareStatementId,
    interactionId: ctx.state.correlationId,
  } as const
  unit.join(async (tx) => {
    const outcome = await deps.consents.lodge(tx, ask, caller)
    if (outcome === 'duplicate') {
      throw new errors.InvalidRequest('authorization_details[0].consent.ConsentId was used before')
    }
    const superseded = await deps.consents.attachPar(tx, consentId, pushed.request_uri)
    if (superseded !== null) await removeRow(tx, PUSHED, fileId(PUSHED, superseded.slice(REQUEST_URN.length)))
  })
  ctx.body = { ...pushed, expires_in: lifetimeOf(oidc, deps.tenant.lifetimes.requestUriSeconds) }
}

/** The consent store keeps of it what the type of the consent has a place for. */
const addedBy = ({ Charges, ExchangeRate, OpenFinanceBilling }: Augmentation) => ({
  ...(OpenFinanceBilling === undefined ? {} : { isLargeCorporate: OpenFinanceBilling.IsLargeCorporate }),
  ...(Charges === undefined ? {} : { charges: Charges }),
  ...(ExchangeRate === undefined ? {} : { exchangeRate: ExchangeRate }),
})

/** What was pushed without a signature the engine keeps in an object of its own, which is good for a minute. */
const UNSIGNED_SECONDS_MAX = 60
const lifetimeOf = (oidc: Oidc, configured: number): number =>
  oidc.body?.['request'] === undefined ? Math.min(configured, UNSIGNED_SECONDS_MAX) : configured

/** Whoever is to authorize, the first does so within the window; others may have longer (consent-store, payment.ts). */
function authorizeBy(deps: LodgingDeps, detail: ConsentDetail): Instant {
  const { AuthorizationExpirationDateTime: asked, ExpirationDateTime: end } = detail.consent
  const window = deps.clock.now() + secondsToMilliseconds(deps.tenant.lifetimes.authorizationWindowSeconds)
  return Math.min(window, toInstant(end), ...(asked === undefined ? [] : [toInstant(asked)])) as Instant
}
