/**
 * The whole path of a request, top to bottom. Nothing but the lists: what a stage does is in stages/, which operations
 * follow which list is in routes.ts, and that a stage has the facts it needs is the compiler's business. Whatever
 * happens on the way, the call is recorded before it is answered (serve.ts).
 */
import type { Route } from './routes.ts'
import { type Path, path } from './stage.ts'
import { addWords } from './stages/add-words.ts'
import { answerAgain } from './stages/answer-again.ts'
import { listConsents, showConsent } from './stages/answer-consents.ts'
import { answerData } from './stages/answer-data.ts'
import { answerPayment } from './stages/answer-payment.ts'
import { showReceipts } from './stages/answer-receipts.ts'
import { answerRefund } from './stages/answer-refund.ts'
import { answerReport } from './stages/answer-report.ts'
import { answerRefusals, answerReports, listOutages } from './stages/answer-reports.ts'
import { answerService } from './stages/answer-service.ts'
import { askAboutPayment } from './stages/ask-about-payment.ts'
import { askForRefund } from './stages/ask-for-refund.ts'
import { askLfi } from './stages/ask-lfi.ts'
import { askService } from './stages/ask-service.ts'
import { awaitFirst } from './stages/await-first.ts'
import { changeConsent } from './stages/change-consent.ts'
import { changeSubscription } from './stages/change-subscription.ts'
import { checkAccount } from './stages/check-account.ts'
import { checkBinding } from './stages/check-binding.ts'
import { checkCertificate } from './stages/check-certificate.ts'
import { checkContentType } from './stages/check-content-type.ts'
import { checkHeaders } from './stages/check-headers.ts'
import { checkIban } from './stages/check-iban.ts'
import { checkParameters } from './stages/check-parameters.ts'
import { checkPayment } from './stages/check-payment.ts'
import { checkPermission } from './stages/check-permission.ts'
import { checkProof } from './stages/check-proof.ts'
import { checkClientScope, checkUserScope } from './stages/check-scope.ts'
import { checkSender } from './stages/check-sender.ts'
import { discoverPayee } from './stages/discover-payee.ts'
import { findFirst } from './stages/find-first.ts'
import { findPayment } from './stages/find-payment.ts'
import { findRequest } from './stages/find-request.ts'
import { answerHandedOver, handOverFile, readFile } from './stages/hand-over-file.ts'
import { judgePayment } from './stages/judge-payment.ts'
import { judgeReply } from './stages/judge-reply.ts'
import { beginRequest, checkSubscription, moveRequest } from './stages/keep-request.ts'
import { limitRate } from './stages/limit-rate.ts'
import { loadConsent } from './stages/load-consent.ts'
import { loadPayment } from './stages/load-payment.ts'
import { loadPaymentConsent } from './stages/load-payment-consent.ts'
import { matchPayee } from './stages/match-payee.ts'
import { matchRoute } from './stages/match-route.ts'
import { narrowToConsent } from './stages/narrow-period.ts'
import { negotiateAnswer } from './stages/negotiate-answer.ts'
import { orderPayment } from './stages/order-payment.ts'
import { readPlainBody, readSignableBody, readSignedBody } from './stages/read-body.ts'
import { readKey } from './stages/read-key.ts'
import { answerDone, registerClient } from './stages/register-client.ts'
import { reservePayment } from './stages/reserve-payment.ts'
import { settlePayment } from './stages/settle-payment.ts'
import { translateReply } from './stages/translate-reply.ts'
import { translateService } from './stages/translate-service.ts'
import { verifyToken } from './stages/verify-token.ts'

/** Is there such an operation, do we speak the same media types, and is it not too often? */
export const arrived = path('arrival').step(matchRoute).step(negotiateAnswer).step(checkContentType).step(limitRate)

/** Who is speaking? */
export const identified = arrived.step(verifyToken).step(checkSender).step(checkBinding).step(checkProof)

/** A client asks for something that no consent is needed for. */
const asked = identified.step(checkClientScope).step(checkHeaders).step(checkParameters)

