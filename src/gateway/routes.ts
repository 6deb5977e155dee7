/**
 * One row per operation, sorted by path, no logic. Which permissions open an operation: src/permissions.ts.
 * Other families add their rows here, with the document that describes them.
 */
import type { ServiceHeader } from '../lfi/index.ts'
import type { LfiOperation } from '../lfi-operations.ts'
import type { PaymentType, RequestKind } from '../resource-log/index.ts'
import type { DocumentId } from '../schema-registry.ts'
import type { PeriodKind } from './period.ts'
import type { ResourceName } from './transform/resources.ts'
import type { ServiceName } from './transform/services.ts'

type Common = {
  readonly document: DocumentId
  /** The document of the first version, on rows of a further one (versions.ts). */
  readonly family?: DocumentId
  readonly operationId: string
  readonly method: 'GET' | 'PATCH' | 'POST'
  /** Below the base path of the document. */
  readonly path: string
  /** Full paths under which the operation is served as well. */
  readonly alsoAt?: readonly string[]
  /** Whether bodies of answers and errors may be asked for as signed messages. */
  readonly signable: boolean
  /** They are never anything else (tpp-api 5.4, 5.7). */
  readonly signedOnly?: true
  /** The audience of signed messages is one text, not a list (tpp-api 5.1). */
  readonly audience?: 'text'
}
/** Answered from the LFI, for a user. */
export type ReadRoute = Common & {
  readonly follows: 'read-resource'
  readonly method: 'GET'
  readonly grant: 'user'
  readonly scope: string
  readonly rarType: string
  /** Another type whose consents open it too, where they hold the permission. */
  readonly alsoUnder?: string
  readonly resource: ResourceName
  readonly lfi: {
    readonly operationId: LfiOperation
    readonly path: string
    /** Sends the accounts of the consent; otherwise the account is in the path, if there is one. */
    readonly accountIds: boolean
    readonly paged: boolean
    readonly period: PeriodKind | null
    /** Tells the LFI when only foreign-exchange transactions are open (lfi-api 3.6). */
    readonly fxOnly: boolean
  }
}
type OfClient = Common & {
  readonly grant: 'client'
  readonly scope: string
  readonly rarType: string
  /** What an absent consent and another client's are answered with: 404 where it is declared (tpp-api 10, row 23). */
  readonly absent: 'Consent.Invalid' | 'NotFound'
}
/** Answered from the consent store, for a client. */
export type ConsentRoute = OfClient & { readonly follows: 'show-consent' | 'change-consent' }
/** The consents of one chain. */
export type ConsentListRoute = OfClient & {
  readonly follows: 'list-consents'
  readonly base: 'baseConsentId' | 'BaseConsentId'
  /** A list of consents, or one envelope around the list of what they say. */
  readonly list: 'consents' | 'envelope'
}
/** Answered from the LFI, for a client, without a consent. */
export type ServiceRoute = Common & {
  readonly follows: 'ask-service' | 'confirm-payee' | 'begin-request' | 'show-request' | 'move-request'
  readonly grant: 'client'
  readonly scope: string
  readonly service: ServiceName
  /** Status of success towards the TPP. */
  readonly answers: 200 | 201 | 204
  readonly lfi: {
    readonly document: DocumentId
    readonly operationId: LfiOperation
    readonly path: string
    /** Status whose body is the answer. */
    readonly answers: number
    readonly paged: boolean
    /** Query parameters of the TPP go on as they are; the document says which there are. */
    readonly query: boolean
    /** Headers beside those of every call (lfi-api 3.2). */
    readonly sends: readonly ServiceHeader[]
  }
  /** What the resource log keeps of it; null where that is nothing. */
  readonly kind: RequestKind | null
}
/** Answered by the hub, for a client. */
export type HubRoute = Common & {
  readonly follows: 'discover-payee' | 'change-subscription'
  readonly grant: 'client'
  readonly scope: string
  readonly kind: RequestKind | null
}
/** Answered from the audit log, for a client. */
export type ReceiptRoute = Common & {
  readonly follows: 'show-receipts'
  readonly grant: 'client'
  readonly scope: string
}
/** Makes a payment at the LFI, for a user. */
export type PayRoute = Common & {
  readonly follows: 'make-payment'
  readonly method: 'POST'
  readonly grant: 'user'
  readonly scope: string
  readonly rarType: string
  readonly paymentType: PaymentType
}
/** About payments that were made, for a client. */
export type PaidRoute = Common & {
  readonly follows: 'find-payment' | 'show-payment' | 'show-report'
  readonly method: 'GET'
  readonly grant: 'client'
  readonly scope: string
  readonly rarType: string
  readonly paymentType: PaymentType
}
/** Asks the LFI about a consent, or hands over what belongs to it. */
export type PaymentConsentRoute = OfClient & { readonly follows: 'show-refund' | 'hand-over-file' }
export type RegistrationRoute = Common & { readonly follows: 'register'; readonly grant: 'none' }
/** Answered from the audit log and what follows from it, for a client about itself. */
export type ReportRoute = Common & {
  readonly follows: 'tpp-reports' | 'explain-refusal' | 'list-outages'
  readonly grant: 'client'
  readonly scope: 'tpp-reports'
}
export type Route =
  | ReadRoute
  | ConsentListRoute
  | ConsentRoute
  | ServiceRoute
  | HubRoute
  | ReceiptRoute
  | PayRoute
  | PaidRoute
  | PaymentConsentRoute
  | RegistrationRoute
  | ReportRoute

