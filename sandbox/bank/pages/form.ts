/** The body of a form post, with a limit. */
import type { IncomingMessage } from 'node:http'

const BYTES_MAX = 16_384

export type Form = {
  /** Empty when absent; `null` when given more than once. */
  one(name: string): string | null
  all(name: string): readonly string[]
}

/** `null`: not a form, or too large. */
export async function readForm(request: IncomingMessage): Promise<Form | null> {
  const type = request.headers['content-type']?.split(';')[0]?.trim().toLowerCase()
  if (type !== 'application/x-www-form-urlencoded') return null
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of request) {
    if (!Buffer.isBuffer(chunk)) return null
    size += chunk.length
    if (size > BYTES_MAX) return null
    chunks.push(chunk)
  }
  const fields = new URLSearchParams(Buffer.concat(chunks).toString('utf8'))
  return {
    one(name) {
      const values = fields.getAll(name)
      return values.length > 1 ? null : (values[0] ?? '')
    },
    all: (name) => fields.getAll(name),
  }
}
