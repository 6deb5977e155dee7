/**
 * The authorization server of one tenant: FAPI 2.0 with the UAE profile, on oidc-provider. One engine behind three
 * doors: `auth` (issuer), `as` (TPPs) and `hh` (the LFI).
 */
import type { KoaContextWithOIDC } from 'oidc-provider'
import type { Audit } from '../audit/index.ts'
import type { Clock } from '../clock.ts'
import type { TenantConfig } from '../config.ts'
import type { ConsentStore } from '../consent-store/index.ts'
import type { Db } from '../db.ts'
import type { Dpop } from '../dpop.ts'
import type { InForce } from '../endpoints/index.ts'
import { toClientId } from '../ids.ts'
import type { KeyRing } from '../keys/index.ts'
import type { ConsentActions } from '../lfi/index.ts'
import type { AuthenticateLfi } from '../lfi-caller.ts'
import type { ContextState, HubApp } from '../listener.ts'
import type { Log } from '../log.ts'
import type { Participants } from '../participants/index.ts'
import { type ProfileOf, profileOf } from '../profiles.ts'
import type { SchemaRegistry } from '../schema-registry.ts'
import { createAdapterFactory } from './adapter.ts'
import { announcedKids, findClient } from './clients.ts'
import type { PaymentIdsOf } from './consent-detail.ts'
import { engineOf } from './engine.ts'
import { purgeExpired } from './engine-records.ts'
import { mountIssuerSide } from './issuer-side.ts'
import { answerSecret, createKeptAnswers } from './kept-answers.ts'
import { mountLfiSide } from './lfi-side.ts'
import { createProvider } from './provider.ts'
import { createRarValidator } from './rar.ts'
import { assertionRule, type Claims, requestObjectRule } from './request-rules.ts'
import { createSenderRule, peerOf } from './sender-rule.ts'
import { createSubject } from './subject.ts'
import { mountTppSide } from './tpp-side.ts'
import { createUnits } from './unit-of-work.ts'

export { destroyGrant } from './engine-records.ts'
export { migrations } from './migrations.ts'

export type AuthServer = {
  mountIssuer(app: HubApp): void
  mountTpp(app: HubApp): void
  mountLfi(app: HubApp): void
  /** Removes records past use; returns how many. */
  purge(): Promise<number>
}

export function createAuthServer(deps: {
  readonly tenant: TenantConfig
  readonly db: Db
  readonly consents: ConsentStore
  readonly paymentIdsOf: PaymentIdsOf
  readonly participants: Participants
  readonly consentActions: ConsentActions
  readonly audit: Audit
  readonly registry: SchemaRegistry
  readonly keys: KeyRing
  /** Null where no client uses DPoP. */
  readonly dpop: Dpop | null
  readonly authenticate: AuthenticateLfi
  /** Discovery names the page of the LFI. */
  readonly endpoints: InForce
  readonly clock: Clock
  readonly log: Log
}): AuthServer {
  const { tenant, db, clock, participants, keys } = deps
  const issuer = tenant.listeners.auth.origin
  const profile: ProfileOf = (clientId) => profileOf(tenant, clientId)
  const sender = createSenderRule({ origin: tenant.listeners.as.origin, clock, profileOf: profile })
  const records = { db, clock, detachGrant: deps.consents.detachGrant }
  const adapter = createAdapterFactory({
    ...records,
    findClient: findClient(participants, announcedKids, profile),
    requestUriSeconds: tenant.lifetimes.requestUriSeconds,
  })
  const assertion = assertionRule({ issuer, clock, participants, peerOf, profileOf: profile })
  const settings = {
    ...deps,
    adapter,
    organisationOf: async (id: string) => {
      const clientId = toClientId(id)
      return clientId === null ? undefined : (await participants.client(clientId))?.organisationId
    },
    validateRar: createRarValidator(deps),
    assertion: async (ctx: KoaContextWithOIDC, claims: Claims, header: Claims) => {
      await assertion(ctx, claims, header)
      sender(ctx, String(claims['iss']))
    },
    sender,
    ...(deps.dpop === null ? {} : { nonceSecret: deps.dpop.nonceSecret }),
    requestObject: requestObjectRule({ issuer, clock, profileOf: profile }),
  }
  const provider = engineOf(keys, ({ signing, encryption }) =>
    createProvider({ ...settings, signingKeys: signing, encryptionKeys: encryption }),
  )
  provider.on('server_error', (ctx: KoaContextWithOIDC, error: Error) => {
    const { log } = ctx.state as ContextState
    log.error({ err: error, route: ctx.oidc?.route }, 'the authorization engine failed')
  })
  const shared = {
    ...deps,
    provider,
    subjectOf: createSubject(db),
    inUnit: createUnits(records),
    answers: createKeptAnswers(deps),
    answerSecret: answerSecret(tenant.keys.audit),
  }
  return {
    mountIssuer: (app) => mountIssuerSide(app, shared),
    mountTpp: (app) => mountTppSide(app, shared),
    mountLfi: (app) => mountLfiSide(app, shared),
    purge: async () =>
      (await purgeExpired(db, new Date(clock.now()), tenant.lifetimes.interactionSeconds)) +
      ((await deps.dpop?.purge()) ?? 0),
  }
}
