/** What every page shares: headers, the session cookie, and the checks that a form post must pass. */
import type Koa from 'koa'
import { type Form, readForm } from './form.ts'
import { type Session, type Sessions, sameSecret } from './session.ts'

export type State = {
  /** Origins beyond our own that a form on this page may lead to. */
  formTargets: readonly string[]
  reason?: string
}
export type Ctx = Koa.ParameterizedContext<State>

/** A visit that cannot go on here; shown as a page, never as a redirect. */
export class Stop extends Error {
  readonly status: number
  readonly title: string
  readonly interactionId: string | null

  constructor(status: number, title: string, reason: string, interactionId: string | null = null) {
    super(reason)
    this.name = 'Stop'
    this.status = status
    this.title = title
    this.interactionId = interactionId
  }
}

export type Cookie = { read(ctx: Ctx): Session | null; write(ctx: Ctx, session: Session): void; clear(ctx: Ctx): void }

export function createCookie(sessions: Sessions, bank: string, base: string): Cookie {
  // The __Secure- prefix makes browsers refuse the name from anything but TLS with the Secure attribute.
  const name = `__Secure-${bank}-session`
  const set = (ctx: Ctx, value: string, more = '') =>
    ctx.set('set-cookie', `${name}=${value}; Path=${base === '' ? '/' : base}; Secure; HttpOnly; SameSite=Lax${more}`)
  return {
    read: (ctx) => sessions.find(ctx.cookies.get(name)),
    write: (ctx, session) => set(ctx, session.id),
    clear: (ctx) => set(ctx, '', '; Max-Age=0'),
  }
}

/** Applied last, so that no page can forget them. */
export function protect(ctx: Ctx): void {
  ctx.set({
    'content-security-policy': [
      "default-src 'none'",
      "style-src 'self'",
      // Browsers apply form-action to the redirect that answers a form as well, and ours lead back to the TPP.
      `form-action ${["'self'", ...ctx.state.formTargets].join(' ')}`,
      "frame-ancestors 'none'",
      "base-uri 'none'",
    ].join('; '),
    'referrer-policy': 'no-referrer',
    'cache-control': 'no-store',
    'x-frame-options': 'DENY',
    'x-content-type-options': 'nosniff',
  })
}

/** Location as it was given: the framework's own redirect would rewrite it. */
export function sendTo(ctx: Ctx, location: string): void {
  ctx.status = 303
  ctx.set('location', location)
  ctx.body = ''
}

/** The form of a page that we made for this very session and, within it, for this very authorization. */
export async function ownForm(ctx: Ctx, session: Session | null): Promise<{ form: Form; session: Session }> {
  const form = await readForm(ctx.req)
  if (form === null) throw new Stop(415, 'Not a form', 'The page sent something that is not its form.')
  if (session === null || !sameSecret(form.one('csrf') ?? '', session.csrf)) {
    throw new Stop(
      403,
      'Please start again',
      'This page is too old or does not come from us. Go back to the app and start again.',
    )
  }
  if ((form.one('interaction') ?? '') !== (session.journey?.interactionId ?? '')) {
    throw new Stop(409, 'Another request is open', 'You opened a newer request in this browser. Decide on that one.')
  }
  return { form, session }
}
