/**
 * Payments at the LFI and at the TPP (lfi-api 3.9.1): lower case there but for the amount of an instruction and the
 * billing. What no row names is dropped.
 */
import { amount } from './common.ts'
import { casing, listOf, type Members, object, same } from './shape.ts'

const rate = object(casing('unitCurrency', 'exchangeRate', 'rateType', 'contractIdentification', 'expirationDateTime'))
const currencyRequest = object({
  ...casing('instructionPriority', 'extendedPurpose', 'chargeBearer', 'currencyOfTransfer', 'destinationCountryCode'),
  exchangeRateInformation: ['ExchangeRateInformation', rate],
  ...casing('fxQuoteId'),
})
const charge = object({ ...casing('chargeBearer', 'type'), amount: ['Amount', amount] })

/** Members of both kinds of payment. */
const COMMON: Members = {
  id: 'PaymentId',
  ...casing('consentId', 'status', 'statusUpdateDateTime'),
  rejectReasonCode: ['RejectReasonCode', listOf(object(casing('code', 'message')))],
  ...casing('creationDateTime'),
  charges: ['Charges', listOf(charge)],
  ...casing('paymentPurposeCode'),
}

export const payment: Members = {
  ...COMMON,
  ...casing('paymentTransactionId'),
  exchangeRate: ['ExchangeRate', rate],
  currencyRequest: ['CurrencyRequest', currencyRequest],
  instruction: ['Instruction', object({ Amount: ['Amount', amount] })],
  ...casing('debtorReference'),
  openFinanceBilling: ['OpenFinanceBilling', object(same('Type', 'MerchantId'))],
}

export const filePayment: Members = {
  ...COMMON,
  openFinanceBilling: ['OpenFinanceBilling', object(same('NumberOfSuccessfulTransactions'))],
}

export const refund: Members = {
  ...casing('consentId'),
  refundAccount: [
    'RefundAccount',
    object({ ...casing('schemeName', 'identification'), name: ['Name', object(same('en', 'ar'))] }),
  ],
}

/** What the TPP asks for goes on in its own spelling; only the quote has another place (lfi-api 9). */
export function orderOf(message: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  const data = message['Data'] as Readonly<Record<string, unknown>>
  const wanted = data['CurrencyRequest'] as Readonly<Record<string, unknown>> | undefined
  if (wanted?.['FxQuoteId'] === undefined) return message
  const { FxQuoteId, ...CurrencyRequest } = wanted
  return { Data: { ...data, CurrencyRequest, FxQuoteId } }
}
