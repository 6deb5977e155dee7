import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { toInstant } from '../../src/clock.ts'
import { unansweredId } from '../../src/resource-log/index.ts'
import { json } from './support/outside.ts'
import {
  aed,
  createBank,
  createPayer,
  messageOf,
  paymentConsent,
  paymentOf,
  refusal,
  schedules,
} from './support/payments.ts'
import { createWorld, type World } from './support/world.ts'

const MINUTE = 60_000
let world: World
let payer: ReturnType<typeof createPayer>
let bank: ReturnType<typeof createBank>
/** How far the hub's clock is ahead. */
let ahead = 0
let frozen: () => number = Date.now
beforeAll(async () => {
  world = await createWorld({ clock: { now: () => toInstant(frozen() + ahead) } })
  payer = createPayer(world)
})
afterAll(() => world.close())
beforeEach(() => {
  ahead = 0
  frozen = Date.now
  bank = createBank()
  world.lfi.asked.length = 0
})
const LFI = { by: 'lfi', organisationId: null, clientId: null, softwareStatementId: null, interactionId: null } as const
const statusOf = async (id: string) => (await world.consents.find(id as never))?.status

async function waiting() {
  world.lfi.answer = async (asked, response) => {
    bank.send(response, 201, bank.recordOf(bank.execute(await bank.orderIn(asked), 'Pending')))
  }
  const consent = await paymentConsent(world, schedules().single)
  const answer = await payer.pay(consent)
  expect(answer.status).toBe(201)
  world.lfi.answer = bank.answer
  world.lfi.asked.length = 0
  return { consent, id: bank.ledger.at(-1)?.id ?? '', madeBy: answer.headers['x-fapi-interaction-id'] }
}

describe('a payment that waits', () => {
  test('is asked about by the worker, and its end uses the consent up', async () => {
    const { consent, id, madeBy } = await waiting()
    expect(await world.gateway.followUpPayments(10)).toBe(0)
    expect(world.lfi.asked).toEqual([])
    const [payment] = bank.ledger
    if (payment === undefined) throw new Error('nothing was paid')
    payment.status = 'AcceptedCreditSettlementCompleted'
    ahead = MINUTE + 5_000
    expect(await world.gateway.followUpPayments(10)).toBe(1)
    expect(world.lfi.asked.map(({ method, url }) => [method, url])).toEqual([['GET', `/oc/payments/${id}`]])
    expect(await statusOf(consent.id)).toBe('Consumed')
    // The question has an id of its own, and in the log the call that made the payment for its parent.
    const asked = world.lfi.asked[0]?.headers['o3-ozone-interaction-id']
    expect(asked).not.toBe(madeBy)
    expect((await world.entries(asked)).filter(({ kind }) => kind === 'lfi-call')).toMatchObject([
      { operationId: 'getPayment', status: 200, consentId: consent.id, parentInteractionId: madeBy },
    ])
    // It has come to its end, and nobody asks again.
    ahead = 60 * MINUTE
    expect(await world.gateway.followUpPayments(10)).toBe(0)
    expect(world.lfi.asked).toHaveLength(1)
  })

  test('is asked about ever more seldom, by one worker at a time, and an LFI that fails changes nothing', async () => {
    const { consent } = await waiting()
    world.lfi.answer = json(500, {})
    ahead = 2 * MINUTE
    expect(await Promise.all([world.gateway.followUpPayments(10), world.gateway.followUpPayments(10)])).toEqual([0, 0])
    expect(world.lfi.asked).toHaveLength(1)
    ahead = 2.5 * MINUTE
    await world.gateway.followUpPayments(10)
    expect(world.lfi.asked).toHaveLength(1)
    ahead = 40 * MINUTE
    await world.gateway.followUpPayments(10)
    ahead = 45 * MINUTE
    await world.gateway.followUpPayments(10)
    expect(world.lfi.asked).toHaveLength(2)
    expect(await statusOf(consent.id)).toBe('Authorized')
  })

  test('and is rejected by the LFI gives its place in the consent back', async () => {
    const { consent, id } = await waiting()
    expect(await refusal(world, await payer.pay(consent as never))).toEqual([400, 'Consent.FailsControlParameters'])
    await world.resources.patchPaymentByLfi(
      id,
      {
        status: 'Rejected',
        paymentTransactionId: null,
        successfulTransactions: null,
        rejectReasons: [{ code: 'AANI.AM04', message: 'No funds' }],
      },
      LFI,
    )
    expect(await world.consents.find(consent.id as never)).toMatchObject({ payment: { consumption: { number: 0 } } })
    const { Data } = (await messageOf(world, await payer.get(`/payments/${id}`))) as { Data: object }
    expect(Data).toMatchObject({ Status: 'Rejected', RejectReasonCode: [{ Code: 'AANI.AM04' }] })
    world.lfi.answer = bank.answer
    expect((await payer.pay(consent as never)).status).toBe(201)
    expect(await statusOf(consent.id)).toBe('Consumed')
  })

  test('and is settled by the LFI uses the consent up', async () => {
    const { consent, id } = await waiting()
    const patch = { paymentTransactionId: 'aani-1', successfulTransactions: null, rejectReasons: null }
    await world.resources.patchPaymentByLfi(id, { status: 'AcceptedSettlementCompleted', ...patch }, LFI)
    expect(await statusOf(consent.id)).toBe('Consumed')
  })
})

