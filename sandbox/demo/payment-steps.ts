/** A payment of each schedule, one that is too much, one whose answer is lost, and a file of payments. */
import { createHash, randomUUID } from 'node:crypto'
import type { Tokens } from '../tpp/authorization.ts'
import type { LfiConnection } from '../tpp/client.ts'
import { LfiFault } from '../tpp/errors.ts'
import type { PaymentConsentAsk } from '../tpp/payments.ts'
import { approveAtBank, type Customer } from './bank-journey.ts'
import { dataOf } from './reads.ts'
import type { Recorder } from './recorder.ts'

export type PaymentSetting = {
  readonly bank: LfiConnection
  readonly ca: string
  readonly redirectUri: string
  readonly customer: Customer
}

const DAY_MS = 86_400_000
const DUBAI_MS = 4 * 3_600_000
const PURPOSE = 'ACM'
const REFERENCE = 'demo'
const CREDITOR = { name: 'Wadi Books LLC', iban: 'AE070331234567890123456' }
export const aed = (Amount: string) => ({ Amount, Currency: 'AED' })
export const key = (): string => randomUUID().slice(0, 30)
const today = (): string => new Date(Date.now() + DUBAI_MS).toISOString().slice(0, 10)
const multi = (PeriodicSchedule: object, limits: object = {}) => ({
  ConsentSchedule: { MultiPayment: { ...limits, PeriodicSchedule } },
})
const period = (PeriodType: string) => ({ PeriodType, PeriodStartDate: today() })

type Schedule = {
  readonly title: string
  readonly control: () => object
  readonly amount: string
  readonly ends?: true
}

const SCHEDULES: readonly Schedule[] = [
  {
    title: 'A single payment',
    control: () => ({ ConsentSchedule: { SinglePayment: { Type: 'SingleInstantPayment', Amount: aed('25.00') } } }),
    amount: '25.00',
  },
  {
    title: 'Payments on demand of the same amount',
    control: () =>
      multi({
        Type: 'FixedOnDemand',
        ...period('Week'),
        Amount: aed('10.00'),
        Controls: { MaximumCumulativeNumberOfPaymentsPerPeriod: 2 },
      }),
    amount: '10.00',
  },
  {
    title: 'A payment every month',
    control: () =>
      multi(
        { Type: 'FixedPeriodicSchedule', ...period('Month'), Amount: aed('30.00') },
        { MaximumCumulativeNumberOfPayments: 12 },
      ),
    amount: '30.00',
  },
  {
    title: 'Up to an amount every month',
    control: () =>
      multi(
        { Type: 'VariablePeriodicSchedule', ...period('Month'), MaximumIndividualAmount: aed('40.00') },
        { MaximumCumulativeNumberOfPayments: 12 },
      ),
    amount: '39.50',
  },
  {
    title: 'A payment on a date',
    control: () =>
      multi({ Type: 'FixedDefinedSchedule', Schedule: [{ PaymentExecutionDate: today(), Amount: aed('15.00') }] }),
    amount: '15.00',
    ends: true,
  },
  {
    title: 'Up to an amount on a date',
    control: () =>
      multi({
        Type: 'VariableDefinedSchedule',
        Schedule: [{ PaymentExecutionDate: today(), MaximumIndividualAmount: aed('15.00') }],
      }),
    amount: '14.20',
    ends: true,
  },
  {
    title: 'Payments that the app has confirmed',
    control: () => ({ IsDelegatedAuthentication: true, ConsentSchedule: {} }),
    amount: '5.00',
  },
]

export async function paymentSteps(recorder: Recorder, setting: PaymentSetting): Promise<void> {
  for (const { title, control, amount, ends } of SCHEDULES) {
    recorder.part(title)
    const tokens = await agree(recorder, setting, control(), ends)
    await recorder.check('Paid', 'POST /payments, signed, with an idempotency key', async () => {
      const { status, body } = await pay(setting, tokens, amount, key())
      return { value: null, saw: `${status}, ${String(dataOf(body, 'Status'))}` }
    })
  }
  await overLimit(recorder, setting)
  await lostAnswer(recorder, setting)
  await filePayment(recorder, setting)
}

