/** How the directory shows a certificate: as a record of its API, and as a key of the keystore (tpp-api 9.3, 9.4). */
import { createHash, X509Certificate } from 'node:crypto'
import { KINDS } from './certificate-kinds.ts'
import type { RegisteredCertificate } from './register.ts'

export type PublishedKey = {
  readonly kty: 'RSA'
  readonly use: 'sig' | 'enc'
  readonly n: string
  readonly e: string
  readonly kid: string
  readonly alg?: 'PS256' | 'RSA-OAEP-256'
  readonly x5u: string
  readonly 'x5t#S256': string
  readonly x5dn: string
}

export type CertificateRecord = {
  readonly OrganisationId: string
  readonly SoftwareStatementIds: readonly string[]
  readonly ClientName: string
  readonly Status: 'Active' | 'Revoked' | 'Expired'
  readonly ValidFromDateTime: string
  readonly ExpiryDateTime: string
  readonly RevokedDateTime: string | null
  readonly kty: 'RSA'
  readonly use: 'sig' | 'enc'
  readonly keyType: string
  readonly n: string
  readonly e: string
  readonly kid: string
  readonly x5c: readonly string[]
  readonly x5t: string
  readonly x5thashS256: string
  readonly x5u: string
  readonly SignedCertPath: string
  readonly JwkPath: string
  readonly OrgJwkPath: string
}

/** A registered certificate, read once. */
export type Certificate = RegisteredCertificate & {
  readonly validFrom: Date
  readonly expires: Date
  readonly key: PublishedKey
  /** Standard base64, as `x5c` has it. */
  readonly der: string
  readonly sha1: string
}

export function readCertificate(registered: RegisteredCertificate, keystore: string): Certificate {
  const certificate = new X509Certificate(registered.pem)
  const jwk = certificate.publicKey.export({ format: 'jwk' })
  if (typeof jwk.n !== 'string' || typeof jwk.e !== 'string') throw new Error(`${registered.kid} holds no RSA key`)
  const { use, alg } = KINDS[registered.kind]
  return {
    ...registered,
    validFrom: new Date(certificate.validFrom),
    expires: new Date(certificate.validTo),
    key: {
      kty: 'RSA',
      use,
      n: jwk.n,
      e: jwk.e,
      kid: registered.kid,
      ...(alg === null ? {} : { alg }),
      x5u: `${keystore}/${registered.organisationId}/${registered.kid}.pem`,
      'x5t#S256': registered.kid,
      x5dn: `OU=${registered.organisationId},O=${registered.organisationName},C=AE`,
    },
    der: certificate.raw.toString('base64'),
    sha1: createHash('sha1').update(certificate.raw).digest('base64url'),
  }
}

export function certificateRecord(
  certificate: Certificate,
  seen: { readonly now: Date; readonly revokedAt: string | null; readonly keystore: string },
): CertificateRecord {
  const { key, organisationId, clientId } = certificate
  const home = `${seen.keystore}/${organisationId}`
  return {
    OrganisationId: organisationId,
    SoftwareStatementIds: [certificate.softwareStatementId],
    ClientName: certificate.clientName,
    Status: seen.revokedAt !== null ? 'Revoked' : seen.now < certificate.expires ? 'Active' : 'Expired',
    ValidFromDateTime: certificate.validFrom.toISOString(),
    ExpiryDateTime: certificate.expires.toISOString(),
    RevokedDateTime: seen.revokedAt,
    kty: key.kty,
    use: key.use,
    keyType: KINDS[certificate.kind].keyType,
    n: key.n,
    e: key.e,
    kid: key.kid,
    x5c: [certificate.der],
    x5t: certificate.sha1,
    x5thashS256: certificate.kid,
    x5u: key.x5u,
    SignedCertPath: key.x5u,
    JwkPath: `${home}/${clientId}/application.jwks`,
    OrgJwkPath: `${home}/application.jwks`,
  }
}
