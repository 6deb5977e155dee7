/**
 * Rich authorization requests: what a consent may ask for is judged here, member by member, before anything is
 * stored (tpp-api 2.5–2.9). The errors are OAuth's; each says which member and which rule.
 */
import { errors, type KoaContextWithOIDC } from 'oidc-provider'
import type { Clock } from '../clock.ts'
import type { TenantConfig } from '../config.ts'
import { type ConsentStore, isRepeated } from '../consent-store/index.ts'
import { type ClientId, toClientId, toConsentId } from '../ids.ts'
import type { Participants } from '../participants/index.ts'
import type { SchemaRegistry } from '../schema-registry.ts'
import { isStorable } from '../storable.ts'
import { type ConsentDetail, firstFault, RULES } from './rules/index.ts'
import { scopesFor } from './rules/scopes.ts'
import { isServed, type ServedRarType } from './served.ts'

export type { ConsentDetail } from './rules/index.ts'

export type RarDeps = {
  readonly clock: Clock
  readonly tenant: TenantConfig
  readonly consents: ConsentStore
  readonly participants: Participants
  readonly registry: SchemaRegistry
}

export function createRarValidator(deps: RarDeps) {
  return async (ctx: KoaContextWithOIDC, raw: { readonly type: string }): Promise<void> => {
    const { type } = raw
    const check = deps.registry.rar(type)
    if (!isServed(type) || check === null) return refuse('authorization_details has a type that is not served here')
    if (!isStorable(raw)) return refuse('authorization_details[0]: a text of it cannot be kept')
    const [violation] = check(raw)
    if (violation !== undefined) {
      return refuse(
        `authorization_details[0]${violation.path === '' ? '' : `.${violation.path}`}: ${violation.message}`,
      )
    }
    const detail = raw as ConsentDetail
    onlyElement(ctx)
    scopesFit(ctx, type, detail)
    if (ctx.oidc.route === 'pushed_authorization_request') await pushRules(deps, ctx, type, detail)
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

function scopesFit(ctx: KoaContextWithOIDC, type: ServedRarType, { consent }: ConsentDetail): void {
  const wanted = scopesFor(type, consent)
  const asked = new Set(String(ctx.oidc.params?.['scope'] ?? '').split(' '))
  if (asked.size !== wanted.length || !wanted.every((scope) => asked.has(scope))) {
    throw new errors.InvalidScope(
      `this consent is asked for with scope "${wanted.join(' ')}"`,
      String(ctx.oidc.params?.['scope'] ?? ''),
    )
  }
}

async function pushRules(
  deps: RarDeps,
  ctx: KoaContextWithOIDC,
  type: ServedRarType,
  detail: ConsentDetail,
): Promise<void> {
  const clientId = clientIdOf(ctx)
  const client = await deps.participants.client(clientId)
  const id = toConsentId(detail.consent.ConsentId)
  if (id === null) return refuse('consent.ConsentId must be a UUID')
  if (client === null) throw new Error('an authenticated client that is not registered')
  const root = toConsentId(detail.consent.BaseConsentId)
  const base = root === null ? null : await deps.consents.findOwned(root, clientId)
  const fault = firstFault(RULES[type], { detail, client, now: deps.clock.now(), tenant: deps.tenant, base })
  if (fault !== null) return refuse(fault)
  const taken = await deps.consents.find(id)
  // A push whose answer was lost may be sent again.
  if (taken !== null && !isRepeated(taken, { clientId, request: detail })) refuse('consent.ConsentId was used before')
}

/** At GET /auth a consent that has moved on gives a redirectable error. */
async function stillAwaiting(deps: RarDeps, ctx: KoaContextWithOIDC, { consent }: ConsentDetail): Promise<void> {
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
