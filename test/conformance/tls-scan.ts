/** What a listener agrees to in a handshake, asked with raw connections (FAPI 2.0 SP 5.2.1, 5.2.2). */
import { type ConnectionOptions, connect } from 'node:tls'

export type TlsFinding = {
  readonly endpoint: string
  /** Versions before 1.2 that were agreed to. */
  readonly outdated: readonly string[]
  /** A TLS 1.2 suite outside the profile that was agreed to. */
  readonly weakCipher: string | null
  readonly agreesTo12: boolean
  readonly agreesTo13: boolean
  /** What is chosen when the caller offers both. */
  readonly preferred: string | null
}

type Agreed = { readonly version: string; readonly cipher: string }

const ALLOWED_12 = [
  'ECDHE-ECDSA-AES256-GCM-SHA384',
  'ECDHE-RSA-AES256-GCM-SHA384',
  'ECDHE-ECDSA-AES128-GCM-SHA256',
  'ECDHE-RSA-AES128-GCM-SHA256',
]
/** Without it this side would refuse by itself, and the listener would never be asked. */
const EVERYTHING = '@SECLEVEL=0'
const HANDSHAKE_MS = 5_000

export function scan(addresses: readonly string[]): Promise<readonly TlsFinding[]> {
  const origins = new Set(addresses.map((address) => new URL(address).origin))
  return Promise.all([...origins].map(scanOne))
}

async function scanOne(endpoint: string): Promise<TlsFinding> {
  const offer = (options: ConnectionOptions) => handshake(endpoint, options)
  const only = (version: 'TLSv1' | 'TLSv1.1' | 'TLSv1.2' | 'TLSv1.3', ciphers: string) =>
    offer({ minVersion: version, maxVersion: version, ciphers })
  const [tls10, tls11, weak, tls12, tls13, both] = await Promise.all([
    only('TLSv1', `ALL:${EVERYTHING}`),
    only('TLSv1.1', `ALL:${EVERYTHING}`),
    only('TLSv1.2', `ALL:COMPLEMENTOFALL:${ALLOWED_12.map((name) => `!${name}`).join(':')}:${EVERYTHING}`),
    only('TLSv1.2', ALLOWED_12.join(':')),
    offer({ minVersion: 'TLSv1.3' }),
    offer({ minVersion: 'TLSv1.2' }),
  ])
  return {
    endpoint,
    outdated: [tls10, tls11].flatMap((agreed) => (agreed === null ? [] : [agreed.version])),
    weakCipher: weak?.cipher ?? null,
    agreesTo12: tls12 !== null,
    agreesTo13: tls13 !== null,
    preferred: both?.version ?? null,
  }
}

function handshake(endpoint: string, options: ConnectionOptions): Promise<Agreed | null> {
  const { hostname, port } = new URL(endpoint)
  return new Promise((resolve) => {
    // Who the listener is, is not the question here.
    const socket = connect({ host: hostname, port: Number(port), rejectUnauthorized: false, ...options })
    const end = (agreed: Agreed | null) => {
      socket.destroy()
      resolve(agreed)
    }
    socket.setTimeout(HANDSHAKE_MS, () => end(null))
    socket.on('error', () => end(null))
    socket.on('secureConnect', () =>
      end({ version: socket.getProtocol() ?? 'unknown', cipher: socket.getCipher().name }),
    )
  })
}
