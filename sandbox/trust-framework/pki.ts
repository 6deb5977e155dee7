/** The sandbox's certificate authority: a root, an issuing authority under it, and the certificates they sign. */
import './reflect.ts'
import { createPrivateKey, createPublicKey, generateKeyPair, type KeyObject, X509Certificate } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import {
  AuthorityKeyIdentifierExtension,
  BasicConstraintsExtension,
  ExtendedKeyUsageExtension,
  type Extension,
  type JsonGeneralNames,
  KeyUsageFlags,
  KeyUsagesExtension,
  Name,
  SubjectAlternativeNameExtension,
  SubjectKeyIdentifierExtension,
  X509CertificateGenerator,
} from '@peculiar/x509'
import type { KeyFiles } from '../tls.ts'
import { type CertificateKind, KINDS } from './certificate-kinds.ts'
import { PRIVATE, PUBLIC, writeAtomically } from './files.ts'

/** C, O and OU of every certificate; CN only where an application holds it (tpp-api 9.3). */
export type Subject = {
  readonly organisation: string
  readonly organisationId: string
  readonly clientId?: string
}

export type CertificateOrder = {
  readonly kind: CertificateKind
  readonly subject: Subject
  readonly key: KeyObject
  /** Shortens the kind's own validity. */
  readonly notAfter?: Date
}

export type Authority = {
  readonly rootFile: string
  /** Root and issuing authority: what a verifier trusts. */
  readonly bundleFile: string
  /** Of the issuing authority. */
  readonly files: KeyFiles
  /** The issuing authority's certificate, sent along with leaves that speak TLS. */
  readonly chainPem: string
  issue(order: CertificateOrder): Promise<string>
  vouchesFor(certificate: X509Certificate): boolean
}

type Signer = { readonly name: Name; readonly key: KeyObject }
type Body = {
  readonly subject: Name
  readonly publicKey: Uint8Array<ArrayBuffer>
  readonly notBefore: Date
  readonly notAfter: Date
  readonly extensions: Extension[]
}

const DAY_MS = 86_400_000
const AUTHORITY_DAYS = 3_650
/** Clocks of one machine agree, but a certificate's times have whole seconds only. */
const BACKDATE_MS = 60_000
const RSA = { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' } as const
const LOOPBACK: JsonGeneralNames = [
  { type: 'dns', value: 'localhost' },
  { type: 'ip', value: '127.0.0.1' },
  { type: 'ip', value: '::1' },
]

const generate = promisify(generateKeyPair)

/** On libuv's thread pool: many at once take all cores, and the event loop stays free. */
export const newRsaKey = async (): Promise<KeyObject> => (await generate('rsa', { modulusLength: 2048 })).privateKey

export const pemOf = (key: KeyObject): string => key.export({ type: 'pkcs8', format: 'pem' }).toString()

/** Created at the first call, read from the folder at later ones. */
export async function openAuthority(folder: string, name: string): Promise<Authority> {
  const keyFile = join(folder, 'issuing.key.pem')
  // The issuing key is written last, so a half-made authority is made again rather than used.
  if (!existsSync(keyFile)) await foundAuthority(folder, name)
  const chainPem = readFileSync(join(folder, 'issuing.pem'), 'utf8')
  const issuer = { name: authorityName(`${name} Issuing CA`), key: createPrivateKey(readFileSync(keyFile)) }
  const verifyingKey = new X509Certificate(chainPem).publicKey
  return {
    rootFile: join(folder, 'root.pem'),
    bundleFile: join(folder, 'bundle.pem'),
    files: { certFile: join(folder, 'issuing.pem'), keyFile },
    chainPem,
    issue: async (order) => sign(await leaf(order, issuer), issuer),
    vouchesFor: (certificate) => certificate.verify(verifyingKey),
  }
}

async function foundAuthority(folder: string, name: string): Promise<void> {
  const [rootKey, issuingKey] = await Promise.all([newRsaKey(), newRsaKey()])
  const root = { name: authorityName(`${name} Root CA`), key: rootKey }
  const issuing = { name: authorityName(`${name} Issuing CA`), key: issuingKey }
  const rootPem = await sign(await authority(root, { pathLength: 1 }, root), root)
  const issuingPem = await sign(await authority(issuing, { pathLength: 0 }, root), root)
  writeAtomically(join(folder, 'root.key.pem'), pemOf(rootKey), PRIVATE)
  writeAtomically(join(folder, 'root.pem'), rootPem, PUBLIC)
  writeAtomically(join(folder, 'issuing.pem'), issuingPem, PUBLIC)
  writeAtomically(join(folder, 'bundle.pem'), `${rootPem}${issuingPem}`, PUBLIC)
  writeAtomically(join(folder, 'issuing.key.pem'), pemOf(issuingKey), PRIVATE)
}

const authorityName = (commonName: string): Name => nameOf({ O: 'Falaj Sandbox Trust Framework', CN: commonName })

/** Typed values are taken as they are; bare strings would be searched for quotes and escapes. */
const nameOf = (attributes: Readonly<Record<string, string>>): Name =>
  new Name([
    { C: [{ printableString: 'AE' }] },
    ...Object.entries(attributes).map(([type, value]) => ({ [type]: [{ utf8String: value }] })),
  ])

async function authority(self: Signer, limit: { readonly pathLength: number }, issuer: Signer): Promise<Body> {
  return {
    subject: self.name,
    publicKey: publicDer(self.key),
    ...validFor(AUTHORITY_DAYS),
    extensions: [
      new BasicConstraintsExtension(true, limit.pathLength, true),
      new KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign, true),
      ...(await identifiers(self.key, issuer.key)),
    ],
  }
}

