/** The portal's cookies. `__Host-` keeps each to this origin: no other host and no other path can set or see them. */
import type { HubContext } from '../listener.ts'

export const COOKIES = {
  session: '__Host-falaj-portal',
  /** A login that has begun, sealed: it belongs to the browser that began it. */
  login: '__Host-falaj-login',
  language: '__Host-falaj-language',
} as const

/** null: not sent, or sent twice, which no browser does. */
export function cookieOf(ctx: HubContext, name: string): string | null {
  const sent = (ctx.req.headers.cookie ?? '').split(';').map((each) => each.trim())
  const values = sent.filter((each) => each.startsWith(`${name}=`)).map((each) => each.slice(name.length + 1))
  return values.length === 1 ? (values[0] ?? null) : null
}

/** `maxAgeSeconds` null: until the browser is closed. The value is one of ours: letters, digits, `-` and `_`. */
export function setCookie(ctx: HubContext, name: string, value: string, maxAgeSeconds: number | null): void {
  const age = maxAgeSeconds === null ? '' : `; Max-Age=${maxAgeSeconds}`
  ctx.append('set-cookie', `${name}=${value}; Path=/; Secure; HttpOnly; SameSite=Lax${age}`)
}

export const dropCookie = (ctx: HubContext, name: string): void => setCookie(ctx, name, '', 0)
