/**
 * The operations of Ozone Connect by name (lfi-api 3.3, 5.2), each in the class that it shares time, connections and
 * trust with: what usually runs on one system of a bank, and so fails together. A word of everybody, because the
 * configuration names them before any room is there.
 */
export const LFI_CLASSES = ['read', 'payment', 'consent-action', 'service'] as const
export type LfiClass = (typeof LFI_CLASSES)[number]

export const LFI_OPERATIONS = {
  findAccounts: 'read',
  findByAccountId: 'read',
  findBalancesByAccountId: 'read',
  findBeneficiariesByAccountId: 'read',
  findCustomerByAccountId: 'read',
  findDirectDebitByAccountId: 'read',
  findProducts: 'read',
  findScheduledPaymentByAccountId: 'read',
  findStandingOrderByAccountId: 'read',
  getStatementsByAccountId: 'read',
  findTransactionsByAccountId: 'read',
  findCustomer: 'read',
  makePayment: 'payment',
  getPayment: 'payment',
  reportFile: 'payment',
  createBulkBatchPaymentConsent: 'payment',
  createBulkBatchPaymentInstructionFile: 'payment',
  getRefund: 'payment',
  validateConsent: 'consent-action',
  augmentAccountConsent: 'consent-action',
  consentEvent: 'consent-action',
  findCustomerForCop: 'service',
  ReadAtmData_read: 'service',
  GetProducts: 'service',
  CreateLead: 'service',
  CreateFxQuote_create: 'service',
  FxQuote_read: 'service',
  FxQuote_patch: 'service',
  CreateAccount_create: 'service',
  Account_read: 'service',
} as const satisfies Readonly<Record<string, LfiClass>>
export type LfiOperation = keyof typeof LFI_OPERATIONS

export const isLfiOperation = (name: string): name is LfiOperation => Object.hasOwn(LFI_OPERATIONS, name)
