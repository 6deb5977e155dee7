/** Beneficiaries, direct debits, scheduled payments and standing orders: mostly a matter of case. */
import { agent, amount, payeeAccounts, servicer } from './common.ts'
import { casing, type Members } from './shape.ts'

export const beneficiary: Members = {
  ...casing('beneficiaryId', 'beneficiaryType', 'addedViaOF', 'accountHolderName', 'accountHolderShortName'),
  ...casing('reference', 'supplementaryData'),
  servicer: ['CreditorAgent', agent],
  creditorAccount: ['CreditorAccount', payeeAccounts],
}

export const directDebit: Members = {
  ...casing('directDebitId', 'mandateIdentification', 'directDebitStatusCode', 'name', 'frequency'),
  ...casing('previousPaymentDateTime'),
  previousPaymentAmount: ['PreviousPaymentAmount', amount],
}

export const scheduledPayment: Members = {
  ...casing('scheduledPaymentId', 'accountHolderName', 'accountHolderShortName', 'scheduledType'),
  ...casing('scheduledPaymentDateTime', 'creditorReference', 'debtorReference'),
  instructedAmount: ['InstructedAmount', amount],
  creditorAgent: ['CreditorAgent', servicer],
  creditorAccount: ['CreditorAccount', payeeAccounts],
}

export const standingOrder: Members = {
  ...casing('standingOrderId', 'accountHolderName', 'accountHolderShortName', 'standingOrderType', 'frequency'),
  ...casing('creditorReference', 'purpose', 'firstPaymentDateTime', 'nextPaymentDateTime', 'lastPaymentDateTime'),
  ...casing('finalPaymentDateTime', 'numberOfPayments', 'standingOrderStatusCode'),
  firstPaymentAmount: ['FirstPaymentAmount', amount],
  nextPaymentAmount: ['NextPaymentAmount', amount],
  lastPaymentAmount: ['LastPaymentAmount', amount],
  finalPaymentAmount: ['FinalPaymentAmount', amount],
  creditorAgent: ['CreditorAgent', servicer],
  creditorAccount: ['CreditorAccount', payeeAccounts],
  ...casing('supplementaryData'),
}
