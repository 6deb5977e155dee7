/** What no schema can say: values that only a laptop may have, and parts that must not get in each other's way. */
import { profileFaults } from './profile-rules.ts'
import { CLIENT_CERTIFICATES, type Config, type ListenerConfig, type ListenerRole, type TenantConfig } from './shape.ts'

/** Clients keep published keys for up to twenty minutes (tpp-api 1). */
const CLIENT_CACHE_SECONDS = 1200

export function judge(config: Config): readonly string[] {
  const malformed = config.tenants.flatMap(malformedUrls)
  // The other rules read the URLs.
  if (malformed.length > 0) return malformed
  return [
    ...unsafe(config),
    ...unpublished(config.tenants),
    ...config.tenants.flatMap(profileFaults),
    ...sameTwice(config.tenants),
    ...sharedSockets(config.tenants),
    ...sharedBankCodes(config),
  ]
}

type NamedListener = { readonly name: string; readonly role: ListenerRole; readonly listener: ListenerConfig }

const listenersOf = (tenant: TenantConfig): readonly NamedListener[] =>
  (Object.entries(tenant.listeners) as [ListenerRole, ListenerConfig][]).map(([role, listener]) => ({
    name: `tenant ${tenant.id}: listeners.${role}`,
    role,
    listener,
  }))

function malformedUrls(tenant: TenantConfig): readonly string[] {
  const url = tenant.databaseUrl.reveal()
  return [
    ...(url === '' || /^postgres(ql)?:$/.test(URL.parse(url)?.protocol ?? '')
      ? []
      : [`tenant ${tenant.id}: database.url is not a postgres:// URL`]),
    ...listenersOf(tenant).flatMap(({ name, listener }) => {
      // Issuers are compared as strings, so there is one way to write each.
      const canonical = URL.parse(listener.origin)?.origin
      if (canonical === listener.origin) return []
      return [
        `${name}.origin is not an origin${canonical === undefined ? '' : ` as it has to be written: ${canonical}`}`,
      ]
    }),
  ]
}

function unsafe(config: Config): readonly string[] {
  if (config.environment === 'sandbox') return []
  const only = (what: string) => `${what} is allowed in the sandbox only, and environment is ${config.environment}`
  return [
    ...(config.logLevel === 'trace' || config.logLevel === 'debug' ? [only(`log.level ${config.logLevel}`)] : []),
    ...config.tenants.flatMap((tenant) => [
      ...(tenant.activation === 'automatic' ? [only(`tenant ${tenant.id}: activation automatic`)] : []),
      ...listenersOf(tenant)
        .filter(({ listener }) => isLoopback(new URL(listener.origin).hostname))
        .map(({ name }) => only(`${name}.origin on the loopback`)),
      ...((tenant.keys.store?.publishAheadSeconds ?? CLIENT_CACHE_SECONDS) < CLIENT_CACHE_SECONDS
        ? [only(`tenant ${tenant.id}: keys.publishAheadSeconds below ${CLIENT_CACHE_SECONDS}`)]
        : []),
      ...(isEncrypted(tenant.databaseUrl.reveal())
        ? []
        : [only(`tenant ${tenant.id}: database.url without sslmode=verify-full (or verify-ca, or require)`)]),
    ]),
  ]
}

/** Nobody else could publish a key in the moment in which it is made. */
function unpublished(tenants: readonly TenantConfig[]): readonly string[] {
  return tenants
    .filter(({ keys, jwksUrl, listeners }) => keys.store !== null && jwksUrl !== `${listeners.auth.origin}/jwks`)
    .map(({ id, listeners }) => `tenant ${id}: jwksUrl has to be ${listeners.auth.origin}/jwks with keys.source stored`)
}

const isLoopback = (hostname: string): boolean => /^(localhost|.*\.localhost|127\.[\d.]+|\[::1\])$/.test(hostname)

/** Whatever else `sslmode` says, or when it says nothing, the connection may end up in plain text. */
function isEncrypted(url: string): boolean {
  // Not set, which was reported where it was looked for.
  if (url === '') return true
  const modes = URL.parse(url)?.searchParams.getAll('sslmode') ?? []
  return modes.length === 1 && ['require', 'verify-ca', 'verify-full'].includes(modes[0] ?? '')
}

function sameTwice(tenants: readonly TenantConfig[]): readonly string[] {
  const databases = tenants.filter((tenant) => tenant.databaseUrl.reveal() !== '')
  return [
    ...repeated(tenants, (tenant) => tenant.id).map((group) => `${group.length} tenants have the id ${group[0]?.id}`),
    ...repeated(databases, (tenant) => databaseOf(tenant.databaseUrl.reveal())).map(
      (group) => `tenants ${group.map((tenant) => tenant.id).join(' and ')} have the same database in database.url`,
    ),
    ...repeated(tenants.flatMap(listenersOf), ({ listener }) => listener.origin).map(
      (group) => `${names(group)} have the same origin ${group[0]?.listener.origin}`,
    ),
  ]
}

/** Where it is, whoever enters it and however. */
function databaseOf(url: string): string {
  const { hostname, port, pathname } = new URL(url)
  return `${hostname.toLowerCase()}:${port || '5432'}${pathname}`
}

function sharedSockets(tenants: readonly TenantConfig[]): readonly string[] {
  const sockets = repeated(tenants.flatMap(listenersOf), ({ listener }) => `${listener.address} port ${listener.port}`)
  return sockets.flatMap((sharing) => {
    const place = `${sharing[0]?.listener.address} port ${sharing[0]?.listener.port}`
    const modes = new Set(sharing.map(({ role }) => CLIENT_CERTIFICATES[role]))
    return [
      // The handshake comes before the request, so it cannot ask one caller for a certificate and another not.
      ...(modes.size > 1 ? [`${names(sharing)} share ${place} and treat client certificates differently`] : []),
      ...repeated(sharing, ({ listener }) => new URL(listener.origin).hostname).map(
        (group) => `${names(group)} share ${place} and have the same host name`,
      ),
    ]
  })
}

/** An account number leads to one LFI. */
function sharedBankCodes({ tenants, otherLfis = [] }: Config): readonly string[] {
  const claimed = [
    ...tenants.flatMap(({ id, bankCodes = [] }) => bankCodes.map((code) => ({ code, by: `tenant ${id}` }))),
    ...otherLfis.flatMap(({ issuer, bankCodes }) => bankCodes.map((code) => ({ code, by: `otherLfis ${issuer}` }))),
  ]
  return repeated(claimed, ({ code }) => code).map(
    (group) => `${group.map(({ by }) => by).join(' and ')} have the same code ${group[0]?.code} in bankCodes`,
  )
}

const names = (group: readonly NamedListener[]): string => group.map(({ name }) => name).join(' and ')

function repeated<T>(items: readonly T[], keyOf: (item: T) => string): readonly (readonly T[])[] {
  return [...Map.groupBy(items, keyOf).values()].filter((group) => group.length > 1)
}
