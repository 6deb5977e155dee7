/** Key and certificate on disk: made once, kept until the certificate nears its end. */
import { createPrivateKey, generateKeyPairSync, type KeyObject, X509Certificate } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type KeyFiles, thumbprintOf } from '../tls.ts'
import type { CertificateKind } from './certificate-kinds.ts'
import { PRIVATE, PUBLIC, writeAtomically } from './files.ts'
import { type Authority, newRsaKey, pemOf, type Subject } from './pki.ts'

/** `kid` is the thumbprint of the certificate (tpp-api 9.3). */
export type KeyMaterial = KeyFiles & { readonly kid: string }

const RENEW_BEFORE_MS = 14 * 86_400_000

export async function material(
  authority: Promise<Authority>,
  folder: string,
  order: { readonly kind: CertificateKind; readonly subject: Subject },
): Promise<KeyMaterial> {
  const certFile = join(folder, `${order.kind}.pem`)
  const keyFile = join(folder, `${order.kind}.key.pem`)
  const existing = read({ certFile, keyFile })
  if (existing !== null && stillGood(existing.certificate, await authority)) {
    return { certFile, keyFile, kid: thumbprintOf(existing.certificate) }
  }
  // The key before the authority is awaited: all keys of an enrolment are made side by side.
  const key = await newRsaKey()
  const { issue, chainPem } = await authority
  const pem = await issue({ ...order, key })
  // Certificate last: a key without one is replaced at the next run.
  writeAtomically(keyFile, pemOf(key), PRIVATE)
  writeAtomically(certFile, speaksTls(order.kind) ? `${pem}${chainPem}` : pem, PUBLIC)
  return { certFile, keyFile, kid: thumbprintOf(new X509Certificate(pem)) }
}

/** Ed25519, for the head of a hub's audit log. */
export function auditKey(file: string): string {
  if (!existsSync(file)) writeAtomically(file, pemOf(generateKeyPairSync('ed25519').privateKey), PRIVATE)
  return file
}

const speaksTls = (kind: CertificateKind): boolean => kind === 'client-transport' || kind === 'server-transport'

function read(files: KeyFiles): { readonly certificate: X509Certificate; readonly key: KeyObject } | null {
  if (!existsSync(files.certFile) || !existsSync(files.keyFile)) return null
  const certificate = new X509Certificate(readFileSync(files.certFile))
  const key = createPrivateKey(readFileSync(files.keyFile))
  return certificate.checkPrivateKey(key) ? { certificate, key } : null
}

const stillGood = (certificate: X509Certificate, authority: Authority): boolean =>
  authority.vouchesFor(certificate) && Date.parse(certificate.validTo) - Date.now() > RENEW_BEFORE_MS
