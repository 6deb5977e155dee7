/**
 * What each account permission opens and means, as data (tpp-api 4.6, lfi-api 3.6). Operations have their published
 * operationIds. Read by PAR (which permissions go together), by the gateway (which operations a consent opens, which
 * members it withholds) and by whoever shows a consent to a person.
 */

type Row = {
  readonly opens: readonly string[]
  /** Needs ReadAccountsBasic or ReadAccountsDetail beside it (tpp-api 2.6). */
  readonly withAccounts: boolean
  /** To a person who is asked for it. */
  readonly means: string
}

const ACCOUNTS = ['GetAccounts', 'GetAccountsAccountId']
const BENEFICIARIES = ['GetAccountsAccountIdBeneficiaries']
const SCHEDULED_PAYMENTS = ['GetScheduledPayments']
const STANDING_ORDERS = ['GetAccountsAccountIdStandingOrders']
const TRANSACTIONS = ['GetAccountsAccountIdTransactions']
const PARTIES = ['PartiesByAccountId_read', 'Parties_read']

/** The 21 codes that a TPP may ask for. */
export const PERMISSIONS = {
  ReadAccountsBasic: {
    opens: ACCOUNTS,
    withAccounts: false,
    means: 'Your account numbers, their type, currency and nickname, and the name of the holder',
  },
  ReadAccountsDetail: {
    opens: ACCOUNTS,
    withAccounts: false,
    means: 'Your account numbers and all details of the accounts, with description, opening and maturity date',
  },
  ReadBalances: {
    opens: ['GetAccountsAccountIdBalances'],
    withAccounts: true,
    means: 'How much is in your accounts',
  },
  ReadBeneficiariesBasic: {
    opens: BENEFICIARIES,
    withAccounts: true,
    means: 'The payees you have saved: account, name, bank and reference',
  },
  ReadBeneficiariesDetail: {
    opens: BENEFICIARIES,
    withAccounts: true,
    means: 'The payees you have saved, with the addresses of their banks',
  },
  ReadTransactionsBasic: {
    opens: TRANSACTIONS,
    withAccounts: true,
    means: 'Your transactions: date, amount, type, description, status and reference',
  },
  ReadTransactionsDetail: {
    opens: TRANSACTIONS,
    withAccounts: true,
    means: 'Your transactions with all details: merchants, payers and payees, cards, bills and places',
  },
  ReadFXTransactionsBasic: {
    opens: TRANSACTIONS,
    withAccounts: false,
    means: 'Your transactions in foreign currency: date, amount, type, description, status and reference',
  },
  ReadFXTransactionsDetail: {
    opens: TRANSACTIONS,
    withAccounts: false,
    means: 'Your transactions in foreign currency with all details, among them the exchange rate',
  },
  ReadFXRemittanceCharges: {
    opens: [],
    withAccounts: false,
    means: 'What you paid for transfers in foreign currency',
  },
  ReadProduct: {
    opens: ['GetAccountsAccountIdProduct'],
    withAccounts: true,
    means: 'The product behind your account: charges, deposit rates, rewards and conditions',
  },
  ReadProductFinanceRates: {
    opens: [],
    withAccounts: true,
    means: 'The rates that you pay for financing',
  },
  ReadScheduledPaymentsBasic: {
    opens: SCHEDULED_PAYMENTS,
    withAccounts: true,
    means: 'Your scheduled payments: name, amount, date and type',
  },
  ReadScheduledPaymentsDetail: {
    opens: SCHEDULED_PAYMENTS,
    withAccounts: true,
    means: 'Your scheduled payments, with the accounts they go to and their references',
  },
  ReadDirectDebits: {
    opens: ['GetAccountsAccountIdDirectDebits'],
    withAccounts: true,
    means: 'Your direct debits',
  },
  ReadStandingOrdersBasic: {
    opens: STANDING_ORDERS,
    withAccounts: true,
    means: 'Your standing orders',
  },
  ReadStandingOrdersDetail: {
    opens: STANDING_ORDERS,
    withAccounts: true,
    means: 'Your standing orders, with the accounts they go to',
  },
  ReadStatements: {
    opens: ['GetAccountAccountIdStatements'],
    withAccounts: true,
    means: 'Your account statements',
  },
  ReadParty: {
    opens: PARTIES,
    withAccounts: false,
    means: 'The legal or registered name of the account holder',
  },
  ReadPartyUser: {
    opens: PARTIES,
    withAccounts: false,
    means: 'Your name, date of birth, contact details and address',
  },
  ReadPartyUserIdentity: {
    opens: PARTIES,
    withAccounts: false,
    means: 'Your name, contact details and address, with Emirates ID, nationality and employer',
  },
} as const satisfies Record<string, Row>

