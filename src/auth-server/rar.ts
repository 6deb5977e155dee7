/**
 * Rich authorization requests: what a consent may ask for is judged here, member by member, before anything is
 * stored (tpp-api 2.5–2.9). The errors are OAuth's; each says which member and which rule.
 */
import { errors, type KoaContextWithOIDC } from 'oidc-provider'
import { type Clock, type Instant, toInstant } from '../clock.ts'
import { type ConsentStore, isRepeated } from '../consent-store/index.ts'
import { type ClientId, toClientId, toConsentId } from '../ids.ts'
import type { Participants } from '../participants/index.ts'
import { missingDependency } from '../permissions.ts'
import type { SchemaRegistry } from '../schema-registry.ts'
import { SCOPES_OF_RAR_TYPE } from './served.ts'

/** One element of `authorization_details`, after its schema was checked. */
export type AccountAccessDetail = {
  readonly type: string
  readonly consent: {
    readonly ConsentId: string
    readonly BaseConsentId?: string
    readonly Permissions: readonly string[]
    readonly ExpirationDateTime: string
    readonly FromDate?: string
    readonly ToDate?: string
  }
  readonly subscription?: { readonly Webhook: { readonly Url: string; readonly IsActive: boolean } }
}

export type RarDeps = {
  readonly clock: Clock
  readonly consents: ConsentStore
  readonly participants: Participants
  readonly registry: SchemaRegistry
}

export function createRarValidator(deps: RarDeps) {
  return async (ctx: KoaContextWithOIDC, raw: { readonly type: string }): Promise<void> => {
    const check = deps.registry.rar(raw.type)
    if (check === null) return refuse('authorization_details has a type that is not served here')
    const [violation] = check(raw)
    if (violation !== undefined) {
      return refuse(
        `authorization_details[0]${violation.path === '' ? '' : `.${violation.path}`}: ${violation.message}`,
      )
    }
    const detail = raw as AccountAccessDetail
    onlyElement(ctx)
    scopesFit(ctx, detail.type)
    if (ctx.oidc.route === 'pushed_authorization_request') await pushRules(deps, ctx, detail)
    else await stillAwaiting(deps, ctx, detail)
  }
}

const refuse = (why: string): never => {
  throw new errors.InvalidAuthorizationDetails(why.slice(0, 500))
}

function onlyElement(ctx: KoaContextWithOIDC): void {
  const all: unknown = JSON.parse(String(ctx.oidc.params?.['authorization_details']))
  if (!Array.isArray(all) || all.length !== 1) refuse('authorization_details must hold exactly one element')
}

function scopesFit(ctx: KoaContextWithOIDC, type: string): void {
  const wanted = SCOPES_OF_RAR_TYPE.get(type) ?? []
  const asked = new Set(String(ctx.oidc.params?.['scope'] ?? '').split(' '))
  if (asked.size !== wanted.length || !wanted.every((scope) => asked.has(scope))) {
    throw new errors.InvalidScope(
      `a consent of this type is asked with scope "${wanted.join(' ')}"`,
      String(ctx.oidc.params?.['scope'] ?? ''),
    )
  }
}

async function pushRules(deps: RarDeps, ctx: KoaContextWithOIDC, detail: AccountAccessDetail): Promise<void> {
  const { consent, subscription } = detail
  const now = deps.clock.now()
  const expires = toInstant(consent.ExpirationDateTime)
  if (expires <= now) refuse('consent.ExpirationDateTime is past')
  if (expires > oneYearAfter(now)) refuse('consent.ExpirationDateTime is more than one year ahead')
  if (consent.FromDate !== undefined && consent.ToDate !== undefined && consent.FromDate > consent.ToDate) {
    refuse('consent.FromDate is after consent.ToDate')
  }
  if (new Set(consent.Permissions).size !== consent.Permissions.length)
    refuse('consent.Permissions repeats a permission')
  const missing = missingDependency(consent.Permissions)
  if (missing !== null) refuse(`consent.Permissions: ${missing}`)
  if (subscription !== undefined) await subscriptionRule(deps, ctx, subscription.Webhook.Url)
  const id = toConsentId(consent.ConsentId)
  if (id === null) return refuse('consent.ConsentId must be a UUID')
  const taken = await deps.consents.find(id)
  // A push whose answer was lost may be sent again.
  if (taken !== null && !isRepeated(taken, { clientId: clientIdOf(ctx), request: detail })) {
    refuse('consent.ConsentId was used before')
  }
}

async function subscriptionRule(deps: RarDeps, ctx: KoaContextWithOIDC, url: string): Promise<void> {
  const client = await deps.participants.client(clientIdOf(ctx))
  if (!url.startsWith('https://') || client === null || !client.webhookUris.includes(url)) {
    refuse('subscription.Webhook.Url is not registered for this application')
  }
}

/** At GET /auth a consent that has moved on gives a redirectable error. */
async function stillAwaiting(deps: RarDeps, ctx: KoaContextWithOIDC, { consent }: AccountAccessDetail): Promise<void> {
  const id = toConsentId(consent.ConsentId)
  const stored = id === null ? null : await deps.consents.findOwned(id, clientIdOf(ctx))
  if (stored === null) return refuse('the consent of this request does not exist')
  if (stored.status !== 'AwaitingAuthorization') refuse(`the consent of this request is ${stored.status}`)
}

export function clientIdOf(ctx: KoaContextWithOIDC): ClientId {
  const id = toClientId(ctx.oidc.client?.clientId)
  if (id === null) throw new Error('no authenticated client on this request')
  return id
}

/** tpp-api 4.3; a few minutes are forgiven, because «one year from now» is worked out before it is sent. */
const FORGIVEN_MS = 5 * 60_000

function oneYearAfter(now: Instant): number {
  const limit = new Date(now)
  limit.setUTCFullYear(limit.getUTCFullYear() + 1)
  return limit.getTime() + FORGIVEN_MS
}
