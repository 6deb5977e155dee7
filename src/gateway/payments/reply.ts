/** From what the LFI says of a payment to what the TPP is told and the hub keeps of it (lfi-api 3.9.1). */
import { type Instant, toInstant } from '../../clock.ts'
import type { JsonObject } from '../../consent-store/index.ts'
import { HubError } from '../../errors.ts'
import { isSameMoney, toMoney } from '../../money.ts'
import {
  filledFrom,
  type MadePayment,
  type OpenPayment,
  type Payment,
  type PaymentStatus,
  type PaymentType,
  paymentData,
  type RejectReason,
  readUnansweredId,
  unansweredAsMade,
  wantedIn,
} from '../../resource-log/index.ts'
import type { SchemaRegistry } from '../../schema-registry.ts'
import { filePayment, payment as paymentMembers } from '../transform/payments.ts'
import { createQuality, type Quality } from '../transform/quality.ts'
import { repair } from '../transform/repair.ts'
import { compile } from '../transform/shape.ts'
import type { PaymentLinks } from './links.ts'

/** What the hub keeps of it. */
export type SaidOfPayment = {
  readonly paymentId: string
  readonly status: PaymentStatus
  readonly madeAt: Instant
  readonly statusChangedAt: Instant
  readonly paymentTransactionId: string | null
  readonly billing: JsonObject | null
  readonly rejectReasons: readonly RejectReason[] | null
}
export type PaymentReply = {
  readonly said: SaidOfPayment
  /** `{Data, Links, Meta}` of the TPP. */
  readonly body: JsonObject
  readonly quality: Readonly<Record<string, number>> | null
}
export type PaymentReplies = {
  /** @throws HubError GenericError when it cannot be passed on */
  read(asked: Payment, lfiOperation: 'makePayment' | 'getPayment', lfiBody: unknown, links: PaymentLinks): PaymentReply
}

type LfiPayment = {
  readonly data: {
    readonly id: string
    readonly consentId?: string
    readonly paymentTransactionId?: string
    readonly status: PaymentStatus | 'Received'
    readonly statusUpdateDateTime: string
    readonly creationDateTime: string
    readonly rejectReasonCode?: readonly RejectReason[]
    readonly instruction?: { readonly Amount: { readonly amount: string; readonly currency: string } }
    readonly openFinanceBilling?: JsonObject
  }
}

const CONVERT = {
  'cbuae-payment': compile({ members: paymentMembers }),
  'cbuae-file-payment': compile({ members: filePayment }),
} as const satisfies Record<PaymentType, unknown>
const TPP_OPERATION = { 'cbuae-payment': 'RetrievePayment', 'cbuae-file-payment': 'RetrieveFilePayment' } as const
const SUCCESS = { makePayment: 201, getPayment: 200 } as const

export function createPaymentReplies(registry: SchemaRegistry): PaymentReplies {
  const checkOf = (document: 'service-initiation' | 'bank-initiation', operationId: string, status: number) => {
    const check = registry.response(document, operationId, status)
    if (check === null) throw new Error(`${operationId} in ${document} has no body`)
    return check
  }
  const lfi = {
    makePayment: checkOf('service-initiation', 'makePayment', SUCCESS.makePayment),
    getPayment: checkOf('service-initiation', 'getPayment', SUCCESS.getPayment),
  }
  const tpp = {
    'cbuae-payment': checkOf('bank-initiation', TPP_OPERATION['cbuae-payment'], 200),
    'cbuae-file-payment': checkOf('bank-initiation', TPP_OPERATION['cbuae-file-payment'], 200),
  }
  return {
    read(asked, lfiOperation, lfiBody, links) {
      const quality = createQuality()
      if (!repair(lfiBody, lfi[lfiOperation], ['data'], quality)) {
        throw unfit('the answer does not have the form of Ozone Connect', quality)
      }
      const { data } = lfiBody as LfiPayment
      const fault = mismatch(asked, data)
      if (fault !== null) throw new HubError('GenericError', { detail: `the answer is of another payment: ${fault}` })
      const converted = CONVERT[asked.paymentType](data, quality) as JsonObject
      const body = {
        Data: {
          ...filledFrom(asked),
          ...converted,
          ConsentId: asked.consentId,
          Status: shownStatus(asked, data.status),
        },
        Links: { Self: links.self(asked.paymentType, data.id), Related: links.consent(asked.consentId) },
        Meta: {},
      }
      if (!repair(body, tpp[asked.paymentType], ['Data'], quality)) {
        throw unfit('the answer cannot be given the documented form', quality)
      }
      return { said: saidBy(data), body, quality: quality.report() }
    },
  }
}

const unfit = (detail: string, quality: Quality): HubError =>
  new HubError('GenericError', {
    detail: `${detail}: ${Object.keys(quality.report() ?? {})
      .slice(0, 5)
      .join('; ')}`,
  })

/** Path of what contradicts the request; an LFI that confirms something else than it was asked for is not believed. */
function mismatch(asked: Payment, data: LfiPayment['data']): string | null {
  if (data.id === '' || data.id.length > 40) return 'data.id length'
  if (readUnansweredId(data.id) !== null) return 'data.id reserved'
  if (data.consentId !== undefined && data.consentId !== asked.consentId) return 'data.consentId'
  const { paymentPurposeCode } = data as { readonly paymentPurposeCode?: string }
  const wanted = wantedIn(asked)
  if (paymentPurposeCode !== wanted.PaymentPurposeCode) return 'data.paymentPurposeCode'
  if (data.instruction === undefined || asked.paymentType === 'cbuae-file-payment') return null
  const { amount, currency } = data.instruction.Amount
  const [said, ordered] = [toMoney({ Amount: amount, Currency: currency }), toMoney(wanted.Instruction?.['Amount'])]
  return said !== null && ordered !== null && isSameMoney(said, ordered) ? null : 'data.instruction.Amount'
}

/** Files are received or rejected to a TPP; a single payment that was received waits. */
export const shownStatus = ({ paymentType }: Payment, status: PaymentStatus | 'Received'): string =>
  paymentType === 'cbuae-file-payment'
    ? status === 'Rejected'
      ? 'Rejected'
      : 'Received'
    : status === 'Received'
      ? 'Pending'
      : status

function saidBy(data: LfiPayment['data']): SaidOfPayment {
  return {
    paymentId: data.id,
    status: data.status === 'Received' ? 'Pending' : data.status,
    madeAt: toInstant(data.creationDateTime),
    statusChangedAt: toInstant(data.statusUpdateDateTime),
    paymentTransactionId: data.paymentTransactionId ?? null,
    billing: data.openFinanceBilling ?? null,
    rejectReasons: data.rejectReasonCode ?? null,
  }
}

/** What the hub knows of a payment that the LFI has not answered for: it may have been made, unless the LFI said since. */
export function bodyOfUnanswered(asked: OpenPayment | MadePayment, links: PaymentLinks): JsonObject {
  const payment = asked.state === 'open' ? unansweredAsMade(asked) : asked
  const data = paymentData(payment)
  return {
    Data: { ...data, Status: shownStatus(payment, payment.status) },
    Links: { Self: links.self(payment.paymentType, payment.paymentId), Related: links.consent(payment.consentId) },
    Meta: {},
  }
}
