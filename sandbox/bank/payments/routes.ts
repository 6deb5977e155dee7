/** The service-initiation side of the bank (lfi-api 3.9): payments, files of payments, refunds. */
import { createHash } from 'node:crypto'
import type Router from '@koa/router'
import type Koa from 'koa'
import type { Book } from '../data/book.ts'
import { accountName } from '../data/parties.ts'
import type { UserSpec } from '../data/spec.ts'
import { invalid, Refusal } from '../ozone-connect/refusal.ts'
import { readBytes, readJson } from '../ozone-connect/request-body.ts'
import { member, text } from '../pages/json.ts'
import type { Ledger, Payment } from './ledger.ts'
import { type Outcome, outcomeOf } from './outcomes.ts'
import type { PersonalReader } from './personal.ts'

const FILE_BYTES_MAX = 10 * 1024 * 1024
/** More of them than this bank carries out at once. */
const FILE_PAYMENTS_MAX = 1_000
const TYPES = ['cbuae-payment', 'cbuae-file-payment']

export function paymentRoutes<S>(
  router: Router<S>,
  deps: {
    readonly book: Book
    readonly ledger: Ledger
    readonly personal: PersonalReader
    /** The hub, on behalf of one of our users. */
    readonly admit: (ctx: Koa.Context, method: 'GET' | 'POST') => Promise<UserSpec>
    /** The hub, about a consent that nobody may have authorized yet. */
    readonly admitForConsent: (ctx: Koa.Context) => Promise<{ readonly consentId: string }>
  },
): void {
  const { book, ledger, personal, admit } = deps
  /** By consent: the digest that was announced, and whether the file came. */
  const files = new Map<string, { readonly digest: string; readonly isHere: boolean }>()

  router.post('/payments', async (ctx) => {
    await admit(ctx, 'POST')
    const { order, outcome } = await readOrder(await readJson(ctx.req), personal)
    if (order.paymentType === 'cbuae-file-payment' && files.get(order.consentId)?.isHere !== true) {
      throw new Refusal(400, 'Consent.BusinessRuleViolation', 'the file of the consent has not been handed over')
    }
    if (outcome.refuse !== undefined) throw outcome.refuse()
    const payment = ledger.once(order)
    if (outcome.drops === true) {
      ctx.respond = false
      ctx.req.socket.destroy()
      return
    }
    ctx.status = 201
    ctx.body = recordOf(payment)
  })
  router.get('/payments/:paymentId', async (ctx) => {
    await admit(ctx, 'GET')
    ctx.body = recordOf(known(ledger, ctx.params['paymentId']))
  })
  router.get('/payments/:paymentId/report-file', async (ctx) => {
    await admit(ctx, 'GET')
    const payment = known(ledger, ctx.params['paymentId'])
    ctx.type = 'text/csv'
    ctx.body = `payment,status\n${payment.id},${payment.status}\n`
  })
  router.post('/payment-consents', async (ctx) => {
    const { consentId } = await deps.admitForConsent(ctx)
    const body = await readJson(ctx.req)
    if (member(body, 'consentId') !== consentId) throw invalid('the body is about another consent')
    const digest = text(member(body, 'request', 'FileHash'))
    const count = member(body, 'request', 'NumberOfTransactions')
    if (digest === null || typeof count !== 'number') throw invalid('the file is not described')
    if (count > FILE_PAYMENTS_MAX) {
      throw new Refusal(400, 'Consent.BusinessRuleViolation', `a file holds ${FILE_PAYMENTS_MAX} payments at most`)
    }
    files.set(consentId, { digest, isHere: files.get(consentId)?.isHere ?? false })
    ctx.body = null
    ctx.status = 201
  })
  router.post('/payment-consents/:consentId/file', async (ctx) => {
    const { consentId } = await deps.admitForConsent(ctx)
    if (consentId !== ctx.params['consentId']) throw invalid('header o3-consent-id names another consent')
    const bytes = await readBytes(ctx.req, FILE_BYTES_MAX)
    const announced = files.get(consentId)
    if (announced === undefined) throw new Refusal(400, 'Consent.Invalid', 'the consent of the file is not known here')
    if (createHash('sha256').update(bytes).digest('base64') !== announced.digest) {
      throw new Refusal(400, 'Consent.Invalid', 'the file is not the one of its consent')
    }
    files.set(consentId, { ...announced, isHere: true })
    ctx.status = 204
  })
  router.get('/payment-consents/:consentId/refund', async (ctx) => {
    const user = await admit(ctx, 'GET')
    const [account] = book.accountsOf(user)
    if (account === undefined) throw new Refusal(403, 'Consent.PermanentAccountAccessFailure', 'no account')
    ctx.body = {
      data: {
        consentId: ctx.params['consentId'],
        refundAccount: {
          schemeName: 'IBAN',
          identification: book.number(account).replaceAll(' ', ''),
          name: { en: accountName(account, book.bank).slice(0, 70) },
        },
      },
      meta: {},
    }
  })
}

async function readOrder(
  body: unknown,
  personal: PersonalReader,
): Promise<{ readonly order: Omit<Payment, 'id' | 'at'>; readonly outcome: Outcome }> {
  const data = member(body, 'request', 'Data')
  const idempotencyKey = text(member(body, 'requestHeaders', 'x-idempotency-key'))
  const clientId = text(member(body, 'tpp', 'clientId'))
  const organisationId = text(member(body, 'tpp', 'orgId'))
  const consentId = text(member(data, 'ConsentId'))
  const purpose = text(member(data, 'PaymentPurposeCode'))
  const paymentType = text(member(body, 'paymentType')) ?? ''
  if (!idempotencyKey || !clientId || !organisationId || !consentId || !purpose || !TYPES.includes(paymentType)) {
    throw new Refusal(400, 'Body.InvalidFormat', 'the order lacks a member')
  }
  const jwe = text(member(data, 'PersonalIdentifiableInformation'))
  if (jwe !== null && (await personal.payees(jwe, { clientId, organisationId })).length !== 1) {
    throw new Refusal(400, 'Body.InvalidFormat', 'a payment has one creditor')
  }
  const amount = text(member(data, 'Instruction', 'Amount', 'Amount'))
  const currency = text(member(data, 'Instruction', 'Amount', 'Currency'))
  const billing = member(data, 'OpenFinanceBilling')
  const outcome = outcomeOf(amount ?? '')
  return {
    outcome,
    order: {
      clientId,
      idempotencyKey,
      consentId,
      paymentType,
      status: outcome.status,
      purpose,
      amount: amount === null || currency === null ? null : { amount, currency },
      billing: typeof billing === 'object' && billing !== null ? billing : null,
    },
  }
}

function known(ledger: Ledger, id: string | undefined): Payment {
  const payment = ledger.find(id ?? '')
  if (payment === null) throw new Refusal(404, 'Resource.NotFound', 'no such payment')
  return payment
}

const recordOf = (payment: Payment): object => ({
  data: {
    id: payment.id,
    consentId: payment.consentId,
    status: payment.status,
    ...(payment.status === 'Rejected'
      ? { rejectReasonCode: [{ code: 'AANI.AM04', message: 'The account has not enough money' }] }
      : {}),
    statusUpdateDateTime: payment.at,
    creationDateTime: payment.at,
    ...(payment.amount === null ? {} : { instruction: { Amount: payment.amount } }),
    paymentPurposeCode: payment.purpose,
    ...(payment.billing === null ? {} : { openFinanceBilling: payment.billing }),
  },
  meta: {},
})
