/** What both of the directory's listeners share: JSON refusals, short bodies, `null` as 404. */
import type { Context, Middleware, Next } from 'koa'

export class Refusal extends Error {
  readonly status: number
  readonly code: string

  constructor(status: number, code: string, description: string) {
    super(description)
    this.name = 'Refusal'
    this.status = status
    this.code = code
  }
}

const BODY_BYTES_MAX = 16_384
const NAMES: ReadonlyMap<number, string> = new Map([
  [404, 'not_found'],
  [405, 'method_not_allowed'],
  [501, 'method_not_allowed'],
])

/** RFC 6749 5.2's members on every refusal, whoever made it. */
export const refusals: Middleware = async (ctx: Context, next: Next) => {
  try {
    await next()
    const name = NAMES.get(ctx.status)
    if (name !== undefined && ctx.body == null) refuse(ctx, new Refusal(ctx.status, name, `${ctx.method} ${ctx.path}`))
  } catch (error) {
    refuse(ctx, error instanceof Refusal ? error : new Refusal(500, 'server_error', 'the directory failed'))
    if (!(error instanceof Refusal)) ctx.app.emit('error', error, ctx)
  }
  ctx.set('x-content-type-options', 'nosniff')
}

function refuse(ctx: Context, { status, code, message }: Refusal): void {
  ctx.status = status
  ctx.set('cache-control', 'no-store')
  if (status === 401) ctx.set('www-authenticate', `Bearer error="${code}"`)
  ctx.body = { error: code, error_description: message }
}

export function found<T>(value: T | null): T {
  if (value === null) throw new Refusal(404, 'not_found', 'the directory has no such record')
  return value
}

/** Path parameters come out of the router as possibly undefined. */
export const parameter = (ctx: Context & { readonly params: Record<string, string> }, name: string): string =>
  ctx.params[name] ?? ''

export async function readBody(ctx: Context, type: string): Promise<string> {
  if (ctx.is(type) === false) throw new Refusal(415, 'invalid_request', `${type} is expected`)
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of ctx.req as AsyncIterable<Buffer>) {
    size += chunk.length
    if (size > BODY_BYTES_MAX) throw new Refusal(413, 'invalid_request', `at most ${BODY_BYTES_MAX} bytes`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}
