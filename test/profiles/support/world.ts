/**
 * A hub with a client of every kind, on real listeners and a real database; the directory and the LFI stand in for the
 * outside world. `uae` and plain FAPI 2.0 are served side by side.
 */
import { generateKeyPairSync, type KeyObject, randomUUID } from 'node:crypto'
import type { Milliseconds, Seconds } from '../../../src/clock.ts'
import type {
  Config,
  Fapi2Client,
  FixedRole,
  ListenerConfig,
  ProfilesConfig,
  TenantConfig,
  TracingConfig,
  TrustFrameworkConfig,
} from '../../../src/config.ts'
import { startHub } from '../../../src/hub.ts'
import type { OrganisationId, TenantId } from '../../../src/ids.ts'
import { createLog } from '../../../src/log.ts'
import { Secret } from '../../../src/secret.ts'
import { type DirectoryEntry, startDirectory, startLfi } from '../../gateway/support/outside.ts'
import { type Authority, type Certificate, createAuthority } from '../../gateway/support/pki.ts'
import { type Answer, type Call, send } from '../../gateway/support/tpp.ts'
import { freePort } from '../../support/free-port.ts'
import { createTestDatabase } from '../../support/postgres.ts'
import { ROOM } from '../../support/room.ts'
import { startTlsProxy, type TlsProxy } from '../../support/tls-proxy.ts'
import { type Alg, newPair, type Pair } from './keys.ts'

export const REDIRECT_URI = 'https://tpp.example/callback'
export type Party = {
  readonly name: string
  readonly clientId: string
  readonly organisationId: string
  readonly certificate: Certificate
  readonly signing: Pair
  /** What its configuration says of it; null: it follows `uae`. */
  readonly setting: Fapi2Client | null
}

type Kind = { readonly alg: Alg; readonly setting: Partial<Fapi2Client> | null }
const KINDS = {
  uae: { alg: 'PS256', setting: null },
  otherUae: { alg: 'PS256', setting: null },
  mtls: { alg: 'PS256', setting: {} },
  dpop: { alg: 'ES256', setting: { senderConstraint: 'dpop' } },
  otherDpop: { alg: 'ES256', setting: { senderConstraint: 'dpop' } },
  /** Uses DPoP, and shows its certificate all the same. */
  dpopOverTls: { alg: 'ES256', setting: { senderConstraint: 'dpop', transportCertificate: 'required' } },
  eddsa: { alg: 'EdDSA', setting: { senderConstraint: 'dpop' } },
  tls: { alg: 'ES256', setting: { authentication: 'tls_client_auth' } },
  tlsDpop: { alg: 'ES256', setting: { authentication: 'tls_client_auth', senderConstraint: 'dpop' } },
  unsigned: { alg: 'ES256', setting: { senderConstraint: 'dpop', requestObject: 'unsigned-allowed' } },
  jarm: { alg: 'PS256', setting: { jarm: true } },
} as const satisfies Record<string, Kind>
export type Kinds = keyof typeof KINDS

export type ProfileWorld = Awaited<ReturnType<typeof createProfileWorld>>
export type Doors = Readonly<Record<FixedRole, { readonly origin: string; readonly ca: string }>>

const ROLES: readonly FixedRole[] = ['auth', 'as', 'rs', 'hh', 'cm', 'admin']

/** How TLS ends: at the hub, or at a proxy in front of it. */
export type Ends = 'in-process' | 'behind-proxy'
export type WorldOptions = {
  readonly ends?: Ends
  readonly trustFramework?: Partial<TrustFrameworkConfig>
  readonly limits?: Partial<TenantConfig['limits']>
  readonly roles?: Config['roles']
  readonly tracing?: TracingConfig
  readonly database?: Partial<Config['database']>
  readonly tenant?: (tenant: TenantConfig, framework: Authority) => TenantConfig
  readonly entry?: (entry: DirectoryEntry) => DirectoryEntry
}

