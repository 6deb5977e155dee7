/**
 * The payments that this bank has made: each idempotency key of a client once, however often it is asked for. A line of
 * the file is one payment, written before anybody hears of it.
 */
import { randomUUID } from 'node:crypto'
import { appendFileSync, existsSync, mkdirSync, readFileSync } from 'node:fs'
import { dirname } from 'node:path'

export type PaymentStatus = 'Pending' | 'AcceptedSettlementCompleted' | 'Rejected'
export type Payment = {
  readonly id: string
  readonly clientId: string
  readonly idempotencyKey: string
  readonly consentId: string
  readonly paymentType: string
  readonly at: string
  readonly status: PaymentStatus
  readonly purpose: string
  /** What was paid; null for a file. */
  readonly amount: { readonly amount: string; readonly currency: string } | null
  readonly billing: object | null
}

export type Ledger = {
  /** The payment of the key, made now or before. */
  once(asked: Omit<Payment, 'id' | 'at'>): Payment
  find(id: string): Payment | null
}

export function createLedger(file: string, now: () => number): Ledger {
  const payments = read(file)
  const byKey = new Map(payments.map((payment) => [keyOf(payment), payment]))
  const byId = new Map(payments.map((payment) => [payment.id, payment]))
  return {
    once(asked) {
      const known = byKey.get(keyOf(asked))
      if (known !== undefined) return known
      const payment: Payment = { ...asked, id: `pay-${randomUUID()}`, at: new Date(now()).toISOString() }
      mkdirSync(dirname(file), { recursive: true })
      appendFileSync(file, `${JSON.stringify(payment)}\n`)
      byKey.set(keyOf(payment), payment)
      byId.set(payment.id, payment)
      return payment
    },
    find: (id) => byId.get(id) ?? null,
  }
}

const keyOf = ({ clientId, paymentType, idempotencyKey }: Omit<Payment, 'id' | 'at'>): string =>
  JSON.stringify([clientId, paymentType, idempotencyKey])

function read(file: string): readonly Payment[] {
  if (!existsSync(file)) return []
  const lines = readFileSync(file, 'utf8').split('\n')
  return lines.filter((line) => line !== '').map((line) => JSON.parse(line) as Payment)
}
