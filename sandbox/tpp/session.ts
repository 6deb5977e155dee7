/** Who is in front of the screen: a cookie, an anti-forgery token made from it, and the calls made for them lately. */
import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto'
import type Koa from 'koa'
import type { Notice, Notices } from './notices.ts'
import type { HttpCall } from './settings.ts'
import type { Session, State } from './state.ts'
import { watching } from './transport.ts'

export type Visitor = {
  readonly session: Session
  readonly csrf: string
  readonly calls: readonly HttpCall[]
  /** What banks have told of this visitor's connections. */
  readonly notices: readonly Notice[]
  /** Keeps the session from now on. */
  save(): void
}
export type AppState = {
  visitor: Visitor
  form: URLSearchParams
  /** Origins that a form of the page shown may lead to, besides this application. */
  formTargets: readonly string[]
}
export type AppContext = Koa.ParameterizedContext<AppState>

/** `__Host-`: this host only, over TLS only; no other application of the machine can plant one. */
const COOKIE = '__Host-wadi'
const COOKIE_PATTERN = /^[A-Za-z0-9_-]{43}$/
const COOKIE_DAYS = 90
const CALLS_MAX = 40
const LOGS_MAX = 200
const FORM_BYTES_MAX = 8 * 1024

export function visitors(state: State, publicUrl: string, notices: Notices): Koa.Middleware<AppState> {
  const origin = new URL(publicUrl).origin
  const logs = new Map<string, HttpCall[]>()
  return async (ctx, next) => {
    const cookie = cookieOf(ctx)
    const session = state.session(cookie)
    const calls = logOf(logs, cookie)
    const csrf = createHmac('sha256', state.formKey).update(cookie).digest('base64url')
    ctx.state.visitor = {
      session,
      csrf,
      calls,
      get notices() {
        return notices.of(session.connections.map(({ consentId }) => consentId))
      },
      save: () => state.save(cookie, session),
    }
    ctx.state.form = new URLSearchParams()
    if (ctx.method === 'POST') {
      ctx.state.form = await readForm(ctx)
      const sent = ctx.get('origin')
      if ((sent !== '' && sent !== origin) || !same(ctx.state.form.get('csrf') ?? '', csrf)) {
        ctx.throw(403, 'This form did not come from this application, or is too old. Go back, reload and try again.')
      }
    }
    await watching(
      (call) => {
        calls.push(call)
        calls.splice(0, Math.max(0, calls.length - CALLS_MAX))
      },
      () => next(),
    )
  }
}

function cookieOf(ctx: Koa.Context): string {
  const sent = ctx.cookies.get(COOKIE) ?? ''
  if (COOKIE_PATTERN.test(sent)) return sent
  const fresh = randomBytes(32).toString('base64url')
  ctx.cookies.set(COOKIE, fresh, {
    httpOnly: true,
    secure: true,
    sameSite: 'lax',
    path: '/',
    maxAge: COOKIE_DAYS * 86_400_000,
    overwrite: true,
  })
  return fresh
}

function logOf(logs: Map<string, HttpCall[]>, cookie: string): HttpCall[] {
  const calls = logs.get(cookie) ?? []
  logs.delete(cookie)
  logs.set(cookie, calls)
  const [oldest] = logs.keys()
  if (logs.size > LOGS_MAX && oldest !== undefined) logs.delete(oldest)
  return calls
}

async function readForm(ctx: Koa.Context): Promise<URLSearchParams> {
  if (!ctx.is('application/x-www-form-urlencoded')) ctx.throw(415)
  const parts: Buffer[] = []
  let size = 0
  for await (const part of ctx.req as AsyncIterable<Buffer>) {
    size += part.length
    if (size > FORM_BYTES_MAX) ctx.throw(413)
    parts.push(part)
  }
  return new URLSearchParams(Buffer.concat(parts).toString('utf8'))
}

function same(a: string, b: string): boolean {
  const [left, right] = [Buffer.from(a), Buffer.from(b)]
  return left.length === right.length && timingSafeEqual(left, right)
}
