import type { JsonObject, Usable } from '../../consent-store/index.ts'
import { HubError } from '../../errors.ts'
import { jweFault } from '../../jwe.ts'
import { localDateAt, toLocalDate } from '../../local-date.ts'
import { type Decimal, toMoney } from '../../money.ts'
import type { Arrival, Facts } from '../facts.ts'
import { stage } from '../stage.ts'

type Data = {
  readonly ConsentId: string
  readonly Instruction?: JsonObject
  readonly PersonalIdentifiableInformation?: string
  readonly PaymentPurposeCode: string
}
type UsablePayment = Extract<Usable, { type: 'service-initiation' }>

/** What is asked for, beside what the user agreed to; sums and dates are judged when it is recorded (tpp-api 5.3). */
export const checkPayment = stage({
  name: 'check-payment',
  needs: ['arrival', 'pay', 'consent', 'body'],
  adds: ['asked'],
  fails: [
    'Body.InvalidFormat',
    'Consent.Invalid',
    'Consent.BusinessRuleViolation',
    'Consent.FailsControlParameters',
    'JWE.InvalidHeader',
  ],
  run({ arrival, pay, consent, body }, { tenant, clock }) {
    if (body === undefined)
      throw new HubError('Body.InvalidFormat', { rule: 'body.form', reason: 'a body is required', path: '$' })
    if (consent.type !== 'service-initiation') throw new Error('a consent of payments of another type')
    const { Data: data } = body as { readonly Data: Data }
    checkConsentId(data, arrival, consent)
    checkEncrypted(data)
    if (!tenant.paymentPurposeCodes.includes(data.PaymentPurposeCode)) throw unknownPurpose()
    if (pay.paymentType === 'cbuae-payment') checkAgreed(data, consent)
    const on = localDateAt(clock.now())
    return { asked: pay.paymentType === 'cbuae-file-payment' ? askedFile(data, consent, on) : askedMoney(data, on) }
  },
})

function checkConsentId(data: Data, { headers }: Arrival, consent: UsablePayment): void {
  if (data.ConsentId !== consent.id) {
    throw new HubError('Consent.Invalid', {
      rule: 'payment.consent',
      reason: 'The payment names another consent',
      path: 'Data.ConsentId',
    })
  }
  const grouped = headers['x-consent-id']
  if (grouped !== undefined && grouped !== consent.id) {
    throw new HubError('Consent.Invalid', {
      rule: 'payment.consent',
      reason: 'The header names another consent',
      path: 'x-consent-id',
    })
  }
}

function checkEncrypted({ PersonalIdentifiableInformation: pii }: Data): void {
  const fault = pii === undefined ? null : jweFault(pii)
  if (fault === null) return
  throw new HubError('JWE.InvalidHeader', {
    rule: 'payment.encrypted',
    reason: `PersonalIdentifiableInformation ${fault}`,
    path: 'Data.PersonalIdentifiableInformation',
  })
}

const unknownPurpose = (): HubError =>
  new HubError('Consent.BusinessRuleViolation', {
    rule: 'payment.purpose',
    reason: 'PaymentPurposeCode is not on the list of the payment scheme',
    path: 'Data.PaymentPurposeCode',
  })

/** One payment was agreed on with all that is said about it; of several, each may have words of its own. */
const AGREED = ['PaymentPurposeCode', 'DebtorReference', 'CreditorReference'] as const

function checkAgreed(data: Data, { payment, request }: UsablePayment): void {
  if (payment.control.kind !== 'single') return
  const differing = AGREED.find((name) => (data as unknown as JsonObject)[name] !== request.consent[name])
  if (differing === undefined) return
  throw new HubError('Consent.BusinessRuleViolation', {
    rule: 'payment.agreed',
    reason: `${differing} is not the one of the consent`,
    path: `Data.${differing}`,
  })
}

function askedMoney({ Instruction }: Data, on: Facts['asked']['on']): Facts['asked'] {
  const money = toMoney(Instruction?.['Amount'])
  if (money === null) throw new Error('unreachable: an amount that its schema has let through and that is none')
  return { kind: 'payment', on, money }
}

/** Without an instruction it is the file of the consent. */
function askedFile(data: Data, { payment }: UsablePayment, on: Facts['asked']['on']): Facts['asked'] {
  const { control } = payment
  const said = data.Instruction
  if (said === undefined) {
    if (control.kind === 'file') return { kind: 'file', on, file: control.file }
    throw new HubError('Consent.FailsControlParameters', {
      rule: 'payment.limits',
      reason: 'The consent is not for a file of payments',
    })
  }
  return {
    kind: 'file',
    on,
    file: {
      fileType: String(said['FileType']),
      fileHash: String(said['FileHash']),
      fileReference: said['FileReference'] === undefined ? null : String(said['FileReference']),
      numberOfTransactions: Number(said['NumberOfTransactions']),
      controlSum: String(said['ControlSum']) as Decimal,
      requestedExecutionDate: toLocalDate(said['RequestedExecutionDate']),
    },
  }
}