// biome-ignore format: one question per line
export const requestPaths = {
  /** Data of a user, from the LFI. */
  'read-resource': identified
    .given('read')
    // Is the question well formed?
    .step(checkUserScope).step(checkHeaders).step(checkParameters)
    // May they ask it?
    .step(loadConsent).step(checkPermission).step(checkAccount).step(narrowToConsent)
    // Ask the LFI.
    .step(askLfi)
    // Is the answer fit to pass on?
    .step(judgeReply).step(translateReply)
    .step(answerData),

  /** A payment, by the LFI, under the consent of a user. */
  'make-payment': identified
    .given('pay')
    // Is the question well formed?
    .step(checkUserScope).step(checkHeaders).step(readKey).step(checkParameters)
    .step(readSignedBody)
    // Has it been asked before?
    .step(findFirst).step(answerAgain)
    // Did the user agree to it?
    .step(loadConsent).step(checkPayment).step(reservePayment).step(awaitFirst)
    // Ask the LFI, and keep what it says.
    .step(orderPayment).step(judgePayment).step(settlePayment),

  /** A client looks for a payment, and at it. */
  'find-payment': identified
    .given('paid')
    .step(checkClientScope).step(checkHeaders).step(readKey).step(checkParameters)
    .step(findPayment),
  'show-payment': identified
    .given('paid')
    .step(checkClientScope).step(checkHeaders).step(checkParameters)
    .step(loadPayment).step(askAboutPayment).step(answerPayment),
  'show-report': identified
    .given('paid')
    .step(checkClientScope).step(checkHeaders).step(checkParameters)
    .step(loadPayment).step(askAboutPayment).step(answerReport),

  /** A client asks where to return a payment to. */
  'show-refund': identified
    .given('askingRoute')
    .step(checkClientScope).step(checkHeaders).step(checkParameters)
    .step(loadPaymentConsent).step(askForRefund).step(answerRefund),

  /** A client hands over the file of a file payment. */
  'hand-over-file': identified
    .given('askingRoute')
    .step(checkClientScope).step(checkHeaders).step(readKey).step(checkParameters)
    .step(loadPaymentConsent).step(readFile).step(handOverFile).step(answerHandedOver),

  /** A client looks at its consents. */
  'list-consents': identified
    .given('listRoute')
    .step(checkClientScope).step(checkHeaders).step(checkParameters)
    .step(listConsents),
  'show-consent': identified
    .given('consentRoute')
    .step(checkClientScope).step(checkHeaders).step(checkParameters)
    .step(showConsent),

  /** A client gets the proof of what it was answered. */
  'show-receipts': identified
    .step(checkClientScope).step(checkHeaders).step(checkParameters)
    .step(showReceipts),

  /** A client ends a consent, or moves its events. */
  'change-consent': identified
    .given('consentRoute')
    .step(checkClientScope).step(checkHeaders).step(checkParameters)
    .step(readSignableBody)
    .step(changeConsent),

  /** A client asks the LFI: cash machines, products, leads. */
  'ask-service': asked
    .given('service')
    .step(readSignableBody)
    .step(askService).step(judgeReply).step(translateService)
    .step(answerService),

  /** Whose account is it? The LFI says, the hub compares. */
  'confirm-payee': asked
    .given('service')
    .step(readSignableBody).step(checkIban)
    .step(askService).step(judgeReply).step(matchPayee)
    .step(answerService),
  'discover-payee': asked
    .step(readSignableBody).step(checkIban)
    .step(discoverPayee),

  /** A client begins something at the LFI (a quote, an account), looks at it, takes it further, hears of it. */
  'begin-request': asked
    .given('service')
    .step(readSignableBody).step(checkSubscription)
    .step(askService).step(judgeReply).step(translateService)
    .step(beginRequest)
    .step(answerService),
  'show-request': asked
    .given('service')
    .step(findRequest).step(readSignableBody)
    .step(askService).step(judgeReply).step(translateService).step(addWords)
    .step(answerService),
  'move-request': asked
    .given('service')
    .step(findRequest).step(readSignableBody).step(checkSubscription)
    .step(askService).step(judgeReply).step(translateService)
    .step(moveRequest)
    .step(answerService),
  'change-subscription': asked
    .step(findRequest).step(readSignableBody)
    .step(changeSubscription),
  /** A client looks at itself, and at how the LFI has been. */
  'tpp-reports': identified
    .step(checkClientScope).step(checkHeaders).step(checkParameters)
    .step(answerReports),
  'explain-refusal': identified
    .step(checkClientScope).step(checkHeaders).step(checkParameters)
    .step(answerRefusals),
  'list-outages': identified
    .step(checkClientScope).step(checkHeaders).step(checkParameters)
    .step(listOutages),

  /** A client registers; it has no token yet. */
  register: arrived
    .step(checkCertificate).step(checkHeaders).step(checkParameters)
    .step(readPlainBody)
    .step(registerClient)
    .step(answerDone),
} as const satisfies Record<Route['follows'], Pick<Path<never>, 'stages' | 'facts'>>
