/** Aurora's hub as a configuration that has been read, from what enrolment left. */
import { readFileSync } from 'node:fs'
import type { Milliseconds, Seconds } from '../../src/clock.ts'
import type { Config, FixedRole, ListenerConfig, Role, TenantConfig } from '../../src/config.ts'
import type { OrganisationId, TenantId } from '../../src/ids.ts'
import { Secret } from '../../src/secret.ts'
import { freePort } from './free-port.ts'
import { ROOM } from './room.ts'
import type { TestTrustFramework } from './trust-framework.ts'

const ROLES: readonly FixedRole[] = ['auth', 'as', 'rs', 'hh', 'cm', 'admin']

export async function hubConfig(
  framework: TestTrustFramework,
  databaseUrl: Secret<string>,
  roles: readonly Role[],
): Promise<Config> {
  const ports = await Promise.all(ROLES.map(() => freePort()))
  const tenant = auroraTenant(framework, databaseUrl, new Map(ROLES.map((role, index) => [role, ports[index] ?? 0])))
  return {
    environment: 'sandbox',
    roles,
    logLevel: 'silent',
    database: { poolMax: 4, migrate: 'refuse' },
    trustFramework: framework.config(300),
    outbound: { allowedAddresses: ['127.0.0.1', '::1'] },
    drainSeconds: 1 as Seconds,
    tenants: [tenant],
  }
}

function auroraTenant(
  { enrolment }: TestTrustFramework,
  databaseUrl: Secret<string>,
  ports: ReadonlyMap<FixedRole, number>,
): TenantConfig {
  const hub = enrolment.hubs.aurora
  const read = (file: string): string => readFileSync(file, 'utf8')
  const secret = (file: string): Secret<string> => new Secret(read(file))
  const listener = (role: FixedRole): ListenerConfig => ({
    origin: `https://localhost:${ports.get(role)}`,
    address: '127.0.0.1',
    port: ports.get(role) ?? 0,
    certificate: read(hub.server.certFile),
    key: secret(hub.server.keyFile),
  })
  const keys = (held: readonly { kid: string; keyFile: string }[]) =>
    held.map(({ kid, keyFile }) => ({ kid, key: secret(keyFile) }))
  return {
    id: 'aurora' as TenantId,
    name: hub.lfiName,
    organisationId: hub.organisationId as OrganisationId,
    databaseUrl,
    listeners: Object.fromEntries(ROLES.map((role) => [role, listener(role)])) as TenantConfig['listeners'],
    authorizationEndpoint: 'https://bank.example/authorize',
    jwksUrl: 'https://keystore.example/application.jwks',
    keys: {
      signing: keys(hub.signing),
      encryption: keys(hub.encryption),
      store: null,
      audit: secret(hub.auditKeyFile),
    },
    lfi: {
      ozoneConnectUrl: 'https://bank.example',
      ca: read(enrolment.ca.bundleFile),
      certificate: read(hub.toLfi.certFile),
      key: secret(hub.toLfi.keyFile),
      authentication: { type: 'none' },
      callerJwt: { required: false, audience: 'aurora' },
      connections: 2,
      timeoutMs: 1000 as Milliseconds,
      connectTimeoutMs: 1000 as Milliseconds,
      responseBytesMax: 65_536,
      pageSize: 100,
    },
    activation: 'manual',
    fieldFilter: 'basic-detail',
    paymentPurposeCodes: ['ACM', 'SAL'],
    lifetimes: {
      accessTokenSeconds: 600 as Seconds,
      requestUriSeconds: 60 as Seconds,
      interactionSeconds: 1800 as Seconds,
      authorizationWindowSeconds: 7200 as Seconds,
    },
    limits: { requestsPerSecond: 200, bodyBytesMax: 65_536, fileBytesMax: 10_485_760, ...ROOM },
  }
}
