import { account, accounts, agent, amount, component, decimalText, integerText } from './common.ts'
import { casing, convert, type Members, object, same } from './shape.ts'

/** The LFI may still send a date-time here, which the TPP's form does not know. */
const zone = convert((value) => (typeof value === 'string' && value.startsWith('UTC') ? value : undefined))
/** The LFI has a list, the TPP one text. */
const first = convert((value) => (Array.isArray(value) ? (value[0] ?? undefined) : value))

const exchange = object({
  ...casing('sourceCurrency', 'targetCurrency', 'unitCurrency'),
  exchangeRate: ['ExchangeRate', decimalText],
  ...casing('contractIdentification', 'quotationDate'),
  instructedAmount: ['InstructedAmount', amount],
})
const merchant = object({ merchantId: ['MerchantId', integerText], ...casing('merchantName', 'merchantCategoryCode') })
const balance = object({ ...casing('creditDebitIndicator'), balanceType: 'Type', amount: ['Amount', amount] })
const bill = object({ BillerID: ['BillerId', decimalText], ...same('BillNumber', 'BillPaymentType') })
const bankCode = object(casing('domain', 'domainCode', 'family', 'familyCode', 'subFamily', 'subFamilyCode'))

export const transaction: Members = {
  ...casing('transactionId', 'transactionDateTime'),
  localTimeZone: ['LocalTimeZone', zone],
  statementReference: ['StatementReference', first],
  ...casing('transactionReference', 'transactionType', 'subTransactionType'),
  terminalId: ['TerminalId', integerText],
  ...casing('flags', 'paymentModes', 'creditDebitIndicator', 'status', 'transactionMutability'),
  ...casing('bookingDateTime', 'valueDateTime', 'transactionInformation'),
  amount: ['Amount', amount],
  chargeAmount: ['ChargeAmount', object(casing('amount', 'currency', 'chargeIncluded'))],
  chargeAmountVat: ['ChargeAmountVat', amount],
  currencyExchange: ['CurrencyExchange', exchange],
  bankTransactionCode: ['BankTransactionCode', bankCode],
  proprietaryBankTransactionCode: ['ProprietaryBankTransactionCode', object(casing('code', 'issuer'))],
  balance: ['Balance', balance],
  merchantDetails: ['MerchantDetails', merchant],
  creditorAgent: ['CreditorAgent', agent],
  creditorAccount: ['CreditorAccount', accounts],
  debtorAgent: ['DebtorAgent', agent],
  debtorAccount: ['DebtorAccount', account],
  cardInstrument: ['CardInstrument', object(casing('cardSchemeName', 'instrumentType', 'name', 'identification'))],
  ...casing('supplementaryData'),
  billDetails: ['BillDetails', bill],
  geoLocation: ['GeoLocation', object(casing('latitude', 'longitude'))],
  ...casing('paymentPurposeCode', 'isPrimaryInstrument'),
  allocations: ['Allocations', component],
}
