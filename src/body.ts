/** Request bodies: read whole, capped, never stored. */
import { hash } from 'node:crypto'
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
  const body = Buffer.concat(chunks, size)
  note(request, body)
  return body
}

/** Of bodies that were read to their end. A request is answered and recorded long after its body was let go. */
const digests = new WeakMap<IncomingMessage, string>()

function note(request: IncomingMessage, body: Buffer): void {
  const digest = digestOf(body)
  if (digest !== null) digests.set(request, digest)
}

/** SHA-256 in base64, for the audit log; null for no body. */
export const digestOf = (body: Buffer | string | null | undefined): string | null =>
  body === null || body === undefined || body.length === 0 ? null : hash('sha256', body, 'base64')

/** Of the body exactly as it was received; null where there was none, or nobody has read all of it. */
export const receivedDigest = (request: IncomingMessage): string | null => digests.get(request) ?? null

/** For a body that the engine reads, by the same iterator as is used here. */
export function watchBody(request: IncomingMessage): void {
  const iterate = request.iterator.bind(request)
  request.iterator = (options) => watched(request, iterate(options) as AsyncIterable<Buffer>)
}

async function* watched(request: IncomingMessage, body: AsyncIterable<Buffer>): AsyncGenerator<Buffer, undefined> {
  const chunks: Buffer[] = []
  for await (const chunk of body) {
    chunks.push(chunk)
    yield chunk
  }
  note(request, Buffer.concat(chunks))
  return undefined
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