export type AccountPermission = keyof typeof PERMISSIONS

const ROWS: ReadonlyMap<string, Row> = new Map(Object.entries(PERMISSIONS))
const OPENED: ReadonlyMap<string, ReadonlySet<string>> = (() => {
  const opened = new Map<string, Set<string>>()
  for (const [code, { opens }] of ROWS) {
    for (const operationId of opens) opened.set(operationId, (opened.get(operationId) ?? new Set()).add(code))
  }
  return opened
})()

export const isAccountPermission = (code: string): code is AccountPermission => ROWS.has(code)

/** The permissions of which one is enough; empty for an operation that none opens. */
export const opening = (operationId: string): ReadonlySet<string> => OPENED.get(operationId) ?? new Set()

export function opens(permissions: readonly string[], operationId: string): boolean {
  const enough = opening(operationId)
  return permissions.some((code) => enough.has(code))
}

/** Which permission lacks what it needs, in words; null when the set is complete. Unknown codes need nothing. */
export function missingDependency(permissions: readonly string[]): string | null {
  if (permissions.includes('ReadAccountsBasic') || permissions.includes('ReadAccountsDetail')) return null
  const dependent = permissions.find((code) => ROWS.get(code)?.withAccounts === true)
  return dependent === undefined ? null : `${dependent} needs ReadAccountsBasic or ReadAccountsDetail beside it`
}

/** The LFI is asked for foreign-exchange transactions alone (o3-fx-transactions, lfi-api 3.6). */
export function onlyForeignExchange(permissions: readonly string[]): boolean {
  const has = (code: AccountPermission) => permissions.includes(code)
  return (
    (has('ReadFXTransactionsBasic') || has('ReadFXTransactionsDetail')) &&
    !has('ReadTransactionsBasic') &&
    !has('ReadTransactionsDetail')
  )
}

export type Withholding = {
  readonly operations: readonly string[]
  /** Members of one item of the answer, as paths of names. */
  readonly members: readonly (readonly string[])[]
  /** One of these gives the members back. */
  readonly unless: readonly AccountPermission[]
  /** `level` rows part Basic from Detail, which a tenant may leave to its LFI; a `permission` row always holds. */
  readonly kind: 'level' | 'permission'
}

const members = (...names: readonly string[]) => names.map((name) => name.split('.'))

/** lfi-api 3.6: no published document says which members belong to Detail; this follows what users are told. */
export const WITHHOLDINGS: readonly Withholding[] = [
  {
    operations: ACCOUNTS,
    members: members('Description', 'OpeningDate', 'MaturityDate'),
    unless: ['ReadAccountsDetail'],
    kind: 'level',
  },
  {
    operations: BENEFICIARIES,
    members: members('CreditorAgent.PostalAddress'),
    unless: ['ReadBeneficiariesDetail'],
    kind: 'level',
  },
  {
    operations: SCHEDULED_PAYMENTS,
    members: members('CreditorAccount', 'CreditorAgent', 'CreditorReference', 'DebtorReference'),
    unless: ['ReadScheduledPaymentsDetail'],
    kind: 'level',
  },
  {
    operations: TRANSACTIONS,
    members: members(
      'MerchantDetails',
      'CreditorAgent',
      'CreditorAccount',
      'DebtorAgent',
      'DebtorAccount',
      'CardInstrument',
      'BillDetails',
      'GeoLocation',
    ),
    unless: ['ReadTransactionsDetail'],
    kind: 'level',
  },
  {
    operations: TRANSACTIONS,
    members: members('CurrencyExchange'),
    unless: ['ReadTransactionsDetail', 'ReadFXTransactionsDetail'],
    kind: 'level',
  },
  {
    operations: ['GetAccountsAccountIdProduct'],
    members: members('FinanceRates'),
    unless: ['ReadProductFinanceRates'],
    kind: 'permission',
  },
]

/** What of each item this consent does not open; `level` rows only where the tenant filters by level. */
export function withheld(
  operationId: string,
  permissions: readonly string[],
  filter: 'basic-detail' | 'off',
): readonly (readonly string[])[] {
  // Where every transaction is a foreign-exchange one, the detail permission for those speaks of all of them.
  const granted =
    onlyForeignExchange(permissions) && permissions.includes('ReadFXTransactionsDetail')
      ? [...permissions, 'ReadTransactionsDetail']
      : permissions
  return WITHHOLDINGS.filter(
    ({ kind, operations, unless }) =>
      (kind === 'permission' || filter === 'basic-detail') &&
      operations.includes(operationId) &&
      !unless.some((code) => granted.includes(code)),
  ).flatMap((row) => row.members)
}
