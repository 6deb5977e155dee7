/** Which requests the edge takes at all. Each rule closes a door that http-proxy 1.18.1 leaves open. */
import type { IncomingMessage } from 'node:http'

export type Refused = { readonly status: number; readonly text: string }

const METHODS: readonly (string | undefined)[] = ['GET', 'HEAD', 'POST']
export const ALLOW = 'GET, HEAD, POST'
const BODY_BYTES_MAX = 1_048_576
/** Dot segments (also escaped), empty segments, backslashes: what an application might read as another path. */
const AMBIGUOUS = /\/(?:\.|%2e){1,2}(?:\/|$)|\/\/|\\|%5c/i

export function refusalOf(request: IncomingMessage): Refused | null {
  // http-proxy forwards the chunked body of a DELETE or OPTIONS without its framing: the body becomes a request.
  if (!METHODS.includes(request.method)) return { status: 405, text: 'Method not allowed' }
  const length = request.headers['content-length']
  if (request.headers['transfer-encoding'] !== undefined) return { status: 411, text: 'Length required' }
  if (request.method !== 'POST' && length !== undefined && length !== '0') return { status: 400, text: 'Bad request' }
  if (Number(length ?? 0) > BODY_BYTES_MAX) return { status: 413, text: 'Too large' }
  const target = request.url ?? ''
  const path = pathOf(target)
  if (!path.startsWith('/') || target.includes('#') || AMBIGUOUS.test(path)) return { status: 400, text: 'Bad request' }
  return null
}

export const pathOf = (target: string): string => target.split('?', 1)[0] ?? ''
