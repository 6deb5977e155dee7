/** What no schema can say: values that only a laptop may have, and parts that must not get in each other's way. */
import { X509Certificate } from 'node:crypto'
import { isIP } from 'node:net'
import { faultOfRange, holdsOwn } from '../address-rule.ts'
import { isLfiOperation, LFI_OPERATIONS } from '../lfi-operations.ts'
import { describeCertificate, type PeerCertificate } from '../tls.ts'
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
    ...unreadableRanges(config),
    ...unpublished(config.tenants),
    ...config.tenants.flatMap(profileFaults),
    ...config.tenants.flatMap(operationFaults),
    ...config.tenants.flatMap(namelessCertificates),
    ...config.tenants.flatMap(portalFaults),
    ...config.tenants.flatMap(archiveFaults),
    ...sameTwice(config.tenants),
    ...sharedSockets(config.tenants),
    ...sharedBankCodes(config),
    ...config.tenants.flatMap(proxyFaults),
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
    // What a TPP names as its webhook would be allowed to lead there.
    ...config.outbound.allowedAddresses
      .filter((range) => faultOfRange(range) === null && holdsOwn(range))
      .map((range) => only(`outbound.allowedAddresses ${range}, which has loopback or link-local addresses,`)),
    ...(isClear(config.tracing?.endpoint) ? [only('tracing.endpoint over http to another machine')] : []),
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

/** Interaction ids are no secret, and nobody else's business either. */
const isClear = (endpoint: string | undefined): boolean => {
  const url = URL.parse(endpoint ?? '')
  return url?.protocol === 'http:' && !isLoopback(url.hostname)
}

function unreadableRanges({ outbound, tenants }: Config): readonly string[] {
  const lists = [
    { at: 'outbound.allowedAddresses', ranges: outbound.allowedAddresses },
    ...tenants.map(({ id, lfi }) => ({ at: `tenant ${id}: lfi.allowedAddresses`, ranges: lfi.allowedAddresses ?? [] })),
  ]
  return lists.flatMap(({ at, ranges }) =>
    ranges.flatMap((range, index) => {
      const fault = faultOfRange(range)
      return fault === null ? [] : [`${at}.${index} ${fault}`]
    }),
  )
}

/** null: it is no certificate, which was reported where it was read. */
function subjectOf(pem: string): PeerCertificate | null {
  try {
    return describeCertificate(new X509Certificate(pem), false)
  } catch {
    return null
  }
}

/** JWT Auth takes iss and sub from there (lfi-api 4.3). */
function namelessCertificates({ id, lfi: { authentication, certificate } }: TenantConfig): readonly string[] {
  const subject = authentication.type === 'jwt' ? subjectOf(certificate) : null
  if (subject === null || (subject.organisation !== null && subject.organisationId !== null)) return []
  return [
    `tenant ${id}: lfi.certificateFile names no organisation (O) with its id (OU), which lfi.authentication jwt signs as iss and sub`,
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
    const ends = new Set(sharing.map(({ listener }) => JSON.stringify(listener.tls ?? { mode: 'in-process' })))
    const isBehindProxy = sharing.some(({ listener }) => listener.tls?.mode === 'behind-proxy')
    const modes = new Set(sharing.map(({ role }) => CLIENT_CERTIFICATES[role]))
    return [
      ...(ends.size > 1 ? [`${names(sharing)} share ${place} and end TLS differently`] : []),
      // The handshake comes before the request, so it cannot ask one caller for a certificate and another not. Behind a
      // proxy it is the proxy's, and the same for all.
      ...(modes.size > 1 && !isBehindProxy
        ? [`${names(sharing)} share ${place} and treat client certificates differently`]
        : []),
      ...repeated(sharing, ({ listener }) => new URL(listener.origin).hostname).map(
        (group) => `${names(group)} share ${place} and have the same host name`,
      ),
    ]
  })
}

/** A name that is not one would leave the operation it was meant for without its time, and nobody the wiser. */
function operationFaults({ id, lfi }: TenantConfig): readonly string[] {
  return Object.keys(lfi.operationTimeoutsMs ?? {}).flatMap((name) => {
    const at = `tenant ${id}: lfi.operationTimeoutsMs.${name}`
    if (!isLfiOperation(name)) {
      return [`${at} is no operation of Ozone Connect; there are ${Object.keys(LFI_OPERATIONS).join(', ')}`]
    }
    return LFI_OPERATIONS[name] === 'consent-action' ? [`${at} has its time in lfi.consentActions`] : []
  })
}

/** Between the day on which a consent may be archived and the one on which its payments go. */
const ARCHIVE_DAYS = 30

function archiveFaults({ id, retention }: TenantConfig): readonly string[] {
  if (retention?.archiveYears === undefined) return []
  const least = retention.archiveYears * 366 + ARCHIVE_DAYS
  return retention.resourceDays >= least
    ? []
    : [
        `tenant ${id}: retention.resourceDays must be ${least} at least: what archiveYears keeps would have lost its payments`,
      ]
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

/** A door that nobody could enter, or people with no door. */
function portalFaults({ id, listeners, portal }: TenantConfig): readonly string[] {
  if (listeners.portal === undefined) return portal === undefined ? [] : [`tenant ${id}: portal needs listeners.portal`]
  if (portal === undefined) return [`tenant ${id}: listeners.portal needs portal, which says who may log in`]
  const claimed = Object.entries(portal.roles).flatMap(([role, values]) => values.map((value) => ({ role, value })))
  return [
    ...(claimed.length === 0 ? [`tenant ${id}: portal.roles gives nobody a role`] : []),
    ...(portal.idleMinutes > portal.sessionMinutes
      ? [`tenant ${id}: portal.idleMinutes is more than portal.sessionMinutes`]
      : []),
  ]
}

/** What is handed on is believed from an address of a proxy only: a certificate alone may be stolen, and used elsewhere. */
function proxyFaults(tenant: TenantConfig): readonly string[] {
  return listenersOf(tenant).flatMap(({ name, listener: { tls } }) => {
    if (tls?.mode !== 'behind-proxy') return []
    const networks = tls.peers.filter((each) => !each.startsWith('sha256:'))
    return [
      ...(networks.length === 0 ? [`${name}.tls.peers names no network that the proxies call from`] : []),
      ...networks.filter((each) => !isNetwork(each)).map((each) => `${name}.tls.peers: ${each} is no network`),
    ]
  })
}

function isNetwork(text: string): boolean {
  const [address = '', length] = text.split('/')
  const bits = { 4: 32, 6: 128 }[isIP(address)]
  // A network that is everything is no restriction.
  return bits !== undefined && (length === undefined || (Number(length) >= 1 && Number(length) <= bits))
}

const names = (group: readonly NamedListener[]): string => group.map(({ name }) => name).join(' and ')

function repeated<T>(items: readonly T[], keyOf: (item: T) => string): readonly (readonly T[])[] {
  return [...Map.groupBy(items, keyOf).values()].filter((group) => group.length > 1)
}