/** Two documents may use the same name for an operation. */
export const keyOf = (route: Route): string => `${route.document} ${route.operationId}`

export const isService = (route: Route): route is ServiceRoute => 'service' in route

const ACCOUNTS = {
  document: 'account-information',
  signable: true,
  scope: 'accounts',
  rarType: 'urn:openfinanceuae:account-access-consent:v2.1',
} as const
const CONSENT = { ...ACCOUNTS, grant: 'client', absent: 'Consent.Invalid' } as const
const INSURANCE_CONSENT = {
  document: 'insurance-consents',
  signable: true,
  grant: 'client',
  scope: 'insurance',
  rarType: 'urn:openfinanceuae:insurance-consent:v2.1',
  absent: 'NotFound',
} as const
const PAYMENT_CONSENT = {
  document: 'payment-consents',
  signable: true,
  signedOnly: true,
  grant: 'client',
  scope: 'payments',
  rarType: 'urn:openfinanceuae:service-initiation-consent:v2.1',
} as const
const READ = { ...ACCOUNTS, grant: 'user', follows: 'read-resource', method: 'GET' } as const
const PAYMENTS = {
  document: 'bank-initiation',
  signable: true,
  signedOnly: true,
  scope: 'payments',
  rarType: 'urn:openfinanceuae:service-initiation-consent:v2.1',
} as const
const PAY = { ...PAYMENTS, grant: 'user', follows: 'make-payment', method: 'POST' } as const
const PAID = { ...PAYMENTS, grant: 'client', method: 'GET' } as const
const ONE = { paymentType: 'cbuae-payment' } as const
const FILE = { paymentType: 'cbuae-file-payment' } as const
const REPORT = {
  document: 'tpp-reports',
  method: 'GET',
  signable: false,
  grant: 'client',
  scope: 'tpp-reports',
} as const
/** Most reads: one account, in pages. */
const PAGED = { accountIds: false, paged: true, period: null, fxOnly: false } as const

