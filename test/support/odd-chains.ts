/** Authorities and certificates that can be wrong in exactly one way, and the lists with which authorities revoke. */
import '../../sandbox/trust-framework/reflect.ts'
import { randomBytes, webcrypto, X509Certificate } from 'node:crypto'
import * as x509 from '@peculiar/x509'

x509.cryptoProvider.set(webcrypto)

export const { Extension, ExtendedKeyUsage, KeyUsageFlags, CRLDistributionPointsExtension } = x509

const EC = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' }
const DAY_MS = 86_400_000

export type Odd = {
  readonly name?: string
  readonly authority?: boolean
  readonly pathLength?: number
  readonly keyUsage?: number | null
  readonly purposes?: readonly string[] | null
  readonly from?: Date
  readonly until?: Date
  readonly more?: readonly x509.Extension[]
  readonly hash?: 'SHA-1' | 'SHA-256'
  readonly rsaBits?: number
  readonly subject?: x509.JsonName
}
export type Holder = {
  readonly certificate: x509.X509Certificate
  readonly node: X509Certificate
  readonly pem: string
  readonly key: string
  issue(odd?: Odd): Promise<Holder>
  /** A revocation list of these certificates. */
  list(revoked: readonly Holder[], odd?: OddList): Promise<Buffer>
}
export type OddList = {
  readonly thisUpdate?: Date
  readonly nextUpdate?: Date | null
  readonly extensions?: readonly x509.Extension[]
  readonly entryExtensions?: readonly x509.Extension[]
  /** Instead of its own. */
  readonly signedBy?: Holder
}

type Issuer = { readonly name: string; readonly keys: webcrypto.CryptoKeyPair }
const pairs = new WeakMap<Holder, webcrypto.CryptoKeyPair>()

export const createRoot = (odd: Odd = {}): Promise<Holder> => make({ name: 'Odd Root', authority: true, ...odd }, null)

async function make(odd: Odd, issuer: Issuer | null): Promise<Holder> {
  const keys = await newKeys(odd)
  const subject = odd.subject ?? [{ C: ['AE'] }, { O: ['Odd'] }, { CN: [odd.name ?? 'leaf'] }]
  const name = new x509.Name(subject).toString()
  const signer = issuer ?? { name, keys }
  const algorithm = signer.keys.privateKey.algorithm.name === 'ECDSA' ? EC : { name: 'RSASSA-PKCS1-v1_5' }
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber: `01${randomBytes(8).toString('hex')}`,
    subject,
    issuer: signer.name,
    notBefore: odd.from ?? new Date(Date.now() - DAY_MS),
    notAfter: odd.until ?? new Date(Date.now() + DAY_MS),
    publicKey: keys.publicKey,
    signingKey: signer.keys.privateKey,
    signingAlgorithm: { ...algorithm, hash: odd.hash ?? 'SHA-256' },
    extensions: extensionsOf(odd),
  })
  const pkcs8 = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', keys.privateKey)).toString('base64')
  const holder: Holder = {
    certificate,
    node: new X509Certificate(Buffer.from(certificate.rawData)),
    pem: `${certificate.toString('pem')}\n`,
    key: `-----BEGIN PRIVATE KEY-----\n${pkcs8}\n-----END PRIVATE KEY-----\n`,
    issue: (next = {}) => make(next, { name: certificate.subject, keys }),
    list: (revoked, oddList = {}) => listOf(holder, revoked, oddList),
  }
  pairs.set(holder, keys)
  return holder
}

async function newKeys({ rsaBits }: Odd): Promise<webcrypto.CryptoKeyPair> {
  if (rsaBits === undefined) {
    return webcrypto.subtle.generateKey(EC, true, ['sign', 'verify'])
  }
  const rsa = { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256', modulusLength: rsaBits }
  return webcrypto.subtle.generateKey({ ...rsa, publicExponent: new Uint8Array([1, 0, 1]) }, true, ['sign', 'verify'])
}

function extensionsOf({ authority = false, pathLength, keyUsage, purposes, more = [] }: Odd): x509.Extension[] {
  const flags = x509.KeyUsageFlags
  const usage = keyUsage ?? (authority ? flags.keyCertSign | flags.cRLSign : flags.digitalSignature)
  const wanted = purposes ?? (authority ? null : [x509.ExtendedKeyUsage.clientAuth])
  return [
    new x509.BasicConstraintsExtension(authority, pathLength, true),
    ...(keyUsage === null ? [] : [new x509.KeyUsagesExtension(usage, true)]),
    ...(wanted === null ? [] : [new x509.ExtendedKeyUsageExtension([...wanted])]),
    ...more,
  ]
}

async function listOf(of: Holder, revoked: readonly Holder[], odd: OddList): Promise<Buffer> {
  const keys = pairs.get(odd.signedBy ?? of)
  if (keys === undefined) throw new Error('no keys')
  const nextUpdate = odd.nextUpdate === undefined ? new Date(Date.now() + 3_600_000) : odd.nextUpdate
  const list = await x509.X509CrlGenerator.create({
    issuer: of.certificate.subject,
    thisUpdate: odd.thisUpdate ?? new Date(Date.now() - 1000),
    ...(nextUpdate === null ? {} : { nextUpdate }),
    entries: revoked.map(({ certificate }) => ({
      serialNumber: certificate.serialNumber,
      revocationDate: new Date(),
      ...(odd.entryExtensions === undefined ? {} : { extensions: [...odd.entryExtensions] }),
    })),
    signingKey: keys.privateKey,
    signingAlgorithm: EC,
    ...(odd.extensions === undefined ? {} : { extensions: [...odd.extensions] }),
  })
  return Buffer.from(list.rawData)
}
