/** The hub's engine on a real database, for what needs no network: records, and how they are found again. */
import { generateKeyPairSync, randomUUID } from 'node:crypto'
import type { AdapterPayload, Provider } from 'oidc-provider'
import { type AdapterFactory, createAdapterFactory } from '../../../src/auth-server/adapter.ts'
import { createProvider } from '../../../src/auth-server/provider.ts'
import type { Clock, Instant } from '../../../src/clock.ts'
import type { TenantConfig } from '../../../src/config.ts'
import type { ConsentStore } from '../../../src/consent-store/index.ts'
import { loadKey } from '../../../src/jose.ts'
import { Secret } from '../../../src/secret.ts'
import { createTestDatabase, type TestDatabase } from '../../support/postgres.ts'

export const ISSUER = 'https://auth.aurora.example'
export const CLIENT_ID = randomUUID()
export const REDIRECT_URI = 'https://tpp.example/callback'
export const REQUEST_URI_SECONDS = 90

export type SetClock = Clock & { set(seconds: number): void }
export function clockAt(seconds: number): SetClock {
  let at = seconds * 1000
  return {
    now: () => at as Instant,
    set: (next) => {
      at = next * 1000
    },
  }
}

export type Engine = {
  readonly database: TestDatabase
  readonly adapter: AdapterFactory
  readonly provider: Provider
  readonly tenant: TenantConfig
  /** What the trust framework says of the one client; null: it is unknown. */
  client: AdapterPayload | null
}

/** The engine takes its own time from the system, so records are made by today's clock. */
export async function startEngine(clock: Clock): Promise<Engine> {
  const database = await createTestDatabase()
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const pem = privateKey.export({ type: 'pkcs8', format: 'pem' }) as string
  const origins = ['auth', 'as', 'rs', 'hh', 'cm', 'admin'].map((role) => [
    role,
    { origin: `https://${role}.aurora.example` },
  ])
  const tenant = {
    id: 'aurora',
    listeners: Object.fromEntries(origins),
    lifetimes: { accessTokenSeconds: 600, requestUriSeconds: REQUEST_URI_SECONDS, interactionSeconds: 1800 },
  } as unknown as TenantConfig
  const client = {
    client_id: CLIENT_ID,
    redirect_uris: [REDIRECT_URI],
    tls_client_certificate_bound_access_tokens: true,
    scope: 'openid accounts',
    jwks: { keys: [{ ...publicKey.export({ format: 'jwk' }), use: 'sig', alg: 'PS256', kid: 'client' }] },
  } as AdapterPayload
  const engine: { client: AdapterPayload | null } = { client }
  const adapter = createAdapterFactory({
    db: database.db,
    clock,
    detachGrant: async () => {},
    findClient: async (id) => (id === CLIENT_ID ? (engine.client ?? undefined) : undefined),
    requestUriSeconds: REQUEST_URI_SECONDS,
  })
  const provider = createProvider({
    tenant,
    clock,
    consents: {} as ConsentStore,
    paymentIdsOf: async () => [],
    signingKeys: [loadKey({ kid: 'hub', key: new Secret(pem) })],
    encryptionKeys: [],
    adapter,
    organisationOf: async () => undefined,
    validateRar: async () => {},
    assertion: async () => {},
    requestObject: async () => {},
  })
  return Object.assign(engine, { database, adapter, provider, tenant })
}
