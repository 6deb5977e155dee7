/** What a probe asks: a row per operation of Ozone Connect. */
import type { ServiceHeader } from '../lfi/index.ts'
import { isLfiOperation, type LfiOperation } from '../lfi-operations.ts'
import type { DocumentId, SchemaRegistry } from '../schema-registry.ts'
import type { ProbeTarget } from './report.ts'

export type ProbeCall = {
  readonly document: DocumentId
  readonly operationId: LfiOperation
  readonly method: 'GET' | 'POST' | 'PATCH'
  /** As documented. */
  readonly path: string
  /** Path and query as asked. */
  readonly target: string
  /** What the TPP would have called. */
  readonly apiUri: string
  /** Under a consent, or for a client with these headers beside the usual ones. */
  readonly sends: 'consent' | readonly ServiceHeader[]
  /** Where it is not the probe's own. */
  readonly consentId?: string
  readonly body?: unknown
  /** Instead of a body in JSON. */
  readonly file?: Buffer
  /** The answer is whatever the bank keeps its files in. */
  readonly isFile?: true
  /** Status of success. */
  readonly expects: readonly number[]
  /** Where records lie that come in pages; null where they do not. */
  readonly paged: 'data' | 'data.Statements' | 'data[0].Products' | null
  /** The account that everything in the answer is about. */
  readonly accountId: string | null
}

const PAGE = 'page=1&page-size=100'
/** Of no bank: the digits are right. */
const NOBODYS_IBAN = 'AE070331234567890123456'

/** Every read of account information, for the first account. */
export function readCalls(registry: SchemaRegistry, { accountIds }: ProbeTarget): readonly ProbeCall[] {
  const [accountId] = accountIds
  return registry
    .operations('data-sharing')
    .filter(({ method, path }) => method === 'GET' && (accountId !== undefined || path === '/customer'))
    .map(({ operationId, path }): ProbeCall => {
      if (!isLfiOperation(operationId)) throw new Error(`the operation ${operationId} has no class`)
      const isPaged = path !== '/customer' && path !== '/accounts/{accountId}'
      const query = [
        ...(path === '/accounts' ? [`accountIds=${accountIds.map(encodeURIComponent).join(',')}`] : []),
        ...(isPaged ? [PAGE] : []),
      ].join('&')
      const at = path.replace('{accountId}', encodeURIComponent(accountId ?? ''))
      return {
        document: 'data-sharing',
        operationId,
        method: 'GET',
        path,
        target: query === '' ? at : `${at}?${query}`,
        apiUri: `/open-finance/account-information/v2.1${path.replace('{accountId}', '{AccountId}')}`,
        sends: 'consent',
        expects: [200],
        paged: !isPaged ? null : path.endsWith('/statements') ? 'data.Statements' : 'data',
        accountId: path.includes('{accountId}') && !path.endsWith('/customer') ? (accountId ?? null) : null,
      }
    })
}

const CALL = { method: 'GET', sends: [], expects: [200], paged: null, accountId: null } as const

export function openCalls({ iban }: ProbeTarget): readonly ProbeCall[] {
  const account = {
    schemeName: 'IBAN',
    identification: iban ?? NOBODYS_IBAN,
    name: { fullName: 'Nobody In Particular' },
  }
  return [
    {
      ...CALL,
      document: 'data-sharing',
      operationId: 'findCustomerForCop',
      method: 'POST',
      path: '/customers/action/cop-query',
      target: `/customers/action/cop-query?${PAGE}`,
      apiUri: '/open-finance/confirmation-of-payee/v2.1/confirmation',
      sends: ['o3-aspsp-id'],
      body: { data: { account } },
      paged: 'data',
    },
    {
      ...CALL,
      document: 'open-data',
      operationId: 'ReadAtmData_read',
      path: '/atm',
      target: '/atm',
      apiUri: '/open-finance/atm/v2.1/atms',
    },
    {
      ...CALL,
      document: 'products-data',
      operationId: 'GetProducts',
      path: '/products',
      target: `/products?${PAGE}`,
      apiUri: '/open-finance/product/v2.1/products',
      sends: ['x-fapi-customer-ip-address'],
      paged: 'data[0].Products',
    },
  ]
}

