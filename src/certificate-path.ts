/**
 * Whether a certificate leads to an authority that is trusted (RFC 5280 6): names and signatures from one to the next,
 * times, authorities that may certify and how far, and at the end a self-signed one of the operator's bundle. Where TLS
 * ends here OpenSSL does this in the handshake; where a proxy ends it, nobody's word is taken for it.
 */
import { X509Certificate } from 'node:crypto'
import { constraintsOf } from './certificate-constraints.ts'
import { type Instant, toInstant } from './clock.ts'

export type Path = {
  /** The leaf first, the trusted authority last. */
  readonly certificates: readonly X509Certificate[]
  /** When all of them are valid. */
  readonly from: Instant
  readonly until: Instant
}
export type Built = { readonly ok: true; readonly path: Path } | { readonly ok: false }
export type PathBuilder = {
  /** `sent`: what came along, in any order; it is trusted no more than the leaf. */
  build(leaf: X509Certificate, sent: readonly X509Certificate[], now: Instant): Built
}

const PEM = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g
/** Authorities between the leaf and the trusted one. */
const DEPTH_MAX = 4
/** Certificates of one name can make a search of many ways; this many signatures are checked, and no more. */
const SIGNATURES_MAX = 24

export function authoritiesIn(pem: string): readonly X509Certificate[] {
  return (pem.match(PEM) ?? []).map((each) => new X509Certificate(each))
}

export function createPathBuilder(ca: string): PathBuilder {
  const bundle = authoritiesIn(ca)
  const anchors = bundle.filter((each) => each.checkIssued(each) && each.verify(each.publicKey))
  const ownIntermediates = bundle.filter((each) => !anchors.includes(each))
  return {
    build: (leaf, sent, now) => {
      const constraints = constraintsOf(leaf)
      if (constraints === null || constraints.isAuthority || !constraints.mayAuthenticateClient) return { ok: false }
      const certificates = search([leaf], {
        anchors,
        intermediates: [...ownIntermediates, ...sent],
        now,
        budget: { left: SIGNATURES_MAX },
      })
      return certificates === null ? { ok: false } : { ok: true, path: pathOf(certificates) }
    },
  }
}

type Search = {
  readonly anchors: readonly X509Certificate[]
  readonly intermediates: readonly X509Certificate[]
  readonly now: Instant
  readonly budget: { left: number }
}

/** From the last certificate of a way on to a trusted one, or null. */
function search(way: readonly X509Certificate[], among: Search): readonly X509Certificate[] | null {
  const last = way.at(-1)
  if (last === undefined) return null
  const issues = (authority: X509Certificate): boolean => {
    if (!last.checkIssued(authority) || !mayStandAbove(authority, way.length - 1, among.now)) return false
    among.budget.left -= 1
    return among.budget.left >= 0 && last.verify(authority.publicKey)
  }
  const anchor = among.anchors.find(issues)
  if (anchor !== undefined) return [...way, anchor]
  if (way.length > DEPTH_MAX) return null
  for (const authority of among.intermediates) {
    if (way.some((each) => each.raw.equals(authority.raw)) || !issues(authority)) continue
    const found = search([...way, authority], among)
    if (found !== null) return found
  }
  return null
}

/** `below`: how many authorities stand between it and the leaf. */
function mayStandAbove(authority: X509Certificate, below: number, now: Instant): boolean {
  const constraints = constraintsOf(authority)
  if (constraints?.isAuthority !== true) return false
  if (constraints.pathLength !== null && below > constraints.pathLength) return false
  return Date.parse(authority.validFrom) <= now && now < Date.parse(authority.validTo)
}

const pathOf = (certificates: readonly X509Certificate[]): Path => ({
  certificates,
  from: toInstant(Math.max(...certificates.map(({ validFrom }) => Date.parse(validFrom)))),
  until: toInstant(Math.min(...certificates.map(({ validTo }) => Date.parse(validTo)))),
})
