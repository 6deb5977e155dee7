/** The first answer to an idempotency key: kept with the payment, and given again (tpp-api 5.3). */
import type { JsonObject } from '../../consent-store/index.ts'
import { ERRORS, type ErrorCode, HubError } from '../../errors.ts'
import {
  isNamedByHub,
  type KeptAnswer,
  type MadePayment,
  type OpenPayment,
  type Payment,
} from '../../resource-log/index.ts'
import { Answer } from '../answer.ts'
import type { PaymentLinks } from './links.ts'
import { bodyOfUnanswered } from './reply.ts'

type Told = { readonly Code: string; readonly Message: string; readonly Path?: string }

/** @throws HubError when the first answer was a refusal */
export function answerAgain(payment: Exclude<Payment, OpenPayment>, links: PaymentLinks): Answer {
  const { answer } = payment
  if (payment.state === 'refused') throw refusalAgain(answer)
  // The LFI never answered, and settled the payment later: there is no first answer but what it said then.
  const body = isNamedByHub(payment) ? bodyOfUnanswered(payment, links) : (answer.body ?? {})
  return madeAnswer(payment, body, links, null)
}

export function madeAnswer(
  payment: Pick<MadePayment, 'paymentType' | 'paymentId' | 'idempotencyKey'>,
  body: JsonObject,
  links: PaymentLinks,
  signed: string | null,
): Answer {
  return new Answer(201, body, 1, {
    headers: {
      location: links.self(payment.paymentType, payment.paymentId),
      'x-idempotency-key': payment.idempotencyKey,
    },
    signed,
  })
}

export function keptRefusal(error: HubError): KeptAnswer {
  const { path } = error.options
  const told: Told = { Code: error.wireCode, Message: error.reason, ...(path === undefined ? {} : { Path: path }) }
  return { status: error.status, body: { Errors: [told] }, signed: null }
}

function refusalAgain({ status, body }: KeptAnswer): HubError {
  const [told] = (body?.['Errors'] ?? []) as readonly Told[]
  if (told === undefined) throw new Error('a refusal was kept without its reason')
  const known = Object.hasOwn(ERRORS, told.Code)
  return new HubError(known ? (told.Code as ErrorCode) : 'GenericError', {
    ...(known ? {} : { wireCode: told.Code }),
    rule: 'payment.first-answer',
    status: status as 400 | 403 | 409 | 500,
    reason: told.Message,
    ...(told.Path === undefined ? {} : { path: told.Path }),
  })
}
