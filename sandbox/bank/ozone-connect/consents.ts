/** What the bank says about a consent before the hub stores it, and what it hears of it afterwards (lfi-api 5). */
import type Router from '@koa/router'
import type Koa from 'koa'
import { invalid } from './refusal.ts'
import { readConsentHeaders } from './request.ts'
import { readJson } from './request-body.ts'

type Json = Readonly<Record<string, unknown>>
type Verdict = { readonly status: 'valid' | 'invalid'; readonly code?: string; readonly description?: string }

export function consentRoutes<S>(
  router: Router<S>,
  deps: { readonly bank: string; readonly admit: (ctx: Koa.Context) => Promise<void> },
): void {
  const read = async (ctx: Koa.Context): Promise<Json> => {
    await deps.admit(ctx)
    const { consentId } = readConsentHeaders(ctx.req.headers, deps.bank)
    const consent = await readJson(ctx.req)
    if (consent['id'] !== consentId) throw invalid('the body is about another consent than header o3-consent-id')
    return consent
  }
  router.post('/consent/action/validate', async (ctx) => {
    ctx.body = { data: judge(await read(ctx)), meta: {} }
  })
  router.post('/consent/event/:operation', async (ctx) => {
    if (!['post', 'patch'].includes(ctx.params['operation'] ?? '')) throw invalid('the operation is post or patch')
    await read(ctx)
    ctx.body = null
    ctx.status = 204
  })
}

/** The banks of the sandbox have people and shops for customers, and no others. */
function judge(consent: Json): Verdict {
  const body = consent['consentBody'] as { readonly Data?: { readonly AccountType?: unknown } } | undefined
  const wanted = body?.Data?.AccountType
  const corporateOnly = Array.isArray(wanted) && wanted.length > 0 && wanted.every((each) => each === 'Corporate')
  if (!corporateOnly) return { status: 'valid' }
  return { status: 'invalid', code: 'UNSUPPORTED_CONSENT', description: 'This bank keeps no accounts of corporations' }
}
