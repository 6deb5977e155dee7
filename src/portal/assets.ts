/** The one style sheet, the one script and the icon, under names that change with what is in them. */
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import type { HubContext } from '../listener.ts'

type Asset = { readonly path: string; readonly type: string; readonly content: Buffer }

function asset(file: string, type: string): Asset {
  const content = readFileSync(new URL(file, import.meta.url))
  const digest = createHash('sha256').update(content).digest('base64url').slice(0, 12)
  return { path: `/assets/${digest}/${file}`, type, content }
}

export const STYLE = asset('style.css', 'text/css')
export const SCRIPT = asset('live.js', 'text/javascript')
export const ICON = asset('icon.svg', 'image/svg+xml')

/** False: no such thing. */
export function answerAsset(ctx: HubContext): boolean {
  const found = [STYLE, SCRIPT, ICON].find(({ path }) => path === ctx.path)
  if (found === undefined) return false
  ctx.set('cache-control', 'public, max-age=31536000, immutable')
  ctx.type = found.type
  ctx.body = found.content
  return true
}
