/** The kinds of certificate the trust framework issues (tpp-api 9.3, lfi-api 4.1), as data. */
import './reflect.ts'
import { ExtendedKeyUsage, KeyUsageFlags } from '@peculiar/x509'

export type CertificateKind =
  | 'client-transport'
  | 'client-signing'
  | 'client-encryption'
  | 'server-transport'
  | 'server-encryption'

export type KindProfile = {
  /** The directory's name for it. */
  readonly keyType: string
  readonly use: 'sig' | 'enc'
  /** What the published JWK announces; null keeps the key out of `application.jwks`. */
  readonly alg: 'PS256' | 'RSA-OAEP-256' | null
  readonly keyUsage: number
  readonly extendedKeyUsage: readonly string[]
  readonly validDays: number
}

/** 13 months. */
const LEAF_DAYS = 396
/** Enc1 has no end of its own; it lives as long as the authority allows (lfi-api 4.1). */
const LONG_DAYS = 3_000

/**
 * RFC 9336 id-kp-documentSigning. Without any extended key usage OpenSSL would take a signing certificate for a TLS
 * client's as well; with this one the handshake refuses it.
 */
const DOCUMENT_SIGNING = '1.3.6.1.5.5.7.3.36'

export const KINDS = {
  'client-transport': {
    keyType: 'CLIENT TRANSPORT',
    use: 'sig',
    alg: null,
    keyUsage: KeyUsageFlags.digitalSignature,
    extendedKeyUsage: [ExtendedKeyUsage.clientAuth],
    validDays: LEAF_DAYS,
  },
  'client-signing': {
    keyType: 'CLIENT SIGNING',
    use: 'sig',
    alg: 'PS256',
    keyUsage: KeyUsageFlags.digitalSignature | KeyUsageFlags.nonRepudiation,
    extendedKeyUsage: [DOCUMENT_SIGNING],
    validDays: LEAF_DAYS,
  },
  'client-encryption': {
    keyType: 'CLIENT ENCRYPTION',
    use: 'enc',
    alg: 'RSA-OAEP-256',
    keyUsage: KeyUsageFlags.keyEncipherment,
    extendedKeyUsage: [],
    validDays: LEAF_DAYS,
  },
  'server-transport': {
    keyType: 'SERVER TRANSPORT',
    use: 'sig',
    alg: null,
    keyUsage: KeyUsageFlags.digitalSignature,
    extendedKeyUsage: [ExtendedKeyUsage.serverAuth],
    validDays: LEAF_DAYS,
  },
  'server-encryption': {
    keyType: 'SERVER ENCKEY',
    use: 'enc',
    alg: 'RSA-OAEP-256',
    keyUsage: KeyUsageFlags.keyEncipherment,
    extendedKeyUsage: [],
    validDays: LONG_DAYS,
  },
} as const satisfies Record<CertificateKind, KindProfile>
