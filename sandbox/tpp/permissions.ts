/** The account-information permissions (tpp-api 4.6), the choices offered to a person, and what each operation needs. */

export const PERMISSIONS = [
  'ReadAccountsBasic',
  'ReadAccountsDetail',
  'ReadBalances',
  'ReadBeneficiariesBasic',
  'ReadBeneficiariesDetail',
  'ReadTransactionsBasic',
  'ReadTransactionsDetail',
  'ReadProduct',
  'ReadProductFinanceRates',
  'ReadScheduledPaymentsBasic',
  'ReadScheduledPaymentsDetail',
  'ReadDirectDebits',
  'ReadStandingOrdersBasic',
  'ReadStandingOrdersDetail',
  'ReadStatements',
  'ReadParty',
  'ReadPartyUser',
  'ReadPartyUserIdentity',
  'ReadFXTransactionsBasic',
  'ReadFXTransactionsDetail',
  'ReadFXRemittanceCharges',
] as const
export type Permission = (typeof PERMISSIONS)[number]

export type Preset = { readonly label: string; readonly about: string; readonly permissions: readonly Permission[] }
export const PRESETS = new Map<string, Preset>([
  [
    'all',
    {
      label: 'The full picture',
      about: 'Accounts, balances, transactions, statements, payments planned, products and your details.',
      permissions: PERMISSIONS,
    },
  ],
  [
    'basic',
    {
      label: 'The basics only',
      about: 'Account names, balances and transactions without merchant details. Nothing else.',
      permissions: ['ReadAccountsBasic', 'ReadBalances', 'ReadTransactionsBasic'],
    },
  ],
])

/** The reads below one account, as tabs: path segment under `/accounts/{AccountId}`, list member of `Data`. */
export type AccountRead = {
  readonly segment: string
  readonly label: string
  readonly member: string
  readonly needs: readonly Permission[]
}
export const ACCOUNT_READS: readonly AccountRead[] = [
  {
    segment: 'transactions',
    label: 'Transactions',
    member: 'Transaction',
    needs: ['ReadTransactionsBasic', 'ReadTransactionsDetail'],
  },
  { segment: 'balances', label: 'Balances', member: 'Balance', needs: ['ReadBalances'] },
  { segment: 'statements', label: 'Statements', member: 'Statements', needs: ['ReadStatements'] },
  {
    segment: 'standing-orders',
    label: 'Standing orders',
    member: 'StandingOrder',
    needs: ['ReadStandingOrdersBasic', 'ReadStandingOrdersDetail'],
  },
  { segment: 'direct-debits', label: 'Direct debits', member: 'DirectDebit', needs: ['ReadDirectDebits'] },
  {
    segment: 'scheduled-payments',
    label: 'Scheduled payments',
    member: 'ScheduledPayment',
    needs: ['ReadScheduledPaymentsBasic', 'ReadScheduledPaymentsDetail'],
  },
  {
    segment: 'beneficiaries',
    label: 'Beneficiaries',
    member: 'Beneficiary',
    needs: ['ReadBeneficiariesBasic', 'ReadBeneficiariesDetail'],
  },
  { segment: 'product', label: 'Product', member: 'Product', needs: ['ReadProduct'] },
  {
    segment: 'parties',
    label: 'Parties',
    member: 'Party',
    needs: ['ReadParty', 'ReadPartyUser', 'ReadPartyUserIdentity'],
  },
]
