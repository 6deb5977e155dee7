/** TLS for the sandbox's participants: how they listen, how they call each other, and who is calling. */
import { createHash, type X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import type { RequestListener } from 'node:http'
import { createServer, type ServerOptions } from 'node:https'
import type { AddressInfo } from 'node:net'
import type { SecureContextOptions, TLSSocket } from 'node:tls'

/** Paths of a PEM certificate (with its issuing authority where it speaks TLS) and of its private key. */
export type KeyFiles = { readonly certFile: string; readonly keyFile: string }

export type ListenSettings = {
  readonly port: number
  /** Default 127.0.0.1: the sandbox is for this machine only. */
  readonly address?: string
  readonly server: KeyFiles
  /** Given: a client certificate of these authorities is required. */
  readonly clientCaFile?: string
}

export type Listening = { readonly port: number; close(): Promise<void> }

/** What a trust framework certificate says about its holder (tpp-api 9.3). */
export type Peer = {
  readonly thumbprint: string
  readonly organisation: string
  readonly organisationId: string
  readonly clientId: string
}

const PROFILE: SecureContextOptions & { readonly honorCipherOrder: boolean } = {
  minVersion: 'TLSv1.2',
  // TLS 1.3, and of 1.2 only what FAPI 2.0 SP 5.2.2 leaves.
  ciphers: [
    'TLS_AES_256_GCM_SHA384',
    'TLS_AES_128_GCM_SHA256',
    'ECDHE-RSA-AES256-GCM-SHA384',
    'ECDHE-RSA-AES128-GCM-SHA256',
  ].join(':'),
  honorCipherOrder: true,
}

const HEADERS_TIMEOUT_MS = 10_000
const REQUEST_TIMEOUT_MS = 30_000
const DRAIN_MS = 2_000

export function serverTls(server: KeyFiles, clientCaFile?: string): ServerOptions {
  const own = { ...PROFILE, cert: readFileSync(server.certFile), key: readFileSync(server.keyFile) }
  return clientCaFile === undefined
    ? own
    : { ...own, ca: readFileSync(clientCaFile), requestCert: true, rejectUnauthorized: true }
}

/** Options for `https.request`, `https.Agent` and undici's `connect`. */
export function clientTls(caFile: string, client?: KeyFiles): SecureContextOptions {
  const trust = { minVersion: PROFILE.minVersion, ca: readFileSync(caFile) } as const
  return client === undefined
    ? trust
    : { ...trust, cert: readFileSync(client.certFile), key: readFileSync(client.keyFile) }
}

export async function listenTls(settings: ListenSettings, handle: RequestListener): Promise<Listening> {
  const server = createServer(
    {
      ...serverTls(settings.server, settings.clientCaFile),
      headersTimeout: HEADERS_TIMEOUT_MS,
      requestTimeout: REQUEST_TIMEOUT_MS,
    },
    handle,
  )
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(settings.port, settings.address ?? '127.0.0.1', () => {
      server.off('error', reject)
      resolve()
    })
  })
  return {
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise((resolve) => {
        const force = setTimeout(() => server.closeAllConnections(), DRAIN_MS)
        server.close(() => {
          clearTimeout(force)
          resolve()
        })
      }),
  }
}

/** The holder of the client certificate; null without one, or when a subject attribute is missing or repeated. */
export function peerOf(socket: TLSSocket): Peer | null {
  const certificate = socket.getPeerX509Certificate()
  return certificate === undefined || !socket.authorized ? null : holderOf(certificate)
}

export function holderOf(certificate: X509Certificate): Peer | null {
  const subject = certificate.toLegacyObject().subject as unknown as Readonly<Record<string, unknown>>
  const [organisation, organisationId, clientId] = [subject['O'], subject['OU'], subject['CN']]
  if (typeof organisation !== 'string' || typeof organisationId !== 'string' || typeof clientId !== 'string')
    return null
  return { thumbprint: thumbprintOf(certificate), organisation, organisationId, clientId }
}

/** base64url SHA-256 of the DER: `x5t#S256`, and the directory's `kid` (tpp-api 9.3). */
export const thumbprintOf = (certificate: X509Certificate): string =>
  createHash('sha256').update(certificate.raw).digest('base64url')