/** These leave something behind at the bank. */
export const WRITES: readonly ProbeCall[] = [
  {
    ...CALL,
    document: 'products-data',
    operationId: 'CreateLead',
    method: 'POST',
    path: '/leads',
    target: '/leads',
    apiUri: '/open-finance/product/v2.1/leads',
    sends: ['x-fapi-customer-ip-address'],
    expects: [201],
    body: {
      data: {
        Email: 'probe@falaj.example',
        Name: { FullName: 'Falaj Probe' },
        EmiratesId: '784-0000-0000000-0',
        MarketingOptOut: true,
        ProductCategories: ['SavingsAccount'],
      },
    },
  },
  {
    ...CALL,
    document: 'fx-and-account-opening',
    operationId: 'CreateFxQuote_create',
    method: 'POST',
    path: '/fx-quotes',
    target: '/fx-quotes',
    apiUri: '/open-finance/fx/v2.1/fx-quotes',
    expects: [201, 204],
    body: {
      data: {
        QuoteReference: 'falaj-probe',
        TransactionType: 'Spot',
        UnitCurrency: 'USD',
        QuotedCurrency: 'AED',
        TradeAmount: { Amount: '10.00', Currency: 'USD' },
      },
    },
  },
  {
    ...CALL,
    document: 'fx-and-account-opening',
    operationId: 'CreateAccount_create',
    method: 'POST',
    path: '/accounts',
    target: '/accounts',
    apiUri: '/open-finance/account-opening/v2.1/accounts',
    body: {
      data: {
        Account: { Name: 'Falaj Probe' },
        Party: {
          Claims: {
            IdentityType: 'Person',
            FullName: 'Falaj Probe',
            GivenName: 'Falaj',
            Surname: 'Probe',
            EmiratesId: '784-0000-0000000-0',
            EmiratesIdExpiryDate: '2099-01-01',
            ResidentialAddress: { AddressType: 'Residential', AddressLine: ['Nowhere'], Country: 'AE' },
          },
        },
      },
    },
  },
]

/** What a write has begun, looked at. */
export const quoteCall = (id: string): ProbeCall => ({
  ...CALL,
  document: 'fx-and-account-opening',
  operationId: 'FxQuote_read',
  path: '/fx-quotes/{FxQuoteId}',
  target: `/fx-quotes/${encodeURIComponent(id)}`,
  apiUri: '/open-finance/fx/v2.1/fx-quotes/{FxQuoteId}',
})

export const openingCall = (id: string): ProbeCall => ({
  ...CALL,
  document: 'fx-and-account-opening',
  operationId: 'Account_read',
  path: '/accounts/{AccountId}/status',
  target: `/accounts/${encodeURIComponent(id)}/status`,
  apiUri: '/open-finance/account-opening/v2.1/accounts/{AccountId}/status',
})

/** The quote is taken: from here on the bank has a deal. */
export const acceptanceCall = (id: string, quote: Readonly<Record<string, unknown>>): ProbeCall => ({
  ...CALL,
  document: 'fx-and-account-opening',
  operationId: 'FxQuote_patch',
  method: 'PATCH',
  path: '/fx-quotes/{FxQuoteId}',
  target: `/fx-quotes/${encodeURIComponent(id)}`,
  apiUri: '/open-finance/fx/v2.1/fx-quotes/{FxQuoteId}',
  body: {
    data: {
      QuoteReference: quote['QuoteReference'],
      QuoteStatus: 'Accepted',
      Trade: { SellAmount: quote['SellAmount'], BuyAmount: quote['BuyAmount'] },
      Commission: quote['Commission'],
    },
  },
  expects: [204],
})
