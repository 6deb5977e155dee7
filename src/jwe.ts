/** What is encrypted for the LFI, as far as the hub can see into it: its outer form (tpp-api 2.7.3). */

const PARTS = 5
const HEADER_LENGTH_MAX = 2_048

/** null: five parts whose header names the agreed algorithms and a key; otherwise what is wrong, in words. */
export function jweFault(text: string): string | null {
  const parts = text.split('.')
  const [header = '', ...rest] = parts
  if (parts.length !== PARTS || rest.some((part) => part === '' || !isBase64url(part))) {
    return 'must be a compact JWE of five parts'
  }
  const { alg, enc, kid } = readHeader(header)
  if (alg !== 'RSA-OAEP-256') return 'must be encrypted with alg RSA-OAEP-256'
  if (enc !== 'A256GCM') return 'must be encrypted with enc A256GCM'
  return typeof kid === 'string' && kid !== '' ? null : 'must name the key of the LFI in kid'
}

const isBase64url = (text: string): boolean => /^[A-Za-z0-9_-]+$/.test(text)

function readHeader(part: string): Readonly<Record<string, unknown>> {
  if (part.length > HEADER_LENGTH_MAX || !isBase64url(part)) return {}
  try {
    const header: unknown = JSON.parse(Buffer.from(part, 'base64url').toString('utf8'))
    return typeof header === 'object' && header !== null ? (header as Readonly<Record<string, unknown>>) : {}
  } catch {
    return {}
  }
}