async function leaf(order: CertificateOrder, issuer: Signer): Promise<Body> {
  const profile = KINDS[order.kind]
  const { organisation, organisationId, clientId } = order.subject
  const validity = validFor(profile.validDays)
  const extensions: Extension[] = [
    new BasicConstraintsExtension(false, undefined, true),
    new KeyUsagesExtension(profile.keyUsage, true),
    ...(await identifiers(order.key, issuer.key)),
  ]
  if (profile.extendedKeyUsage.length > 0) extensions.push(new ExtendedKeyUsageExtension([...profile.extendedKeyUsage]))
  if (order.kind === 'server-transport') extensions.push(new SubjectAlternativeNameExtension(LOOPBACK))
  return {
    subject: nameOf({ O: organisation, OU: organisationId, ...(clientId === undefined ? {} : { CN: clientId }) }),
    publicKey: publicDer(order.key),
    notBefore: validity.notBefore,
    notAfter: order.notAfter ?? validity.notAfter,
    extensions,
  }
}

/** Whole seconds: a certificate knows no others. */
function validFor(days: number): { notBefore: Date; notAfter: Date } {
  const start = Math.floor((Date.now() - BACKDATE_MS) / 1000) * 1000
  return { notBefore: new Date(start), notAfter: new Date(start + days * DAY_MS) }
}

const publicDer = (key: KeyObject): Uint8Array<ArrayBuffer> =>
  new Uint8Array(createPublicKey(key).export({ type: 'spki', format: 'der' }))

const identifiers = async (key: KeyObject, issuerKey: KeyObject): Promise<Extension[]> => [
  await SubjectKeyIdentifierExtension.create(publicDer(key)),
  await AuthorityKeyIdentifierExtension.create(publicDer(issuerKey)),
]

async function sign(body: Body, issuer: Signer): Promise<string> {
  const certificate = await X509CertificateGenerator.create({
    ...body,
    issuer: issuer.name,
    signingKey: issuer.key.toCryptoKey(RSA, false, ['sign']),
    signingAlgorithm: RSA,
  })
  return `${certificate.toString('pem').trimEnd()}\n`
}
