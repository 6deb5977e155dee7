/** The hub's engine with keys of one's choice, behind a plain socket: to see what it decrypts, and why it does not. */
import { generateKeyPairSync, type JsonWebKey, type KeyObject, randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Adapter, AdapterPayload, KoaContextWithOIDC } from 'oidc-provider'
import { createProvider } from '../../../src/auth-server/provider.ts'
import { systemClock } from '../../../src/clock.ts'
import type { TenantConfig } from '../../../src/config.ts'
import type { ConsentStore } from '../../../src/consent-store/index.ts'
import { loadKey } from '../../../src/jose.ts'
import { Secret } from '../../../src/secret.ts'
import { compact } from '../../auth-server/support/jws.ts'
import { ASSERTION_TYPE, now } from '../../auth-server/support/tpp.ts'
import { pem } from '../../support/config-files.ts'

export type EngineAlone = {
  readonly clientKey: KeyObject
  /** Pushes this request object with a good assertion; what the engine said, and what it kept to itself. */
  push(request: string): Promise<{ readonly status: number; readonly said: string; readonly because: string }>
  close(): Promise<void>
}

const ISSUER = 'https://auth.aurora.example'
const CLIENT_ID = randomUUID()
const rsa = (): KeyObject => generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey
const load = (kid: string, key: KeyObject) => loadKey({ kid, key: new Secret(pem(key)) })

export async function startEngineAlone(encryptionKey: KeyObject): Promise<EngineAlone> {
  const clientKey = rsa()
  const { n, e } = clientKey.export({ format: 'jwk' })
  const provider = createProvider({
    tenant: {
      id: 'aurora',
      listeners: { auth: { origin: ISSUER }, rs: { origin: 'https://rs.aurora.example' } },
      lifetimes: { accessTokenSeconds: 600, requestUriSeconds: 60, interactionSeconds: 1800 },
    } as unknown as TenantConfig,
    clock: systemClock,
    consents: {} as ConsentStore,
    paymentIdsOf: async () => [],
    signingKeys: [load('hub', rsa())],
    encryptionKeys: [load('hub-enc', encryptionKey)],
    adapter: (model) => recordsOf(model, { kty: 'RSA', n: String(n), e: String(e), kid: 'client', use: 'sig' }),
    organisationOf: async () => undefined,
    validateRar: async () => {},
    assertion: async () => {},
    requestObject: async () => {},
  })
  let because = ''
  provider.on('pushed_authorization_request.error', (_ctx: KoaContextWithOIDC, error: Error) => {
    because = error.cause instanceof Error ? error.cause.message : ''
  })
  const server = createServer(provider.callback()).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return {
    clientKey,
    push: async (request) => {
      because = ''
      const claims = { iss: CLIENT_ID, sub: CLIENT_ID, aud: ISSUER, iat: now(), exp: now() + 60, jti: randomUUID() }
      const assertion = compact({ header: { alg: 'PS256', kid: 'client' }, claims, key: clientKey })
      const answer = await fetch(`http://127.0.0.1:${port}/par`, {
        method: 'POST',
        body: new URLSearchParams({ client_assertion_type: ASSERTION_TYPE, client_assertion: assertion, request }),
      })
      const { error_description: said = '' } = (await answer.json()) as { readonly error_description?: string }
      return { status: answer.status, said, because }
    },
    close: async () => {
      server.close()
      server.closeAllConnections()
      await once(server, 'close')
    },
  }
}

/** Knows the one client; forgets everything else at once. */
function recordsOf(model: string, key: JsonWebKey): Adapter {
  const client = {
    client_id: CLIENT_ID,
    redirect_uris: ['https://tpp.example/callback'],
    tls_client_certificate_bound_access_tokens: true,
    scope: 'openid accounts',
    jwks: { keys: [key] },
  } as unknown as AdapterPayload
  return {
    upsert: async () => {},
    find: async () => (model === 'Client' ? client : undefined),
    findByUid: async () => undefined,
    findByUserCode: async () => undefined,
    consume: async () => {},
    destroy: async () => {},
    revokeByGrantId: async () => {},
  }
}
