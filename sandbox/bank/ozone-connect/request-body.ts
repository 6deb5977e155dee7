/** Bodies of what the hub sends, whole. */
import type { IncomingMessage } from 'node:http'
import { invalid } from './refusal.ts'

type Json = Readonly<Record<string, unknown>>

const JSON_BYTES_MAX = 512 * 1024

export async function readJson(request: IncomingMessage): Promise<Json> {
  const bytes = await readBytes(request, JSON_BYTES_MAX)
  try {
    const body: unknown = JSON.parse(bytes.toString('utf8'))
    if (typeof body === 'object' && body !== null && !Array.isArray(body)) return body as Json
  } catch {}
  throw invalid('the body is not a JSON object')
}

export async function readBytes(request: IncomingMessage, bytesMax: number): Promise<Buffer> {
  const parts: Buffer[] = []
  let size = 0
  for await (const part of request as AsyncIterable<Buffer>) {
    size += part.length
    if (size > bytesMax) throw invalid('the body is too large')
    parts.push(part)
  }
  return Buffer.concat(parts)
}