/** By default both profiles are served; `uae` alone leaves the clients' settings unsaid. */
export async function createProfileWorld(
  serves: ProfilesConfig['serves'] = ['uae', 'fapi2'],
  {
    ends = 'in-process',
    trustFramework = {},
    limits = {},
    roles = ['auth', 'as', 'rs', 'hh', 'cm', 'admin', 'worker'],
    tracing,
    database: patience = {},
    tenant = (same) => same,
    entry = (same) => same,
  }: WorldOptions = {},
) {
  const framework = await createAuthority('Test Trust Framework')
  const rogue = await createAuthority('Test Trust Framework')
  const lfiOrganisation = randomUUID()
  const parties = Object.fromEntries(
    await Promise.all(
      Object.entries<Kind>(KINDS).map(async ([name, kind]) => [name, await newParty(framework, name, kind)] as const),
    ),
  ) as Readonly<Record<Kinds, Party>>
  const server = await framework.issue({ O: 'Hub', dns: 'localhost' })
  const hub = await framework.issue({ O: 'Hub', OU: randomUUID(), CN: randomUUID() })
  const bank = await framework.issue({ O: 'Aurora Bank PJSC', OU: lfiOrganisation, CN: randomUUID() })
  const lfi = await startLfi(server, framework)
  const directory = await startDirectory(
    server,
    Object.values(parties).map((party) => entry(entryOf(party))),
  )
  const database = await createTestDatabase()
  const ports = await Promise.all(ROLES.map(() => freePort()))
  const front = ends === 'behind-proxy' ? await createFront(framework) : null
  const listeners = Object.fromEntries(
    await Promise.all(
      ROLES.map(async (role, index) => {
        const listener = listenerAt(ports[index] ?? 0, server)
        return [role, front === null ? listener : await front.put(listener)] as const
      }),
    ),
  ) as Config['tenants'][number]['listeners']
  const profiles: ProfilesConfig = {
    serves,
    clients: Object.fromEntries(
      Object.values(parties).flatMap(({ clientId, setting }) => (setting === null ? [] : [[clientId, setting]])),
    ),
  }
  const config: Config = {
    environment: 'sandbox',
    roles,
    logLevel: 'silent',
    ...(tracing === undefined ? {} : { tracing }),
    database: { poolMax: 6, migrate: 'refuse', ...patience },
    trustFramework: {
      apiUrl: directory.url,
      tokenUrl: `${directory.url}/token`,
      keystoreUrl: directory.url,
      ca: framework.certificate,
      serverCa: framework.certificate,
      clientId: randomUUID(),
      certificate: hub.certificate,
      key: new Secret(hub.key),
      cacheSeconds: 600 as Seconds,
      timeoutMs: 2_000 as Milliseconds,
      ...trustFramework,
    },
    outbound: { allowedAddresses: ['127.0.0.1', '::1'] },
    drainSeconds: 1 as Seconds,
    tenants: [
      tenant(
        {
          id: 'aurora' as TenantId,
          name: 'Aurora Bank PJSC',
          organisationId: lfiOrganisation as OrganisationId,
          databaseUrl: database.url,
          listeners,
          authorizationEndpoint: 'https://bank.example/authorize',
          jwksUrl: `${listeners.auth.origin}/jwks`,
          keys: {
            signing: [{ kid: 'hub-sig', key: pemOf(generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey) }],
            encryption: [],
            store: null,
            audit: pemOf(generateKeyPairSync('ed25519').privateKey),
          },
          lfi: {
            ozoneConnectUrl: lfi.url,
            ca: framework.certificate,
            certificate: hub.certificate,
            key: new Secret(hub.key),
            authentication: { type: 'none' },
            callerJwt: { required: false, audience: 'aurora' },
            connections: 4,
            timeoutMs: 2_000 as Milliseconds,
            connectTimeoutMs: 1_000 as Milliseconds,
            responseBytesMax: 200_000,
            pageSize: 100,
          },
          ...(serves.includes('fapi2') ? { profiles } : {}),
          activation: 'automatic',
          fieldFilter: 'basic-detail',
          paymentPurposeCodes: ['ACM', 'SAL'],
          lifetimes: {
            accessTokenSeconds: 600 as Seconds,
            requestUriSeconds: 90 as Seconds,
            interactionSeconds: 600 as Seconds,
            authorizationWindowSeconds: 600 as Seconds,
          },
          limits: { requestsPerSecond: 10_000, bodyBytesMax: 65_536, fileBytesMax: 10_485_760, ...ROOM, ...limits },
        },
        framework,
      ),
    ],
  }
  const log = createLog({ level: 'silent', name: 'test' })
  const running = await startHub({ config, log })
  const doors = Object.fromEntries(
    ROLES.map((role) => [role, { origin: listeners[role].origin, ca: framework.certificate }]),
  ) as Doors
  const call = (role: FixedRole, asked: Call): Promise<Answer> => send(doors[role], asked)
  for (const { certificate } of Object.values(parties)) {
    const answer = await call('rs', { method: 'POST', path: '/tpp-registration', certificate })
    if (answer.status !== 204) throw new Error(`registration: ${answer.status} ${answer.text}`)
  }
  return {
    parties,
    doors,
    issuer: doors.auth.origin,
    ca: framework.certificate,
    framework,
    rogue,
    bank,
    lfi,
    directory,
    db: database.db,
    config,
    log,
    call,
    close: async () => {
      await front?.close()
      await running.close()
      await directory.close()
      await lfi.close()
      await database.close()
    },
  }
}

