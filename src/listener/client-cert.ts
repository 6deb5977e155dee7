/**
 * RFC 9440: the client certificate that a proxy ended TLS with, as `Client-Cert` and `Client-Cert-Chain`. Read
 * strictly: there is one way to write each, and what is written otherwise is no certificate but a fault, of the proxy
 * or of somebody who reaches past it.
 */
import { X509Certificate } from 'node:crypto'
import type { IncomingMessage } from 'node:http'

export type SentCertificate = { readonly leaf: X509Certificate; readonly chain: readonly X509Certificate[] }
export type ReadCertificate =
  /** null: the proxy's client showed none. */
  | { readonly ok: true; readonly sent: SentCertificate | null; readonly key: string }
  | { readonly ok: false; readonly why: string }

/** Without the leaf. Longer ones than any trust framework has are somebody's attempt to keep us busy. */
const CHAIN_MAX = 4
/** RFC 8941 3.3.5: a byte sequence, padded as base64 is. */
const BYTES = /^:((?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?):$/

const fault = (why: string): ReadCertificate => ({ ok: false, why })

export function readClientCert({ headersDistinct }: Pick<IncomingMessage, 'headersDistinct'>): ReadCertificate {
  const leaves = headersDistinct['client-cert'] ?? []
  const chains = headersDistinct['client-cert-chain'] ?? []
  const [text] = leaves
  if (text === undefined) {
    return chains.length === 0
      ? { ok: true, sent: null, key: '' }
      : fault('Client-Cert-Chain came without a Client-Cert')
  }
  if (leaves.length > 1) return fault('Client-Cert came more than once')
  const leaf = certificateIn(text)
  if (leaf === null) return fault('Client-Cert is not one certificate as RFC 9440 writes it')
  // RFC 9440 2.3: a list, which may be on several lines.
  const members = chains.length === 0 ? [] : chains.join(',').split(',').map(trimmed)
  if (members.length > CHAIN_MAX) return fault('Client-Cert-Chain is too long')
  const chain = members.flatMap((member) => certificateIn(member) ?? [])
  if (chain.length !== members.length) return fault('Client-Cert-Chain is not certificates as RFC 9440 writes them')
  return { ok: true, sent: { leaf, chain }, key: [text, ...members].join() }
}

const trimmed = (text: string): string => text.replaceAll(/^[ \t]+|[ \t]+$/g, '')

function certificateIn(text: string): X509Certificate | null {
  const base64 = BYTES.exec(text)?.[1]
  if (base64 === undefined || base64 === '') return null
  try {
    const der = Buffer.from(base64, 'base64')
    const certificate = new X509Certificate(der)
    // PEM is read as well, and so is DER with something after it.
    return certificate.raw.equals(der) ? certificate : null
  } catch {
    return null
  }
}
