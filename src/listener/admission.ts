/** What a door makes of a request before its app sees it: whose it is, or why it is not taken. */
import { createHash } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import type { TLSSocket } from 'node:tls'
import { LRUCache } from 'lru-cache'
import type { Caller } from '../caller.ts'
import { createPathBuilder, type Path } from '../certificate-path.ts'
import type { Clock } from '../clock.ts'
import type { Log } from '../log.ts'
import type { Revocation } from '../revocation.ts'
import { describeCertificate, handshakeCertificate, type ShownCertificate } from '../tls.ts'
import { readClientCert, type SentCertificate } from './client-cert.ts'
import type { Proxies } from './proxy.ts'

export type Admission = (request: IncomingMessage) => Caller | Refused
export type Refused = { readonly status: 400 | 401; readonly why: string }

export type AdmissionDeps = {
  /** null: the door wants no certificate. */
  readonly certificates: { readonly mode: 'requested' | 'required'; readonly ca: string } | null
  /** null: TLS ends here. */
  readonly proxies: Proxies | null
  readonly revocation: Revocation | null
  readonly clock: Clock
  readonly log: Log
}

/** Certificates that a proxy handed on, taken apart and judged. */
const SENT_MAX = 2_000

export function createAdmission(deps: AdmissionDeps): Admission {
  const { proxies, certificates } = deps
  if (certificates === null) return (request) => describeCaller(null, addressOf(request, proxies), null)
  if (proxies === null) {
    return (request) => {
      const socket = request.socket as TLSSocket
      return describeCaller(handshakeCertificate(socket), socket.remoteAddress ?? '', deps.revocation)
    }
  }
  const judged = createJudged(certificates.ca, deps.clock)
  return (request) => {
    const read = readClientCert(request)
    if (!read.ok) return { status: 400, why: read.why }
    const shown = read.sent === null ? null : judged(read.sent, read.key)
    if (certificates.mode === 'required' && shown?.peer.trusted !== true) {
      return { status: 401, why: 'a certificate of the trust framework is required' }
    }
    return describeCaller(shown, proxies.addressOf(request), deps.revocation)
  }
}

const addressOf = (request: IncomingMessage, proxies: Proxies | null): string =>
  proxies === null ? (request.socket.remoteAddress ?? '') : proxies.addressOf(request)

function describeCaller(shown: ShownCertificate | null, address: string, revocation: Revocation | null): Caller {
  if (shown === null) return { certificate: null, peer: null, address, undecided: false }
  const { certificate, peer } = shown
  const standing = revocation !== null && peer.trusted ? revocation.standingOf(certificate) : 'good'
  if (standing === 'revoked') {
    return { certificate, peer: { ...peer, trusted: false, revoked: true }, address, undecided: false }
  }
  return { certificate, peer, address, undecided: standing === 'unknown' }
}

type Judged = {
  readonly shown: (trusted: boolean) => ShownCertificate
  readonly path: Path | null
  /** What was not found may be found later: an authority's certificate begins to be valid. */
  readonly until: number
}
/** How long a certificate that leads nowhere is not looked at again. */
const NOWHERE_MS = 60_000

/** The proxy says what it was shown. Whether that is worth anything is found out here, and remembered. */
function createJudged(ca: string, clock: Clock): (sent: SentCertificate, key: string) => ShownCertificate {
  const builder = createPathBuilder(ca)
  const known = new LRUCache<string, Judged>({ max: SENT_MAX })
  return ({ leaf, chain }, text) => {
    const key = createHash('sha256').update(text).digest('base64')
    const now = clock.now()
    let judged = known.get(key)
    if (judged === undefined || judged.until <= now) {
      const found = builder.build(leaf, chain, now)
      const [good, bad] = [describeCertificate(leaf, true), describeCertificate(leaf, false)]
      judged = {
        shown: (trusted) => ({ certificate: leaf, peer: trusted ? good : bad }),
        path: found.ok ? found.path : null,
        until: found.ok ? found.path.until : now + NOWHERE_MS,
      }
      known.set(key, judged)
    }
    return judged.shown(judged.path !== null && judged.path.from <= now && now < judged.path.until)
  }
}
