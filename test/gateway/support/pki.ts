/** A small trust framework for tests: authorities, and certificates with the subject that the profile wants. */
import '../../../sandbox/trust-framework/reflect.ts'
import { createHash, randomBytes, webcrypto } from 'node:crypto'
import * as x509 from '@peculiar/x509'

x509.cryptoProvider.set(webcrypto)

export type Certificate = { readonly certificate: string; readonly key: string; readonly thumbprint: string }
export type Subject = {
  readonly O?: string
  readonly OU?: string
  readonly CN?: string
  readonly dns?: string
  readonly notAfter?: Date
}
export type Authority = {
  readonly certificate: string
  /** The same name and key in another certificate of its own. */
  until(notAfter: Date): Promise<string>
  issue(subject: Subject): Promise<Certificate>
  /** A revocation list of these. */
  list(revoked: readonly Certificate[]): Promise<Buffer>
}

const EC = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' }
const DAY_MS = 86_400_000

export async function createAuthority(name: string): Promise<Authority> {
  const keys = await webcrypto.subtle.generateKey(EC, true, ['sign', 'verify'])
  const selfSigned = (notAfter: Date) =>
    x509.X509CertificateGenerator.createSelfSigned({
      serialNumber: serial(),
      name: `C=AE, O=${name}`,
      notBefore: new Date(Date.now() - DAY_MS),
      notAfter,
      keys,
      signingAlgorithm: EC,
      extensions: [
        new x509.BasicConstraintsExtension(true, 1, true),
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
      ],
    })
  const self = await selfSigned(new Date(Date.now() + 30 * DAY_MS))
  return {
    certificate: self.toString('pem'),
    until: async (notAfter) => (await selfSigned(notAfter)).toString('pem'),
    list: async (revoked) => {
      const list = await x509.X509CrlGenerator.create({
        issuer: self.subject,
        thisUpdate: new Date(),
        nextUpdate: new Date(Date.now() + DAY_MS),
        entries: revoked.map(({ certificate }) => ({
          serialNumber: new x509.X509Certificate(certificate).serialNumber,
          revocationDate: new Date(),
        })),
        signingKey: keys.privateKey,
        signingAlgorithm: EC,
      })
      return Buffer.from(list.rawData)
    },
    issue: async (subject) => {
      const own = await webcrypto.subtle.generateKey(EC, true, ['sign', 'verify'])
      const made = await x509.X509CertificateGenerator.create({
        serialNumber: serial(),
        subject: nameOf(subject),
        issuer: self.subject,
        notBefore: new Date(Date.now() - DAY_MS),
        notAfter: subject.notAfter ?? new Date(Date.now() + DAY_MS),
        publicKey: own.publicKey,
        signingKey: keys.privateKey,
        signingAlgorithm: EC,
        extensions:
          subject.dns === undefined
            ? [new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.clientAuth])]
            : [
                new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
                new x509.SubjectAlternativeNameExtension([{ type: 'dns', value: subject.dns }]),
              ],
      })
      const pkcs8 = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', own.privateKey)).toString('base64')
      return {
        certificate: made.toString('pem'),
        key: `-----BEGIN PRIVATE KEY-----\n${pkcs8}\n-----END PRIVATE KEY-----\n`,
        thumbprint: createHash('sha256').update(Buffer.from(made.rawData)).digest('base64url'),
      }
    },
  }
}

const serial = (): string => `01${randomBytes(8).toString('hex')}`

const nameOf = ({ O, OU, CN }: Subject): x509.JsonName => [
  { C: ['AE'] },
  ...(O === undefined ? [] : [{ O: [O] }]),
  ...(OU === undefined ? [] : [{ OU: [OU] }]),
  ...(CN === undefined ? [] : [{ CN: [CN] }]),
]