const CLIENT = { grant: 'client', kind: null, signable: true } as const
const PAYEE = {
  ...CLIENT,
  document: 'confirmation-of-payee',
  scope: 'confirmation-of-payee',
  method: 'POST',
  signedOnly: true,
  audience: 'text',
} as const
const ATMS = { ...CLIENT, document: 'atm', scope: 'atm', signable: false } as const
const PRODUCTS = { ...CLIENT, document: 'product', scope: 'products', signable: false } as const
const QUOTES = { ...CLIENT, document: 'fx', scope: 'fx', kind: 'fx-quote' } as const
const OPENINGS = { ...CLIENT, document: 'account-opening', scope: 'account-opening', kind: 'account-opening' } as const
/** Calls that need nothing beside their body. */
const PLAIN = { document: 'fx-and-account-opening', answers: 200, paged: false, query: false, sends: [] } as const
const FOR_PRODUCTS = { ...PLAIN, document: 'products-data', sends: ['x-fapi-customer-ip-address'] } as const

// biome-ignore format: a table reads by its columns
export const ROUTES: readonly Route[] = [
  { ...CONSENT, operationId: 'GetAccountAccessConsentsByBaseConsentId', method: 'GET', path: '/account-access-consents', follows: 'list-consents', base: 'baseConsentId', list: 'consents' },
  { ...CONSENT, operationId: 'GetAccountAccessConsentsConsentId', method: 'GET', path: '/account-access-consents/{ConsentId}', follows: 'show-consent' },
  { ...CONSENT, operationId: 'PatchAccountAccessConsentsConsentId', method: 'PATCH', path: '/account-access-consents/{ConsentId}', follows: 'change-consent' },
  { ...READ, operationId: 'GetAccounts', path: '/accounts', resource: 'accounts', alsoUnder: PAYMENT_CONSENT.rarType,
    lfi: { ...PAGED, operationId: 'findAccounts', path: '/accounts', accountIds: true } },
  { ...READ, operationId: 'GetAccountsAccountId', path: '/accounts/{AccountId}', resource: 'account', alsoUnder: PAYMENT_CONSENT.rarType,
    lfi: { ...PAGED, operationId: 'findByAccountId', path: '/accounts/{accountId}', paged: false } },
  { ...READ, operationId: 'GetAccountsAccountIdBalances', path: '/accounts/{AccountId}/balances', resource: 'balances', alsoUnder: PAYMENT_CONSENT.rarType,
    lfi: { ...PAGED, operationId: 'findBalancesByAccountId', path: '/accounts/{accountId}/balances' } },
  { ...READ, operationId: 'GetAccountsAccountIdBeneficiaries', path: '/accounts/{AccountId}/beneficiaries', resource: 'beneficiaries',
    lfi: { ...PAGED, operationId: 'findBeneficiariesByAccountId', path: '/accounts/{accountId}/beneficiaries' } },
  { ...READ, operationId: 'GetAccountsAccountIdDirectDebits', path: '/accounts/{AccountId}/direct-debits', resource: 'directDebits',
    lfi: { ...PAGED, operationId: 'findDirectDebitByAccountId', path: '/accounts/{accountId}/direct-debits' } },
  { ...READ, operationId: 'PartiesByAccountId_read', path: '/accounts/{AccountId}/parties', resource: 'accountParties',
    lfi: { ...PAGED, operationId: 'findCustomerByAccountId', path: '/accounts/{accountId}/customer' } },
  { ...READ, operationId: 'GetAccountsAccountIdProduct', path: '/accounts/{AccountId}/product', resource: 'products',
    lfi: { ...PAGED, operationId: 'findProducts', path: '/accounts/{accountId}/products' } },
  { ...READ, operationId: 'GetScheduledPayments', path: '/accounts/{AccountId}/scheduled-payments', resource: 'scheduledPayments',
    lfi: { ...PAGED, operationId: 'findScheduledPaymentByAccountId', path: '/accounts/{accountId}/scheduled-payments' } },
  { ...READ, operationId: 'GetAccountsAccountIdStandingOrders', path: '/accounts/{AccountId}/standing-orders', resource: 'standingOrders',
    lfi: { ...PAGED, operationId: 'findStandingOrderByAccountId', path: '/accounts/{accountId}/standing-orders' } },
  { ...READ, operationId: 'GetAccountAccountIdStatements', path: '/accounts/{AccountId}/statements', resource: 'statements',
    lfi: { ...PAGED, operationId: 'getStatementsByAccountId', path: '/accounts/{accountId}/statements', period: 'statement' } },
  { ...READ, operationId: 'GetAccountsAccountIdTransactions', path: '/accounts/{AccountId}/transactions', resource: 'transactions',
    lfi: { ...PAGED, operationId: 'findTransactionsByAccountId', path: '/accounts/{accountId}/transactions', period: 'booking', fxOnly: true } },
  { ...INSURANCE_CONSENT, operationId: 'InsuranceConsents_list', method: 'GET', path: '/insurance-consents', follows: 'list-consents', base: 'BaseConsentId', list: 'envelope' },
  { ...INSURANCE_CONSENT, operationId: 'InsuranceConsentsByConsentId_read', method: 'GET', path: '/insurance-consents/{ConsentId}', follows: 'show-consent' },
  { ...INSURANCE_CONSENT, operationId: 'InsuranceConsentsByConsentId_unsignedRequestBodyUpdate_InsuranceConsentsByConsentId_signedRequestBodyUpdate',
    method: 'PATCH', path: '/insurance-consents/{ConsentId}', follows: 'change-consent' },
  { ...READ, operationId: 'Parties_read', path: '/parties', resource: 'parties',
    lfi: { ...PAGED, operationId: 'findCustomer', path: '/customer', paged: false } },
  { ...OPENINGS, operationId: 'CreateAccount_signedRequest', method: 'POST', path: '/accounts', follows: 'begin-request', signedOnly: true,
    service: 'new-account', answers: 201, lfi: { ...PLAIN, operationId: 'CreateAccount_create', path: '/accounts' } },
  { ...OPENINGS, operationId: 'Account_read', method: 'GET', path: '/accounts/{AccountId}/status', follows: 'show-request',
    service: 'account-status', answers: 200, lfi: { ...PLAIN, operationId: 'Account_read', path: '/accounts/{AccountId}/status' } },
  { ...OPENINGS, operationId: 'UpdateWebhookSubscription_update', method: 'PATCH', path: '/accounts/{AccountId}/subscription', follows: 'change-subscription' },
  { ...ATMS, operationId: 'getAtms', method: 'GET', path: '/atms', follows: 'ask-service',
    service: 'atms', answers: 200, lfi: { ...PLAIN, document: 'open-data', operationId: 'ReadAtmData_read', path: '/atm' } },
  { ...PAYEE, operationId: 'ConfirmationOfPayeeConfirmation_signedConfirmationRequest', path: '/confirmation', follows: 'confirm-payee',
    service: 'payee-query', answers: 200,
    lfi: { ...PLAIN, document: 'data-sharing', operationId: 'findCustomerForCop', path: '/customers/action/cop-query', paged: true, sends: ['o3-aspsp-id'] } },
  { ...PAYEE, operationId: 'ConfirmationOfPayeeDiscovery_signedDiscoveryRequest', path: '/discovery', follows: 'discover-payee' },
  { ...QUOTES, operationId: 'CreateFxQuote_unsignedRequest_CreateFxQuote_signedRequest', method: 'POST', path: '/fx-quotes', follows: 'begin-request',
    service: 'new-quote', answers: 201, lfi: { ...PLAIN, operationId: 'CreateFxQuote_create', path: '/fx-quotes', answers: 201 } },
  { ...QUOTES, operationId: 'FxQuote_read', method: 'GET', path: '/fx-quotes/{FxQuoteId}', follows: 'show-request',
    service: 'quote', answers: 200, lfi: { ...PLAIN, operationId: 'FxQuote_read', path: '/fx-quotes/{FxQuoteId}' } },
  { ...QUOTES, operationId: 'FxQuote_signedRequest', method: 'PATCH', path: '/fx-quotes/{FxQuoteId}', follows: 'move-request',
    service: 'quote-acceptance', answers: 204, lfi: { ...PLAIN, operationId: 'FxQuote_patch', path: '/fx-quotes/{FxQuoteId}', answers: 204 } },
  { ...QUOTES, operationId: 'UpdateWebhookSubscription_update', method: 'PATCH', path: '/fx-quotes/{FxQuoteId}/subscription', follows: 'change-subscription' },
  { ...PRODUCTS, operationId: 'CreateLead', method: 'POST', path: '/leads', follows: 'ask-service',
    service: 'lead', answers: 201, lfi: { ...FOR_PRODUCTS, operationId: 'CreateLead', path: '/leads', answers: 201 } },
  { ...PRODUCTS, operationId: 'GetProducts', method: 'GET', path: '/products', follows: 'ask-service',
    service: 'products', answers: 200, lfi: { ...FOR_PRODUCTS, operationId: 'GetProducts', path: '/products', paged: true, query: true } },
  { ...PAY, ...FILE, operationId: 'CreateFilePayment', path: '/file-payments' },
  { ...PAID, ...FILE, operationId: 'QueryFilePaymentResource', path: '/file-payments', follows: 'find-payment' },
  { ...PAID, ...FILE, operationId: 'RetrieveFilePayment', path: '/file-payments/{PaymentId}', follows: 'show-payment' },
  { ...PAID, ...FILE, operationId: 'RetrieveFilePaymentReport', path: '/file-payments/{PaymentId}/report', follows: 'show-report' },
  { ...PAYMENTS, grant: 'client', operationId: 'UploadFilePaymentConsent', method: 'POST', path: '/payment-consents/{ConsentId}/file', follows: 'hand-over-file', absent: 'Consent.Invalid' },
  { ...PAYMENTS, grant: 'client', operationId: 'RetrievePaymentConsentRefund', method: 'GET', path: '/payment-consents/{ConsentId}/refund', follows: 'show-refund', absent: 'NotFound' },
  { ...PAY, ...ONE, operationId: 'CreatePayment', path: '/payments' },
  { ...PAID, ...ONE, operationId: 'QueryPaymentResource', path: '/payments', follows: 'find-payment' },
  { ...PAID, ...ONE, operationId: 'RetrievePayment', path: '/payments/{PaymentId}', follows: 'show-payment' },
  { ...PAYMENT_CONSENT, operationId: 'RetrievePaymentConsentsByBaseConsentId', method: 'GET', path: '/payment-consents', follows: 'list-consents', absent: 'NotFound', base: 'baseConsentId', list: 'consents' },
  { ...PAYMENT_CONSENT, operationId: 'RetrievePaymentConsent', method: 'GET', path: '/payment-consents/{ConsentId}', follows: 'show-consent', absent: 'NotFound' },
  { ...PAYMENT_CONSENT, operationId: 'PatchPaymentConsent', method: 'PATCH', path: '/payment-consents/{ConsentId}', follows: 'change-consent', absent: 'Consent.Invalid' },
  { ...REPORT, operationId: 'TppReports_read', path: '/tpp-reports', alsoAt: ['/tpp-reports'], follows: 'tpp-reports' },
  { ...REPORT, operationId: 'ExplainRefusal', path: '/refusals/{InteractionId}', alsoAt: ['/refusals/{InteractionId}'], follows: 'explain-refusal' },
  { ...REPORT, operationId: 'ListOutages', path: '/outages', alsoAt: ['/outages'], follows: 'list-outages' },
  { document: 'audit-receipts', operationId: 'GetAuditReceipts', method: 'GET', path: '/audit/receipts/{interactionId}',
    signable: false, follows: 'show-receipts', grant: 'client', scope: 'openid' },
  { document: 'onboarding', operationId: 'TppOnboarding_create', method: 'POST', path: '/tpp-registration', alsoAt: ['/tpp-registration'],
    signable: false, follows: 'register', grant: 'none' },
]
