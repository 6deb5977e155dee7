/** The operator's view of payments: those that wait to be settled, and one with its history. */
import type { Audit } from '../audit/index.ts'
import { type Clock, iso, toInstant } from '../clock.ts'
import { HubError } from '../errors.ts'
import { type TenantId, toConsentId } from '../ids.ts'
import type { HubContext } from '../listener.ts'
import {
  type Payment,
  type PaymentsWanted,
  type ResourceLog,
  type ResourceTrailRow,
  unansweredId,
  wantedIn,
} from '../resource-log/index.ts'
import type { Viewer } from './consents.ts'
import { type Called, name } from './operations.ts'

export type PaymentViewDeps = {
  readonly tenantId: TenantId
  readonly resources: Pick<ResourceLog, 'browsePayments' | 'findNamed' | 'trailOf'>
  readonly audit: Audit
  readonly clock: Clock
}

/** By its names and its standing; nothing of what is paid, by whom or to whom. */
export type PaymentLine = ReturnType<typeof lineOf>
/** With the account and what was asked for, by which the LFI finds it in its own books. */
export type PaymentShown = PaymentLine & {
  readonly accountId: string
  readonly instruction: unknown
  readonly transactionId: string | null
  readonly history: readonly ReturnType<typeof historyRow>[]
}

export type PaymentView = {
  /** Newest first. */
  list(wanted: Omit<PaymentsWanted, 'limit'>): Promise<readonly PaymentLine[]>
  /** By payment id or idempotency key. @throws HubError NotFound */
  show(name: string, viewer: Viewer): Promise<readonly PaymentShown[]>
}

const LISTED_MAX = 200

/** Whoever looks at the payment of a person leaves a trace of it, before the answer. */
export function createPaymentView({ tenantId, resources, audit, clock }: PaymentViewDeps): PaymentView {
  return {
    list: async (wanted) => {
      const now = clock.now()
      const found = await resources.browsePayments({ ...wanted, limit: LISTED_MAX })
      return found.map((payment) => lineOf(payment, now))
    },
    show: async (name, { actor, interactionId }) => {
      const now = clock.now()
      const found = await resources.findNamed(name)
      if (found.length === 0) throw new HubError('NotFound', { reason: 'There is no such payment' })
      const seen = { kind: 'consent-viewed', at: now, tenantId, interactionId, actor, act: 'payment read' } as const
      await audit.record(...found.map(({ consentId }) => ({ ...seen, consentId })))
      return Promise.all(
        found.map(async (payment) => ({
          ...lineOf(payment, now),
          accountId: payment.accountId,
          instruction: wantedIn(payment).Instruction ?? null,
          transactionId: payment.state === 'made' ? payment.paymentTransactionId : null,
          history: (await resources.trailOf(payment)).map(historyRow),
        })),
      )
    },
  }
}

function lineOf(payment: Payment, now: number) {
  return {
    paymentId: payment.state === 'made' ? payment.paymentId : unansweredId(payment),
    idempotencyKey: payment.idempotencyKey,
    consentId: payment.consentId,
    clientId: payment.clientId,
    paymentType: payment.paymentType,
    standing: standingOf(payment, now),
    askedAt: iso(payment.createdAt),
    changedAt: iso(payment.updatedAt),
  }
}

/** A payment without an answer is unsettled; while the LFI is being asked, its answer is awaited. */
function standingOf(payment: Payment, now: number): string {
  if (payment.state === 'made') return payment.status
  if (payment.state === 'refused') return 'refused'
  return payment.attemptUntil > now ? 'under-way' : 'unsettled'
}

const historyRow = (row: ResourceTrailRow) => ({
  revision: row.revision,
  at: iso(toInstant(row.at)),
  change: row.change,
  from: row.status_from,
  to: row.status_to,
  changed: row.changed,
  by: row.caller_kind,
  clientId: row.caller_client_id,
  interactionId: row.interaction_id,
})

const PAYMENT_PATH = /^\/payments\/([^/]{1,120})$/

/** False: the request is about something else. */
export async function answerPayments(ctx: HubContext, view: PaymentView, called: Called): Promise<boolean> {
  const wanted = PAYMENT_PATH.exec(ctx.path)?.[1]
  if (ctx.path !== '/payments' && wanted === undefined) return false
  if (wanted === undefined) name(called, 'listPayments', '/payments')
  else name(called, 'showPayments', '/payments/{name}')
  if (ctx.method !== 'GET') throw new HubError('MethodNotAllowed', { allow: ['GET'] })
  const viewer = { actor: ctx.state.peer?.commonName ?? 'unknown', interactionId: ctx.state.correlationId }
  ctx.body = { data: wanted === undefined ? await view.list(wantedBy(ctx)) : await view.show(decoded(wanted), viewer) }
  return true
}

function decoded(name: string): string {
  try {
    return decodeURIComponent(name)
  } catch {
    throw new HubError('NotFound')
  }
}

function wantedBy(ctx: HubContext): Omit<PaymentsWanted, 'limit'> {
  const query = new URLSearchParams(ctx.querystring)
  const [unsettled, consent] = [query.get('unsettled'), query.get('consentId')]
  const given = [unsettled, consent].filter((each) => each !== null).length
  const consentId = toConsentId(consent)
  const isKnown =
    query.size === given && (unsettled === null || unsettled === 'true') && (consent === null) === (consentId === null)
  if (isKnown) return { unsettled: unsettled !== null, consentId }
  throw new HubError('Resource.InvalidFormat', {
    reason: 'only `unsettled=true` and `consentId` are understood here, once',
  })
}
