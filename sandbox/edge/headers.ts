/** Header hygiene of a reverse proxy: what must not pass from one connection to the next (RFC 9110 7.6.1). */
import type { IncomingHttpHeaders } from 'node:http'

const HOP_BY_HOP = [
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'upgrade',
] as const

/** Only the edge itself may say how a request reached it. */
const FORWARDING = /^(?:x-forwarded-.*|forwarded|x-real-ip|via)$/

export function dropHopByHop(headers: IncomingHttpHeaders): void {
  const named = (headers.connection ?? '').split(',').map((each) => each.trim().toLowerCase())
  for (const name of [...HOP_BY_HOP, ...named]) delete headers[name]
}

export function markForwarded(headers: IncomingHttpHeaders): void {
  for (const name of Object.keys(headers)) if (FORWARDING.test(name)) delete headers[name]
  headers['x-forwarded-proto'] = 'https'
  if (headers.host !== undefined) headers['x-forwarded-host'] = headers.host
}
