import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { sign } from '../../src/jose.ts'
import { watchStatements } from '../isolation/support/statements.ts'
import { aed, createBank, createPayer, paymentConsent, paymentOf, refusal, schedules } from './support/payments.ts'
import { createWorld, type World } from './support/world.ts'

let world: World
let payer: ReturnType<typeof createPayer>
const bank = createBank()
beforeAll(async () => {
  // What is counted here are payments: an LFI that is late on a busy machine would leave some of them open.
  world = await createWorld({ timeoutMs: 60_000 })
  payer = createPayer(world)
  world.lfi.answer = bank.answer
})
afterAll(() => world.close())

test('a payment costs twelve statements in two transactions, the first and the later ones', async () => {
  const watched = watchStatements()
  try {
    const control = schedules().variableOnDemand
    const consent = await paymentConsent(world, control)
    const token = await payer.token(consent)
    // What a process reads once, about a client, it has read by then.
    await payer.sendSigned(
      '/payments',
      token,
      await sign(world.one.signing, payer.claims(paymentOf(consent, aed('7.00')))),
      'warm',
    )
    for (const key of ['second', 'third']) {
      const body = await sign(world.one.signing, payer.claims(paymentOf(consent, aed('7.00'))))
      const { result, statements } = await watched.during(() => payer.sendSigned('/payments', token, body, key))
      expect(result.status).toBe(201)
      expect(statements).toHaveLength(12)
      expect(statements.filter((text) => /for update/.test(text))).toHaveLength(2)
    }
  } finally {
    watched.restore()
  }
})

describe('limits', () => {
  test('200 payments at once never exceed what the consent allows', async () => {
    const control = schedules().variableOnDemand
    const { MultiPayment } = control.ConsentSchedule
    Object.assign(MultiPayment, {
      MaximumCumulativeValueOfPayments: aed('100.00'),
      PeriodicSchedule: { ...MultiPayment.PeriodicSchedule, Controls: { MaximumIndividualAmount: aed('50.00') } },
    })
    const consent = await paymentConsent(world, control)
    const token = await payer.token(consent)
    const before = bank.ledger.length
    const answers = await Promise.all(
      Array.from({ length: 200 }, async (_, at) => {
        const body = await sign(world.one.signing, payer.claims(paymentOf(consent, aed('7.00'))))
        return payer.sendSigned('/payments', token, body, `parallel-${at}`)
      }),
    )
    const made = answers.filter(({ status }) => status === 201)
    expect(made).toHaveLength(14)
    expect(bank.ledger.length - before).toBe(14)
    const others = answers.filter(({ status }) => status !== 201)
    const codes = new Set(await Promise.all(others.map(async (answer) => (await refusal(world, answer))[1])))
    expect([...codes]).toEqual(['Consent.FailsControlParameters'])
    expect(await world.consents.find(consent.id)).toMatchObject({
      payment: { consumption: { number: 14, value: { amount: '98.00' }, period: { number: 14 } } },
    })
  }, 180_000)
})