async function newParty(framework: Authority, name: string, { alg, setting }: Kind): Promise<Party> {
  const [clientId, organisationId] = [randomUUID(), randomUUID()]
  return {
    name,
    clientId,
    organisationId,
    certificate: await framework.issue({ O: 'Wadi Money', OU: organisationId, CN: clientId }),
    signing: newPair(alg),
    setting:
      setting === null
        ? null
        : {
            profile: 'fapi2',
            authentication: 'private_key_jwt',
            senderConstraint: 'mtls',
            signingAlgorithms: [alg],
            requestObject: 'signed',
            jarm: false,
            ...setting,
          },
  }
}

const entryOf = (party: Party): DirectoryEntry => ({
  organisationId: party.organisationId,
  organisation: 'Wadi Money',
  clientId: party.clientId,
  softwareStatementId: party.clientId,
  webhookUris: [],
  certificates: [{ thumbprint: party.certificate.thumbprint, status: 'Active' }],
  jwks: { keys: [party.signing.jwk] },
})

/** Proxies in front of listeners: the origin stays theirs, and the listener moves behind. */
async function createFront(framework: Authority) {
  const proxyAuthority = await createAuthority('Test Proxies')
  const own = await proxyAuthority.issue({ O: 'Edge', CN: 'proxy' })
  const started: TlsProxy[] = []
  return {
    put: async (listener: ListenerConfig): Promise<ListenerConfig> => {
      const behind = await freePort()
      const server = { certificate: listener.certificate, key: listener.key.reveal() }
      started.push(
        await startTlsProxy({ port: listener.port, server, own, target: behind, targetCa: framework.certificate }),
      )
      return {
        ...listener,
        port: behind,
        tls: {
          mode: 'behind-proxy',
          ca: proxyAuthority.certificate,
          peers: ['127.0.0.0/8', `sha256:${own.thumbprint}`],
          addressHeader: 'x-forwarded-for',
        },
      }
    },
    close: async () => void (await Promise.all(started.map((each) => each.close()))),
  }
}

const listenerAt = (port: number, server: Certificate): ListenerConfig => ({
  origin: `https://localhost:${port}`,
  address: '127.0.0.1',
  port,
  certificate: server.certificate,
  key: new Secret(server.key),
})

const pemOf = (key: KeyObject): Secret<string> => new Secret(key.export({ type: 'pkcs8', format: 'pem' }) as string)