async function overLimit(recorder: Recorder, setting: PaymentSetting): Promise<void> {
  recorder.part('Payments on demand, and one too many')
  const control = multi({
    Type: 'VariableOnDemand',
    ...period('Day'),
    Controls: { MaximumCumulativeValueOfPaymentsPerPeriod: aed('100.00') },
  })
  const tokens = await agree(recorder, setting, control)
  await recorder.check('Paid', 'POST /payments, 60.00 of 100.00', async () => {
    const { status } = await pay(setting, tokens, '60.00', key())
    return { value: null, saw: `${status}` }
  })
  await recorder.check('More than is left', 'POST /payments, 40.01 of 40.00', async () => {
    const error = await pay(setting, tokens, '40.01', key()).then(
      () => new Error('it was paid'),
      (reason: unknown) => reason,
    )
    if (!(error instanceof LfiFault) || error.code !== 'Consent.FailsControlParameters') throw error
    return { value: null, saw: `refused: ${error.status} ${error.code}` }
  })
}

/** The sandbox bank pays such an amount and loses its answer (sandbox/bank/payments/outcomes.ts). */
async function lostAnswer(recorder: Recorder, setting: PaymentSetting): Promise<void> {
  const { bank } = setting
  recorder.part('A payment whose answer is lost')
  const control = { ConsentSchedule: { SinglePayment: { Type: 'SingleInstantPayment', Amount: aed('20.93') } } }
  const tokens = await agree(recorder, setting, control)
  const lost = key()
  await recorder.check('No answer', 'POST /payments; the bank pays and says nothing', async () => {
    const error = await pay(setting, tokens, '20.93', lost).then(
      () => new Error('it was answered'),
      (reason: unknown) => reason,
    )
    if (!(error instanceof LfiFault) || error.code !== 'GenericRecoverableError') throw error
    return { value: null, saw: `${error.status} ${error.code}` }
  })
  await recorder.check('Found by its key', 'GET /payments, GET /payments/{PaymentId}', async () => {
    const { body } = await bank.payment(await bank.findPayment(lost))
    const status = String(dataOf(body, 'Status'))
    if (status !== 'Pending') throw new Error(`the payment says ${status}`)
    return { value: null, saw: status }
  })
}

async function filePayment(recorder: Recorder, setting: PaymentSetting): Promise<void> {
  const { bank } = setting
  recorder.part('A file of payments')
  const content = Buffer.from(`iban,amount\n${CREDITOR.iban},10.00\n${CREDITOR.iban},15.50\n`)
  const file = {
    FileType: 'csv',
    FileHash: createHash('sha256').update(content).digest('base64'),
    NumberOfTransactions: 2,
    ControlSum: '25.50',
  }
  const tokens = await agree(recorder, setting, { ConsentSchedule: { FilePayment: file } })
  const consentId = tokens.consentId ?? ''
  await recorder.check('File handed over', 'POST /payment-consents/{ConsentId}/file', async () => ({
    value: null,
    saw: `${await bank.handOver(consentId, content)}`,
  }))
  await recorder.check('Carried out, with its report', 'POST /file-payments, GET …/report', async () => {
    const { status, body } = await bank.payFile({ consentId, idempotencyKey: key(), file, purpose: PURPOSE }, tokens)
    const report = await bank.report(String(dataOf(body, 'PaymentId')))
    return { value: null, saw: `${status}, ${String(dataOf(body, 'Status'))}; a report of ${report.length} bytes` }
  })
}

export const pay = ({ bank }: PaymentSetting, tokens: Tokens, amount: string, idempotencyKey: string) =>
  bank.pay(
    {
      consentId: tokens.consentId ?? '',
      idempotencyKey,
      amount: aed(amount),
      creditor: CREDITOR,
      purpose: PURPOSE,
      reference: REFERENCE,
    },
    tokens,
  )

export const askFor = (control: object, endsToday?: true): PaymentConsentAsk => ({
  control,
  creditors: [CREDITOR],
  purpose: PURPOSE,
  reference: REFERENCE,
  expiresAt: endsToday ? new Date(Date.parse(`${today()}T23:59:59Z`) - DUBAI_MS) : new Date(Date.now() + 30 * DAY_MS),
})

/** Push, agree at the bank, redeem: told as one step. */
function agree(recorder: Recorder, setting: PaymentSetting, control: object, endsToday?: true): Promise<Tokens> {
  const { bank, ca, redirectUri, customer } = setting
  return recorder.step('Consent agreed to', 'POST /par, the bank’s pages, POST /token', async () => {
    const { pending, url } = await bank.requestPayment(askFor(control, endsToday))
    const { query, pages } = await approveAtBank(url, { ca, redirectUri, customer })
    if (query.get('error') !== null)
      throw new Error(`the bank sent ${query.get('error')}: ${query.get('error_description')}`)
    const tokens = await bank.redeem(query, pending)
    return { value: tokens, saw: `“${pages.at(-1)}”; consent ${tokens.consentStatus ?? '(not said)'}` }
  })
}
