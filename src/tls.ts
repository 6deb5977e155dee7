/** TLS as FAPI 2.0 SP 5.2 and BCP 195 want it, and what a client certificate says about its holder. */
import { constants, createHash, type X509Certificate } from 'node:crypto'
// Loaded, and not for its types alone: where toLegacyObject of a certificate is called before it is, Node.js 24 loads it half,
// and no server of the process can be given a certificate any more.
import 'node:tls'
import type { SecureContextOptions, TLSSocket } from 'node:tls'
import { type OrganisationId, type Thumbprint, toOrganisationId } from './ids.ts'

/** TLS 1.3, and for 1.2 only the four ECDHE-GCM suites (FAPI 2.0 SP 5.2.2). */
export const TLS_PROFILE = {
  minVersion: 'TLSv1.2',
  maxVersion: 'TLSv1.3',
  ciphers: [
    'TLS_AES_256_GCM_SHA384',
    'TLS_AES_128_GCM_SHA256',
    'TLS_CHACHA20_POLY1305_SHA256',
    'ECDHE-ECDSA-AES256-GCM-SHA384',
    'ECDHE-RSA-AES256-GCM-SHA384',
    'ECDHE-ECDSA-AES128-GCM-SHA256',
    'ECDHE-RSA-AES128-GCM-SHA256',
  ].join(':'),
  honorCipherOrder: true,
  // A connection belongs to the certificate that it began with (BCP 195, RFC 9325 3.4).
  secureOptions: constants.SSL_OP_NO_RENEGOTIATION,
} as const satisfies SecureContextOptions & { honorCipherOrder: boolean }

/**
 * What the trust framework's certificates say (tpp-api 9.3): O legal name, OU organisation id, CN application.
 * Read from the parsed subject, never from its printed form: names may hold commas (lfi-api 4.3).
 */
export type PeerCertificate = {
  readonly thumbprint: Thumbprint
  readonly organisation: string
  readonly organisationId: OrganisationId | null
  readonly commonName: string
  readonly subject: string
  readonly issuer: string
  /** True when the chain leads to an authority that this listener trusts, and that authority has not revoked it. */
  readonly trusted: boolean
  /** There, and true, when the authority has: then the certificate is not trusted, and this is why. */
  readonly revoked?: boolean
  readonly expiresAt: number
}

export function thumbprintOf(certificate: X509Certificate): Thumbprint {
  return createHash('sha256').update(certificate.raw).digest('base64url') as Thumbprint
}

/** A certificate of the handshake, with what it says. */
export type ShownCertificate = { readonly certificate: X509Certificate; readonly peer: PeerCertificate }

const shown = new WeakMap<TLSSocket, ShownCertificate | null>()

/** The certificate of who is at the other end of the connection, worked out once; null when none was sent. */
export function handshakeCertificate(socket: TLSSocket): ShownCertificate | null {
  const known = shown.get(socket)
  if (known !== undefined) return known
  const certificate = socket.getPeerX509Certificate()
  const found =
    certificate === undefined ? null : { certificate, peer: describeCertificate(certificate, socket.authorized) }
  shown.set(socket, found)
  return found
}

export function describeCertificate(certificate: X509Certificate, trusted: boolean): PeerCertificate {
  const subject = certificate.toLegacyObject().subject as unknown as Record<string, string | string[] | undefined>
  return {
    thumbprint: thumbprintOf(certificate),
    organisation: single(subject['O']),
    organisationId: toOrganisationId(single(subject['OU'])),
    commonName: single(subject['CN']),
    subject: certificate.subject.replaceAll('\n', ', '),
    issuer: certificate.issuer.replaceAll('\n', ', '),
    trusted,
    expiresAt: Date.parse(certificate.validTo),
  }
}

/** Why a certificate that is not trusted is not: the end of a sentence that begins with what it is. */
export const whyDistrusted = ({ revoked }: PeerCertificate): string =>
  revoked === true ? 'has been revoked by its authority' : 'is not issued by the trust framework'

/** A repeated attribute is ambiguous, so it says nothing. */
const single = (value: string | string[] | undefined): string => (typeof value === 'string' ? value : '')
