/**
 * Whether an authority of the trust framework has revoked a certificate that it issued: its revocation lists, read
 * ahead in the background, so that no request waits for one. The directory's own word (src/participants) comes on top.
 *
 * Each process reads for itself. A list is signed, so nobody in between can change it; holding it back makes it stop
 * to count when its time, or the operator's, is over; who is on it stays revoked until a newer list says otherwise.
 */
import type { X509Certificate } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { constraintsOf } from './certificate-constraints.ts'
import { authoritiesIn } from './certificate-path.ts'
import { type Clock, secondsToMilliseconds } from './clock.ts'
import type { Config, RevocationConfig } from './config.ts'
import type { Log } from './log.ts'
import { authorityKey, type Crl, readCrl } from './revocation/crl.ts'
import { createListReader } from './revocation/fetch.ts'
import { every } from './timer.ts'

/** unknown: no list that counts says, and the operator wants one. */
export type Standing = 'good' | 'revoked' | 'unknown'
export type Revocation = {
  /** Of a certificate that is trusted otherwise: what it says of its authority and its lists is believed. */
  standingOf(certificate: X509Certificate): Standing
  /** Whether every source has given its list at least once. */
  isComplete(): boolean
  /** Reads every known list now; a list that cannot be had is logged. */
  refresh(): Promise<void>
  close(): Promise<void>
}

export type RevocationDeps = {
  readonly config: RevocationConfig
  /** PEM bundle of the authorities. */
  readonly ca: string
  /** @throws when the source cannot be reached, or says more than `bytesMax`. */
  readonly fetch: (url: string, bytesMax: number) => Promise<Buffer>
  readonly clock: Clock
  readonly log: Log
}

/** Lists that are kept; a trust framework has one or two. */
const SOURCES_MAX = 16
/** Authorities over one another. */
const DEPTH_MAX = 6
/** So that the processes of a deployment do not all ask at once. */
const JITTER = 0.2
const START_ATTEMPTS = 10
const START_PAUSE_MS = 500

/** null: the operator wants no list. Otherwise what is known from the start has been asked for once. */
export async function openRevocation(deps: {
  readonly config: Pick<Config, 'trustFramework' | 'outbound'>
  readonly clock: Clock
  readonly log: Log
}): Promise<Revocation | null> {
  const { trustFramework, outbound } = deps.config
  const { revocation: config, ca } = trustFramework
  if (config === undefined || config.crl === 'off') return null
  const reader = createListReader(trustFramework, config, outbound.allowedAddresses)
  const revocation = createRevocation({ ...deps, config, ca, fetch: reader.fetch })
  await firstLists(revocation, config.crl === 'required' ? START_ATTEMPTS : 1)
  return {
    ...revocation,
    close: async () => {
      await revocation.close()
      await reader.close()
    },
  }
}

/** A process that starts beside its trust framework waits a little for it, and then starts all the same. */
async function firstLists(revocation: Revocation, attempts: number): Promise<void> {
  for (let attempt = 1; attempt <= attempts; attempt += 1) {
    await revocation.refresh()
    if (revocation.isComplete() || attempt === attempts) return
    await delay(START_PAUSE_MS)
  }
}

type Held = { readonly crl: Crl; readonly fetchedAt: number }
type Origin = { readonly authority: X509Certificate | null; readonly key: string; readonly serial: string }

export function createRevocation({ config, ca, fetch, clock, log }: RevocationDeps): Revocation {
  const authorities = authoritiesIn(ca)
  const sources = new Set(config.crlUrls)
  const reading = new Map<string, Promise<void>>()
  const good = new Set<string>()
  const lists = new Map<string, Held>()
  const origins = new WeakMap<X509Certificate, Origin>()

  const originOf = (certificate: X509Certificate): Origin => {
    const known = origins.get(certificate)
    if (known !== undefined) return known
    const found = authorities.find((each) => certificate.checkIssued(each) && certificate.verify(each.publicKey))
    const origin = {
      authority: found === undefined || found.raw.equals(certificate.raw) ? null : found,
      key: found === undefined ? '' : authorityKey(found),
      serial: constraintsOf(certificate)?.serial ?? '',
    }
    origins.set(certificate, origin)
    return origin
  }
  const counts = ({ crl, fetchedAt }: Held): boolean => {
    const now = clock.now()
    return now < crl.nextUpdate && now - fetchedAt <= secondsToMilliseconds(config.believedSeconds)
  }

  const accept = (url: string, crl: Crl): void => {
    const held = lists.get(crl.authority)
    if (held !== undefined && crl.thisUpdate < held.crl.thisUpdate) {
      log.warn({ url }, 'revocation list refused: it is older than the one before')
      return
    }
    lists.set(crl.authority, { crl, fetchedAt: clock.now() })
  }
  const read = (url: string): Promise<void> => {
    const running = reading.get(url)
    if (running !== undefined) return running
    const started = fetch(url, config.bytesMax)
      .then((der) => {
        const result = readCrl(der, authorities, clock.now())
        if (result.ok) {
          good.add(url)
          accept(url, result.crl)
        } else log.warn({ url, why: result.why }, 'revocation list refused')
      })
      .catch((error: unknown) => log.warn({ err: error, url }, 'revocation list out of reach'))
      .finally(() => reading.delete(url))
    reading.set(url, started)
    return started
  }
  const learn = (certificate: X509Certificate): void => {
    for (const url of constraintsOf(certificate)?.crlUrls ?? []) {
      if (sources.has(url) || sources.size >= SOURCES_MAX) continue
      sources.add(url)
      void read(url)
    }
  }
  const refresh = async (): Promise<void> => void (await Promise.all([...sources].map(read)))

  const isRevoked = ({ key, serial }: Origin): boolean => lists.get(key)?.crl.serials.has(serial) === true
  const interval = secondsToMilliseconds(config.refreshSeconds) * (1 - Math.random() * JITTER)
  const timer = every(interval, 'reading of revocation lists', log, refresh)
  return {
    standingOf: (certificate) => {
      learn(certificate)
      const origin = originOf(certificate)
      // An authority that its own authority has revoked vouches for nobody.
      let at: Origin | null = origin
      for (let depth = 0; at !== null && depth < DEPTH_MAX; depth += 1) {
        if (isRevoked(at)) return 'revoked'
        at = at.authority === null ? null : originOf(at.authority)
      }
      const held = lists.get(origin.key)
      return config.crl !== 'required' || (held !== undefined && counts(held)) ? 'good' : 'unknown'
    },
    isComplete: () => [...sources].every((url) => good.has(url)),
    refresh,
    close: async () => {
      await timer.stop()
      await Promise.all(reading.values())
    },
  }
}
