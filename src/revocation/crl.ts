/** A certificate revocation list (RFC 5280 5), read whole or not at all. */
import { createHash, verify, type X509Certificate } from 'node:crypto'
import { AsnConvert } from '@peculiar/asn1-schema'
import { Certificate, CertificateList, type Extension, type Name } from '@peculiar/asn1-x509'
import { constraintsOf, serialOf } from '../certificate-constraints.ts'
import type { Instant } from '../clock.ts'

export type Crl = {
  /** Digest of the key that signed it: lists and certificates of one authority have it in common. */
  readonly authority: string
  readonly thisUpdate: number
  /** When it stops to count. */
  readonly nextUpdate: number
  readonly serials: ReadonlySet<string>
}
export type ReadCrl = { readonly ok: true; readonly crl: Crl } | { readonly ok: false; readonly why: string }

/** How far the authority's clock may be ahead of ours. */
const SKEW_MS = 300_000
/** Hashes by the algorithm of the signature. PSS is not among them: its parameters would have to be judged as well. */
const HASHES: ReadonlyMap<string, string | null> = new Map([
  ['1.2.840.113549.1.1.11', 'sha256'],
  ['1.2.840.113549.1.1.12', 'sha384'],
  ['1.2.840.113549.1.1.13', 'sha512'],
  ['1.2.840.10045.4.3.2', 'sha256'],
  ['1.2.840.10045.4.3.3', 'sha384'],
  ['1.2.840.10045.4.3.4', 'sha512'],
  ['1.3.101.112', null],
])

export const authorityKey = ({ publicKey }: X509Certificate): string =>
  createHash('sha256')
    .update(publicKey.export({ type: 'spki', format: 'der' }))
    .digest('base64url')

/** `authorities`: who may say that a certificate is revoked; each speaks of what it has issued itself. */
export function readCrl(der: Buffer, authorities: readonly X509Certificate[], now: Instant): ReadCrl {
  const list = parsed(der)
  if (list === null) return refused('it is not a list in DER')
  const { tbsCertList } = list
  const { thisUpdate, nextUpdate, revokedCertificates = [], crlExtensions = [] } = tbsCertList
  // Partial lists, lists of other authorities' certificates, and what comes after us: all are marked so (RFC 5280 5.2).
  if (hasCritical(crlExtensions) || revokedCertificates.some((each) => hasCritical(each.crlEntryExtensions ?? []))) {
    return refused('it is partial, or holds something critical that is not understood')
  }
  if (nextUpdate === undefined) return refused('it does not say when the next one comes')
  const [from, until] = [thisUpdate.getTime().getTime(), nextUpdate.getTime().getTime()]
  if (from > now + SKEW_MS) return refused('it is of the future')
  if (until <= now) return refused('its time is over')
  const signer = authorities.find((each) => hasSigned(each, list, now))
  if (signer === undefined) return refused('it is not signed by an authority that may')
  const serials = new Set(revokedCertificates.map(({ userCertificate }) => serialOf(userCertificate)))
  return { ok: true, crl: { authority: authorityKey(signer), thisUpdate: from, nextUpdate: until, serials } }
}

const refused = (why: string): ReadCrl => ({ ok: false, why })
const hasCritical = (extensions: readonly Extension[]): boolean => extensions.some(({ critical }) => critical)

function parsed(der: Buffer): CertificateList | null {
  try {
    return AsnConvert.parse(der, CertificateList)
  } catch {
    return null
  }
}

function hasSigned(authority: X509Certificate, list: CertificateList, now: Instant): boolean {
  const constraints = constraintsOf(authority)
  if (constraints?.isAuthority !== true || !constraints.maySignCrl) return false
  if (Date.parse(authority.validFrom) > now || Date.parse(authority.validTo) <= now) return false
  const subject = AsnConvert.parse(authority.raw, Certificate).tbsCertificate.subject
  if (!nameOf(subject).equals(nameOf(list.tbsCertList.issuer))) return false
  const { algorithm } = list.signatureAlgorithm
  const hash = HASHES.get(algorithm)
  if (hash === undefined || list.tbsCertList.signature.algorithm !== algorithm) return false
  try {
    const signed = Buffer.from(list.tbsCertListRaw ?? new ArrayBuffer(0))
    return verify(hash, signed, authority.publicKey, Buffer.from(list.signature))
  } catch {
    // A key of another kind than the algorithm's.
    return false
  }
}

const nameOf = (name: Name): Buffer => Buffer.from(AsnConvert.serialize(name))
