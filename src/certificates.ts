/** The hub's own certificates, and how long each is good: told on a page, on the command line, as a metric, in the log. */
import { X509Certificate } from 'node:crypto'
import { type Clock, type Instant, iso, toInstant } from './clock.ts'
import type { Config, ListenerConfig, TenantConfig } from './config.ts'
import type { Log } from './log.ts'

export type OwnCertificate = {
  /** Its place in the configuration: `listeners.rs`, `lfi`, `trustFramework`. */
  readonly name: string
  readonly subject: string
  readonly issuer: string
  /** Of the first that ends in its chain. */
  readonly expiresAt: Instant
}
export type Urgency = 'good' | 'soon' | 'urgent' | 'over'

const CERTIFICATES = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g
const DAY_MS = 86_400_000
const SOON_DAYS = 30
const URGENT_DAYS = 7

export function certificatesOf({ trustFramework }: Config, tenant: TenantConfig): readonly OwnCertificate[] {
  const listeners = (Object.entries(tenant.listeners) as [string, ListenerConfig][]).map(([role, { certificate }]) =>
    described(`listeners.${role}`, certificate),
  )
  return [
    ...listeners,
    described('lfi', tenant.lfi.certificate),
    described('trustFramework', trustFramework.certificate),
  ]
}

function described(name: string, pem: string): OwnCertificate {
  const chain = (pem.match(CERTIFICATES) ?? []).map((each) => new X509Certificate(each))
  const [own] = chain
  if (own === undefined) throw new Error(`${name} has no certificate`)
  const lines = (text: string): string => text.replaceAll('\n', ', ')
  return {
    name,
    subject: lines(own.subject),
    issuer: lines(own.issuer),
    expiresAt: toInstant(Math.min(...chain.map(({ validTo }) => Date.parse(validTo)))),
  }
}

export function urgencyOf({ expiresAt }: OwnCertificate, now: Instant): Urgency {
  const days = daysLeft(expiresAt, now)
  if (days < 0) return 'over'
  return days < URGENT_DAYS ? 'urgent' : days < SOON_DAYS ? 'soon' : 'good'
}

/** Whole days; negative once it is over. */
export const daysLeft = (expiresAt: Instant, now: Instant): number => Math.floor((expiresAt - now) / DAY_MS)

/** For the log, at the start and each day. */
export function warnOfCertificates(
  certificates: readonly OwnCertificate[],
  { clock, log }: { readonly clock: Clock; readonly log: Log },
): void {
  const now = clock.now()
  for (const each of certificates) {
    const urgency = urgencyOf(each, now)
    if (urgency === 'good') continue
    const { name: certificate, subject, expiresAt } = each
    const told = { certificate, subject, expiresAt: iso(expiresAt), days: daysLeft(expiresAt, now) }
    if (urgency === 'soon') log.warn(told, 'a certificate ends within thirty days')
    else log.error(told, urgency === 'urgent' ? 'a certificate ends within seven days' : 'a certificate has ended')
  }
}
