/**
 * The hub's own certificates, and those of the authorities that it believes: how long each is good, told on a page, on
 * the command line, as a metric, in the log.
 */
import { X509Certificate } from 'node:crypto'
import { type Clock, type Instant, iso, toInstant } from './clock.ts'
import type { Config, ListenerConfig, TenantConfig } from './config.ts'
import type { Log } from './log.ts'

export type KnownCertificate = {
  /** Its place in the configuration: `listeners.rs`, `lfi`; of authorities with the place in the file: `lfi.caFile.0`. */
  readonly name: string
  readonly kind: 'own' | 'authority'
  readonly subject: string
  readonly issuer: string
  /** Of an own certificate: of the first that ends in its chain. */
  readonly expiresAt: Instant
}
export type Urgency = 'good' | 'soon' | 'urgent' | 'over'

const CERTIFICATES = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g
const DAY_MS = 86_400_000
/** Whoever hangs on an authority needs another certificate when it goes, and that takes longer than one's own. */
const SOON_DAYS = { own: 30, authority: 90 } as const
const URGENT_DAYS = 7

export function certificatesOf(config: Config, tenant: TenantConfig): readonly KnownCertificate[] {
  const listeners = Object.entries(tenant.listeners) as [string, ListenerConfig][]
  return [
    ...listeners.map(([role, { certificate }]) => ownIn(`listeners.${role}`, certificate)),
    ownIn('lfi', tenant.lfi.certificate),
    ownIn('trustFramework', config.trustFramework.certificate),
    ...bundlesOf(config, tenant).flatMap(({ name, pem }) => authoritiesIn(name, pem)),
  ]
}

type Bundle = { readonly name: string; readonly pem: string }

/** Every file of authorities that is named; whom the system believes is not ours to watch. */
function bundlesOf({ trustFramework, tracing }: Config, tenant: TenantConfig): readonly Bundle[] {
  const listeners = Object.entries(tenant.listeners) as [string, ListenerConfig][]
  const named: readonly (readonly [name: string, pem: string | null | undefined])[] = [
    ['lfi.caFile', tenant.lfi.ca],
    ...listeners.map(
      ([role, { tls }]) => [`listeners.${role}.tls.caFile`, tls?.mode === 'behind-proxy' ? tls.ca : null] as const,
    ),
    ['portal.caFile', tenant.portal?.ca],
    ['webhooks.caFile', tenant.webhooks?.ca],
    ...(tenant.audit?.witnesses ?? []).map(({ ca }, at) => [`audit.witnesses.${at}.caFile`, ca] as const),
    ['trustFramework.caFile', trustFramework.ca],
    ['trustFramework.serverCaFile', trustFramework.serverCa],
    ['tracing.caFile', tracing?.ca],
  ]
  return named.flatMap(([name, pem]) => (pem === null || pem === undefined ? [] : [{ name, pem }]))
}

function ownIn(name: string, pem: string): KnownCertificate {
  const chain = chainIn(pem)
  const [own] = chain
  if (own === undefined) throw new Error(`${name} has no certificate`)
  const expiresAt = toInstant(Math.min(...chain.map(endOf)))
  return { ...described(name, own), kind: 'own', expiresAt }
}

/** One that was renewed, with the same name and key, lives as long as the later of the two. */
function authoritiesIn(name: string, pem: string): readonly KnownCertificate[] {
  const all = chainIn(pem)
  return all.flatMap((each, at): readonly KnownCertificate[] => {
    const isRenewed = all.some((other) => isSame(other, each) && endOf(other) > endOf(each))
    if (isRenewed) return []
    return [{ ...described(`${name}.${at}`, each), kind: 'authority', expiresAt: toInstant(endOf(each)) }]
  })
}

const chainIn = (pem: string): readonly X509Certificate[] =>
  (pem.match(CERTIFICATES) ?? []).map((each) => new X509Certificate(each))

const endOf = ({ validTo }: X509Certificate): number => Date.parse(validTo)

const isSame = (one: X509Certificate, other: X509Certificate): boolean =>
  one.subject === other.subject && one.publicKey.equals(other.publicKey)

function described(name: string, { subject, issuer }: X509Certificate) {
  const lines = (text: string): string => text.replaceAll('\n', ', ')
  return { name, subject: lines(subject), issuer: lines(issuer) }
}

export function urgencyOf({ expiresAt, kind }: Pick<KnownCertificate, 'expiresAt' | 'kind'>, now: Instant): Urgency {
  const days = daysLeft(expiresAt, now)
  if (days < 0) return 'over'
  return days < URGENT_DAYS ? 'urgent' : days < SOON_DAYS[kind] ? 'soon' : 'good'
}

/** Whole days; negative once it is over. */
export const daysLeft = (expiresAt: Instant, now: Instant): number => Math.floor((expiresAt - now) / DAY_MS)

/** For the log, at the start and each day. */
export function warnOfCertificates(
  certificates: readonly KnownCertificate[],
  { clock, log }: { readonly clock: Clock; readonly log: Log },
): void {
  const now = clock.now()
  for (const each of certificates) {
    const urgency = urgencyOf(each, now)
    if (urgency === 'good') continue
    const { name: certificate, kind, subject, expiresAt } = each
    const what = kind === 'own' ? 'a certificate' : 'an authority'
    const told = { certificate, subject, expiresAt: iso(expiresAt), days: daysLeft(expiresAt, now) }
    if (urgency === 'soon') log.warn(told, `${what} ends within ${kind === 'own' ? 'thirty' : 'ninety'} days`)
    else log.error(told, urgency === 'urgent' ? `${what} ends within seven days` : `${what} has ended`)
  }
}
