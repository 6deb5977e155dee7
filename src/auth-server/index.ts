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
import { toClientId } from '../ids.ts'
import type { SigningKey } from '../jose.ts'
import type { AuthenticateLfi } from '../lfi-caller.ts'
import type { ContextState, HubApp } from '../listener.ts'
import type { Log } from '../log.ts'
import type { Participants } from '../participants/index.ts'
import type { SchemaRegistry } from '../schema-registry.ts'
import { peerCertificate } from '../tls.ts'
import { createAdapterFactory, purgeExpired } from './adapter.ts'
import { announcedKids, findClient } from './clients.ts'
import { mountIssuerSide } from './issuer-side.ts'
import { mountLfiSide } from './lfi-side.ts'
import { createProvider } from './provider.ts'
import { createRarValidator } from './rar.ts'
import { assertionRule, requestObjectRule } from './request-rules.ts'
import { createSubject } from './subject.ts'
import { mountTppSide } from './tpp-side.ts'

export { destroyGrant } from './adapter.ts'
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
  readonly participants: Participants
  readonly audit: Audit
  readonly registry: SchemaRegistry
  readonly signingKeys: readonly SigningKey[]
  readonly encryptionKeys: readonly SigningKey[]
  readonly authenticate: AuthenticateLfi
  readonly clock: Clock
  readonly log: Log
}): AuthServer {
  const { tenant, db, clock, participants } = deps
  const issuer = tenant.listeners.auth.origin
  const adapter = createAdapterFactory({
    db,
    clock,
    findClient: findClient(participants, announcedKids),
    requestUriSeconds: tenant.lifetimes.requestUriSeconds,
  })
  const provider = createProvider({
    ...deps,
    adapter,
    organisationOf: async (id) => {
      const clientId = toClientId(id)
      return clientId === null ? undefined : (await participants.client(clientId))?.organisationId
    },
    validateRar: createRarValidator(deps),
    assertion: assertionRule({
      issuer,
      clock,
      participants,
      peerOf: (ctx: KoaContextWithOIDC) => peerCertificate(ctx.req.socket as import('node:tls').TLSSocket),
    }),
    requestObject: requestObjectRule({ issuer, clock }),
  })
  provider.on('server_error', (ctx: KoaContextWithOIDC, error: Error) => {
    const { log } = ctx.state as ContextState
    log.error({ err: error, route: ctx.oidc?.route }, 'the authorization engine failed')
  })
  const shared = { ...deps, provider, subjectOf: createSubject(db) }
  return {
    mountIssuer: (app) => mountIssuerSide(app, shared),
    mountTpp: (app) => mountTppSide(app, shared),
    mountLfi: (app) => mountLfiSide(app, shared),
    purge: () => purgeExpired(db, new Date(clock.now()), tenant.lifetimes.interactionSeconds),
  }
}
