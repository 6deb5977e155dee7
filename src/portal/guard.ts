/**
 * What every answer of the portal carries, and what a form must show before anything is done for it. A page of another
 * origin can send a form here with the browser's cookie; it knows no token of the session, and the browser says where
 * the form comes from (Origin: RFC 6454 7; Sec-Fetch-Site: Fetch Metadata).
 */
import { timingSafeEqual } from 'node:crypto'
import type { HubContext } from '../listener.ts'

const POLICY = [
  "default-src 'none'",
  "style-src 'self'",
  "script-src 'self'",
  "connect-src 'self'",
  "img-src 'self'",
  "form-action 'self'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
].join('; ')

const HEADERS: Readonly<Record<string, string>> = {
  'content-security-policy': POLICY,
  'strict-transport-security': 'max-age=31536000',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  // With no-referrer browsers would say «null» as the origin of a form of ours.
  'referrer-policy': 'same-origin',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'permissions-policy': 'camera=(), geolocation=(), microphone=(), payment=()',
  'cache-control': 'no-store',
}

export function protect(ctx: HubContext): void {
  for (const [name, value] of Object.entries(HEADERS)) ctx.set(name, value)
}

export type FormFault = 'origin' | 'site' | 'token'

/** null: the form is one of a page of this session. */
export function faultOfForm(
  ctx: HubContext,
  origin: string,
  tokens: { readonly shown: string; readonly expected: string },
): FormFault | null {
  if (ctx.get('origin') !== origin) return 'origin'
  const site = ctx.get('sec-fetch-site')
  if (site !== '' && site !== 'same-origin') return 'site'
  return same(tokens.shown, tokens.expected) ? null : 'token'
}

function same(one: string, other: string): boolean {
  const [a, b] = [Buffer.from(one), Buffer.from(other)]
  return a.length === b.length && timingSafeEqual(a, b)
}

/** A path of ours to go on to, whatever a form or a link asks for: an open redirect would lend our name to others. */
export function localPath(raw: string | null, origin: string): string {
  if (raw === null || !/^\/[\x21-\x7e]{0,1000}$/.test(raw)) return '/'
  const url = URL.parse(raw, origin)
  return url?.origin === origin ? `${url.pathname}${url.search}` : '/'
}