/** The LFI is asked to pay, and its answer never comes; whether it has paid is for the test to say. */
async function unanswered(key: string, hasPaid: boolean) {
  world.lfi.answer = async (asked) => {
    if (hasPaid) bank.execute(await bank.orderIn(asked))
  }
  const consent = await paymentConsent(world, schedules().single)
  expect(await refusal(world, await payer.pay(consent, paymentOf(consent), { key }))).toEqual([
    500,
    'GenericRecoverableError',
  ])
  world.lfi.answer = bank.answer
  world.lfi.asked.length = 0
  const [payment] = await world.resources.listPayments(consent.id)
  if (payment?.state !== 'open') throw new Error('not unanswered')
  return { consent, payment, id: unansweredId(payment) }
}
const PATCH = { paymentTransactionId: null, successfulTransactions: null, rejectReasons: null }
/** Payments that earlier tests left waiting are asked about as well. */
const askedAbout = () => world.lfi.asked.filter(({ method, url }) => method === 'POST' || url.includes('unanswered'))
const dataOf = async (answer: Awaited<ReturnType<typeof payer.get>>) =>
  ((await messageOf(world, answer)) as { Data: Record<string, unknown> }).Data

describe('a payment that the LFI never answered', () => {
  test('and made is settled by it: the consent is used up, and the key gets what the LFI said', async () => {
    const { consent, id } = await unanswered('made', true)
    expect(await dataOf(await payer.get(`/payments/${id}`))).toMatchObject({ PaymentId: id, Status: 'Pending' })
    const settled = { ...PATCH, status: 'AcceptedSettlementCompleted', paymentTransactionId: 'aani-9' } as const
    await world.resources.patchPaymentByLfi(id, settled, LFI)
    expect(await statusOf(consent.id)).toBe('Consumed')
    const again = await payer.pay(consent, paymentOf(consent), { key: 'made' })
    const shown = await payer.get(`/payments/${id}`)
    const said = { PaymentId: id, Status: 'AcceptedSettlementCompleted', PaymentTransactionId: 'aani-9' }
    expect([again.status, shown.status]).toEqual([201, 200])
    expect(await dataOf(again)).toMatchObject({ ...said, Instruction: { Amount: aed('100.00') } })
    expect(world.registry.response('bank-initiation', 'CreatePayment', 201)?.(await messageOf(world, again))).toEqual(
      [],
    )
    expect(await messageOf(world, shown)).toEqual(await messageOf(world, again))
    const found = await messageOf(world, await payer.get('/payments', { 'x-idempotency-key': 'made' }))
    expect(JSON.stringify(found)).toContain(`/payments/${id}`)
    // It is not asked about by an id that it never gave, and is asked to pay no second time.
    ahead = 60 * MINUTE
    expect(await world.gateway.followUpPayments(10)).toBe(0)
    expect([askedAbout(), bank.orders(), bank.ledger.length]).toEqual([[], 1, 1])
    const later = world.resources.patchPaymentByLfi(id, { ...PATCH, status: 'Rejected' }, LFI)
    await expect(later).rejects.toMatchObject({ code: 'Event.UnexpectedEvent' })
  })

  test('and did not make is settled by it: its place is free, and its key pays nothing', async () => {
    const { consent, id } = await unanswered('lost', false)
    expect(await refusal(world, await payer.pay(consent))).toEqual([400, 'Consent.FailsControlParameters'])
    const rejectReasons = [{ code: 'LFI.Unknown', message: 'Never arrived' }]
    await world.resources.patchPaymentByLfi(id, { ...PATCH, status: 'Rejected', rejectReasons }, LFI)
    expect(await world.consents.find(consent.id)).toMatchObject({
      status: 'Authorized',
      payment: { consumption: { number: 0, value: { amount: '0.00' } } },
    })
    const again = await payer.pay(consent, paymentOf(consent), { key: 'lost' })
    expect([again.status, await dataOf(again)]).toMatchObject([
      201,
      { PaymentId: id, Status: 'Rejected', RejectReasonCode: [{ Code: 'LFI.Unknown', Message: 'Never arrived' }] },
    ])
    expect(bank.orders()).toBe(0)
    expect((await payer.pay(consent, paymentOf(consent), { key: 'anew' })).status).toBe(201)
    expect([bank.ledger.map(({ key }) => key), await statusOf(consent.id)]).toEqual([['anew'], 'Consumed'])
  })

  test('and has received waits on, and goes its way from there', async () => {
    const { consent, id } = await unanswered('late', true)
    await world.resources.patchPaymentByLfi(id, { ...PATCH, status: 'Pending' }, LFI)
    expect(await dataOf(await payer.get(`/payments/${id}`))).toMatchObject({ Status: 'Pending' })
    expect(await refusal(world, await payer.pay(consent))).toEqual([400, 'Consent.FailsControlParameters'])
    ahead = 60 * MINUTE
    expect(await world.gateway.followUpPayments(10)).toBe(0)
    await world.resources.patchPaymentByLfi(id, { ...PATCH, status: 'AcceptedWithoutPosting' }, LFI)
    expect([await statusOf(consent.id), askedAbout()]).toEqual(['Consumed', []])
  })

  test('is not settled by the log while the LFI is being asked again, and an answer that comes later changes nothing', async () => {
    const { consent, payment, id } = await unanswered('twice', true)
    const asked = Promise.withResolvers<() => void>()
    world.lfi.answer = (order, response) => asked.resolve(() => void bank.answer(order, response))
    const answer = payer.pay(consent, paymentOf(consent), { key: 'twice' })
    const answerNow = await asked.promise
    const settle = () => world.resources.patchPaymentByLfi(id, { ...PATCH, status: 'Rejected' }, LFI)
    await expect(settle()).rejects.toMatchObject({ code: 'Event.UnexpectedEvent', options: { detail: 'under-way' } })
    answerNow()
    const { PaymentId, Status } = await dataOf(await answer)
    expect([PaymentId, Status, bank.ledger.length]).toEqual([bank.ledger[0]?.id, 'AcceptedSettlementCompleted', 1])
    // It has the LFI's id now; the other was for want of one.
    await expect(settle()).rejects.toMatchObject({ code: 'Resource.InvalidFormat' })
    expect(await world.resources.answerPayment(payment, { kind: 'unknown' }, LFI)).toMatchObject({
      paymentId: PaymentId,
    })
  })

  test('is not believed to be another that has an id of the hub', async () => {
    const { consent } = await unanswered('names', false)
    world.lfi.answer = async (asked, response) => {
      bank.send(response, 201, bank.recordOf({ ...bank.execute(await bank.orderIn(asked)), id: 'unanswered-1' }))
    }
    const answer = await payer.pay(consent, paymentOf(consent), { key: 'names' })
    expect(await refusal(world, answer)).toEqual([500, 'GenericError'])
    expect(await statusOf(consent.id)).toBe('Authorized')
  })
})

