/** The list with which the issuing authority revokes (RFC 5280 5), made anew for whoever asks. */
import './reflect.ts'
import { createPrivateKey, X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { X509CrlGenerator, X509CrlReason, X509Certificate as XCertificate } from '@peculiar/x509'
import type { KeyFiles } from '../tls.ts'
import type { Clock, Directory } from './directory.ts'

export type RevocationList = () => Promise<Buffer>

/** Longer than anybody waits before asking again, and short enough that a list held back does not count for long. */
const VALID_MS = 3_600_000
const BACKDATE_MS = 60_000
const RSA = { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' } as const

export function createRevocationList(issuer: KeyFiles, directory: Directory, now: Clock): RevocationList {
  const key = createPrivateKey(readFileSync(issuer.keyFile))
  const { subjectName } = new XCertificate(readFileSync(issuer.certFile, 'utf8'))
  return async () => {
    const at = now().getTime()
    const list = await X509CrlGenerator.create({
      issuer: subjectName,
      thisUpdate: new Date(at - BACKDATE_MS),
      nextUpdate: new Date(at + VALID_MS),
      entries: directory.revoked().map(({ pem, revokedAt }) => ({
        serialNumber: new X509Certificate(pem).serialNumber,
        revocationDate: new Date(revokedAt),
        reason: X509CrlReason.keyCompromise,
      })),
      signingKey: key.toCryptoKey(RSA, false, ['sign']),
      signingAlgorithm: RSA,
    })
    return Buffer.from(list.rawData)
  }
}
