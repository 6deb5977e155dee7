/** The outbox towards TPPs as the operator sees it: what became of each event, and once more for one of them. */
import { HubError } from '../errors.ts'
import type { HubContext } from '../listener.ts'
import { NOTICE_STATES, type NoticeDesk, type NoticeState } from '../notices/index.ts'
import { type Called, name } from './operations.ts'

const REDELIVERY_PATH = /^\/webhooks\/(\d{1,18})\/redelivery$/

/** False: the request is about something else. */
export async function answerWebhooks(ctx: HubContext, desk: NoticeDesk, called: Called): Promise<boolean> {
  if (ctx.path === '/webhooks') {
    name(called, 'listWebhooks', '/webhooks')
    if (ctx.method !== 'GET') throw new HubError('MethodNotAllowed', { allow: ['GET'] })
    const [data, counts] = await Promise.all([desk.list(stateIn(ctx)), desk.counts()])
    ctx.body = { data, meta: { counts } }
    return true
  }
  const id = REDELIVERY_PATH.exec(ctx.path)?.[1]
  if (id === undefined) return false
  name(called, 'redeliverWebhook', '/webhooks/{id}/redelivery')
  if (ctx.method !== 'POST') throw new HubError('MethodNotAllowed', { allow: ['POST'] })
  const by = { actor: ctx.state.peer?.commonName ?? 'unknown', interactionId: ctx.state.correlationId }
  if (!(await desk.redeliver(id, by))) throw new HubError('NotFound')
  ctx.body = null
  ctx.status = 202
  return true
}

function stateIn(ctx: HubContext): NoticeState | null {
  const { state } = ctx.query
  if (state === undefined) return null
  const known = NOTICE_STATES.find((each) => each === state)
  if (known !== undefined) return known
  throw new HubError('Resource.InvalidFormat', {
    reason: `state must be one of ${NOTICE_STATES.join(', ')}`,
    path: 'state',
  })
}
