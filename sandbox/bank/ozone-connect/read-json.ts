/** A body of the hub: JSON, and not more of it than a form of any of these operations fills. */
import type { IncomingMessage } from 'node:http'
import { Refusal } from './refusal.ts'

const BYTES_MAX = 64 * 1024

export async function readJson(request: IncomingMessage): Promise<unknown> {
  if (!/^application\/json\b/.test(request.headers['content-type'] ?? '')) {
    throw new Refusal(400, 'Body.InvalidFormat', 'the body is not declared as JSON')
  }
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length
    if (size > BYTES_MAX) throw new Refusal(400, 'Body.InvalidFormat', 'the body is too large')
    chunks.push(chunk)
  }
  try {
    return JSON.parse(Buffer.concat(chunks).toString('utf8'))
  } catch {
    throw new Refusal(400, 'Body.InvalidFormat', 'the body is not JSON')
  }
}
