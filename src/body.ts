/** Request bodies: read whole, capped, never stored. */
import type { IncomingMessage } from 'node:http'
import { HubError } from './errors.ts'

/** @throws HubError PayloadTooLarge beyond `bytesMax`; the rest is not kept, and the connection is left to answer on. */
export async function readBody(request: IncomingMessage, bytesMax: number): Promise<Buffer> {
  const declared = Number(request.headers['content-length'] ?? 0)
  if (declared > bytesMax) throw new HubError('PayloadTooLarge', { rule: 'body.size' })
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    size += chunk.length
    if (size > bytesMax) throw new HubError('PayloadTooLarge', { rule: 'body.size' })
    chunks.push(chunk)
  }
  return Buffer.concat(chunks, size)
}

/** @throws HubError Body.InvalidFormat when the text is not one JSON value in UTF-8. */
export function parseJson(body: Buffer): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body))
  } catch (cause) {
    throw new HubError('Body.InvalidFormat', { rule: 'body.json', reason: 'The body is not valid JSON', cause })
  }
}

/**
 * A form as OAuth reads it (RFC 6749 3.1, 3.2): no parameter more than once.
 * @throws HubError Body.InvalidFormat for a repeated parameter
 */
export function parseForm(body: Buffer): ReadonlyMap<string, string> {
  const form = new Map<string, string>()
  for (const [name, value] of new URLSearchParams(body.toString('utf8'))) {
    if (form.has(name))
      throw new HubError('Body.InvalidFormat', { rule: 'body.form', reason: 'A parameter is repeated' })
    form.set(name, value)
  }
  return form
}

/** Media type without parameters, lower case; '' when absent. */
export function mediaType(contentType: string | undefined): string {
  return (contentType ?? '').split(';', 1)[0]?.trim().toLowerCase() ?? ''
}
