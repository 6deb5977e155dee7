/** What a certificate says of itself that decides whether it may stand in a path (RFC 5280 4.2), read once. */
import type { X509Certificate } from 'node:crypto'
import { AsnConvert } from '@peculiar/asn1-schema'
import {
  BasicConstraints,
  Certificate,
  CRLDistributionPoints,
  ExtendedKeyUsage,
  type Extension,
  id_ce_basicConstraints,
  id_ce_certificatePolicies,
  id_ce_cRLDistributionPoints,
  id_ce_extKeyUsage,
  id_ce_keyUsage,
  id_ce_subjectAltName,
  id_kp_clientAuth,
  KeyUsage,
  KeyUsageFlags,
} from '@peculiar/asn1-x509'

export type Constraints = {
  readonly isAuthority: boolean
  /** How many authorities may follow; null: any number. */
  readonly pathLength: number | null
  readonly maySignCrl: boolean
  readonly mayAuthenticateClient: boolean
  /** Serial number as CRLs name it. */
  readonly serial: string
  /** Where its authority publishes its CRL. */
  readonly crlUrls: readonly string[]
}

/** Critical extensions that are looked at here, or that say nothing about the path (names, policies). */
const UNDERSTOOD: ReadonlySet<string> = new Set([
  id_ce_basicConstraints,
  id_ce_keyUsage,
  id_ce_extKeyUsage,
  id_ce_subjectAltName,
  id_ce_certificatePolicies,
  id_ce_cRLDistributionPoints,
])
/** SHA-2 with RSA (PKCS #1 and PSS) or ECDSA, and Ed25519. */
const SIGNATURES: ReadonlySet<string> = new Set([
  '1.2.840.113549.1.1.10',
  '1.2.840.113549.1.1.11',
  '1.2.840.113549.1.1.12',
  '1.2.840.113549.1.1.13',
  '1.2.840.10045.4.3.2',
  '1.2.840.10045.4.3.3',
  '1.2.840.10045.4.3.4',
  '1.3.101.112',
])
const CURVES: ReadonlySet<string | undefined> = new Set(['prime256v1', 'secp384r1', 'secp521r1'])
/** FAPI 2.0 SP 5.4.1. */
const RSA_BITS_MIN = 2048
const URLS_MAX = 4

const known = new WeakMap<X509Certificate, Constraints | null>()

/** null: it is malformed, weak, or says something critical that is not understood here (RFC 5280 4.2). */
export function constraintsOf(certificate: X509Certificate): Constraints | null {
  const remembered = known.get(certificate)
  if (remembered !== undefined) return remembered
  const found = isStrong(certificate) ? read(certificate) : null
  known.set(certificate, found)
  return found
}

function isStrong({ publicKey }: X509Certificate): boolean {
  const { modulusLength, namedCurve } = publicKey.asymmetricKeyDetails ?? {}
  switch (publicKey.asymmetricKeyType) {
    case 'rsa':
    case 'rsa-pss':
      return (modulusLength ?? 0) >= RSA_BITS_MIN
    case 'ec':
      return CURVES.has(namedCurve)
    default:
      return publicKey.asymmetricKeyType === 'ed25519'
  }
}

function read(certificate: X509Certificate): Constraints | null {
  try {
    const parsed = AsnConvert.parse(certificate.raw, Certificate)
    const extensions = new Map<string, Extension>()
    for (const each of parsed.tbsCertificate.extensions ?? []) {
      if (extensions.has(each.extnID) || (each.critical && !UNDERSTOOD.has(each.extnID))) return null
      extensions.set(each.extnID, each)
    }
    if (!SIGNATURES.has(parsed.signatureAlgorithm.algorithm)) return null
    const extensionAs = <T>(id: string, type: new () => T): T | null => {
      const found = extensions.get(id)
      return found === undefined ? null : AsnConvert.parse(found.extnValue, type)
    }
    const basic = extensionAs(id_ce_basicConstraints, BasicConstraints)
    const usage = extensionAs(id_ce_keyUsage, KeyUsage)?.toNumber() ?? null
    const may = (flag: KeyUsageFlags): boolean => usage === null || (usage & flag) !== 0
    const purposes = extensionAs(id_ce_extKeyUsage, ExtendedKeyUsage)
    return {
      isAuthority: basic?.cA === true && may(KeyUsageFlags.keyCertSign),
      pathLength: basic?.pathLenConstraint ?? null,
      maySignCrl: may(KeyUsageFlags.cRLSign),
      mayAuthenticateClient:
        may(KeyUsageFlags.digitalSignature) && (purposes === null || [...purposes].includes(id_kp_clientAuth)),
      serial: serialOf(parsed.tbsCertificate.serialNumber),
      crlUrls: urlsIn(extensionAs(id_ce_cRLDistributionPoints, CRLDistributionPoints)),
    }
  } catch {
    return null
  }
}

/** Written the one way, whatever zeros stand before it. */
export const serialOf = (bytes: ArrayBuffer): string =>
  Buffer.from(bytes)
    .toString('hex')
    .replace(/^(00)+(?=..)/, '')

function urlsIn(points: CRLDistributionPoints | null): readonly string[] {
  const named = [...(points ?? [])].flatMap(({ distributionPoint }) => distributionPoint?.fullName ?? [])
  return named
    .flatMap(({ uniformResourceIdentifier: url }) => (url !== undefined && /^https?:\/\//.test(url) ? [url] : []))
    .slice(0, URLS_MAX)
}