describe('an LFI that does not answer', () => {
  test('is left alone: its callers hear at once when to come back, and nothing is lost', async () => {
    // A clock that stands still: nothing is forgotten and no rest is over while the machine is busy.
    const stopped = Date.now()
    frozen = () => stopped
    const consent = await paymentConsent(world, schedules().delegated)
    world.lfi.answer = json(503, {})
    // What it answered before counts as well.
    let [calls, isLeftAlone] = [0, false]
    for (; !isLeftAlone && calls < 100; calls += 1) {
      const answer = await payer.pay(consent, paymentOf(consent, aed('1.00')), { key: `down-${calls}` })
      expect(answer.status).toBe(500)
      isLeftAlone = answer.headers['retry-after'] !== undefined
    }
    const { length: asked } = world.lfi.asked
    expect([isLeftAlone, calls]).toEqual([true, asked + 1])
    world.lfi.answer = bank.answer
    const refused = await payer.pay(consent, paymentOf(consent, aed('2.00')), { key: 'later' })
    expect(await refusal(world, refused)).toEqual([500, 'GenericRecoverableError'])
    expect(refused.headers['retry-after']).toMatch(/^[12]$/)
    expect(world.lfi.asked).toHaveLength(asked)

    ahead += 3_000
    expect((await payer.pay(consent, paymentOf(consent, aed('2.00')), { key: 'later' })).status).toBe(201)
    expect(bank.ledger.map(({ order }) => order.request.Data['Instruction'])).toEqual([{ Amount: aed('2.00') }])
  })
})
