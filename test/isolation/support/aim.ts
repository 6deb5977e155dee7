/** What is aimed at: something of the victim's, or the like of it that never was. */
import { randomBytes, randomInt, randomUUID } from 'node:crypto'
import type { Victim } from './victim.ts'

export type Aim = Readonly<Record<keyof ReturnType<typeof real>, string>>

export const real = (victim: Victim) => ({
  consentId: victim.used.consentId,
  paymentConsentId: victim.paying.consentId,
  fileConsentId: victim.filing.consentId,
  insuranceConsentId: victim.insured.consentId,
  requestUri: victim.waiting.requestUri,
  interactionId: victim.begun.interactionId,
  code: victim.coded.code,
  verifier: victim.coded.verifier,
  refreshToken: victim.used.refreshToken,
  accessToken: victim.used.accessToken,
  userId: victim.userId,
  accountId: victim.accountId,
  paymentId: victim.paymentId,
  filePaymentId: victim.filePaymentId,
  idempotencyKey: victim.idempotencyKey,
  fxQuoteId: victim.requests['fx-quote'],
  openingId: victim.requests['account-opening'],
  insuranceQuoteId: victim.requests['insurance-quote'],
  callId: victim.callId,
  refusalId: victim.refusalId,
  noticeId: victim.noticeId,
})

const like = (text: string): string =>
  text.replaceAll(/[A-Za-z0-9_-]{8,}$/g, (run) => randomBytes(run.length).toString('base64url').slice(0, run.length))
const digits = (text: string): string =>
  text.replaceAll(/\d+$/g, (run) => `${randomInt(10 ** (run.length - 1), 10 ** run.length)}`)

export function absent(victim: Victim): Aim {
  const aim = real(victim)
  return {
    ...aim,
    consentId: randomUUID(),
    paymentConsentId: randomUUID(),
    fileConsentId: randomUUID(),
    insuranceConsentId: randomUUID(),
    requestUri: like(aim.requestUri),
    interactionId: like(aim.interactionId),
    code: like(aim.code),
    refreshToken: like(aim.refreshToken),
    userId: digits(aim.userId),
    accountId: digits(aim.accountId),
    paymentId: `pay-${randomUUID()}`,
    filePaymentId: `pay-${randomUUID()}`,
    idempotencyKey: randomUUID(),
    fxQuoteId: randomUUID(),
    openingId: randomUUID(),
    insuranceQuoteId: randomUUID(),
    callId: randomUUID(),
    refusalId: randomUUID(),
    noticeId: '999999999',
  }
}
