/** What handlers share: whose connection it is, who is present, how faults become content, how a page goes out. */

import type { Html } from '../html.ts'
import { LfiFault } from './errors.ts'
import { layout } from './pages/layout.ts'
import type { AppContext } from './session.ts'
import type { Connection } from './state.ts'

export type PageContext = AppContext & { params: Record<string, string> }
export type Handler = (ctx: PageContext) => Promise<void>

const FULL_UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

export function ownConnection(ctx: PageContext): Connection {
  const id = ctx.params['consentId'] ?? ''
  const found = FULL_UUID.test(id)
    ? ctx.state.visitor.session.connections.find((one) => one.consentId === id)
    : undefined
  return found ?? ctx.throw(404, 'There is no such connection in this browser.')
}

export function present(ctx: AppContext): { readonly ipAddress: string; readonly userAgent: string } {
  return {
    ipAddress: ctx.ip.replace(/^::ffff:/, ''),
    userAgent:
      ctx
        .get('user-agent')
        .replace(/[^\x20-\x7e]/g, '')
        .slice(0, 200) || 'unknown',
  }
}

/** Faults of the other side are content for a page; anything else is a bug and goes up. */
export async function settle<T>(work: Promise<T>): Promise<T | LfiFault> {
  try {
    return await work
  } catch (error) {
    if (error instanceof LfiFault) return error
    throw error
  }
}

export function show(ctx: AppContext, title: string, content: Html, status = 200): void {
  ctx.status = status
  ctx.type = 'html'
  const { calls, notices } = ctx.state.visitor
  ctx.body = layout(title, content, { calls, notices })
}

export function seeOther(ctx: AppContext, url: string): void {
  ctx.status = 303
  ctx.redirect(url)
}
