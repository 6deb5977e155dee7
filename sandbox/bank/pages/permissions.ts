/** Each permission in words that a customer understands, under the heading where they would look for it. */
type Row = { readonly group: Group; readonly words: string }

export const GROUPS = ['About you', 'Your accounts', 'Your transactions', 'Your payments', 'Your products'] as const
export type Group = (typeof GROUPS)[number]

export const PERMISSIONS: ReadonlyMap<string, Row> = new Map<string, Row>([
  ['ReadParty', { group: 'About you', words: 'The names of everybody who holds the account' }],
  ['ReadPartyUser', { group: 'About you', words: 'Your name, birth date, address and contact details' }],
  ['ReadPartyUserIdentity', { group: 'About you', words: 'Your Emirates ID, nationality and employer' }],
  ['ReadAccountsBasic', { group: 'Your accounts', words: 'Account number, type, currency, nickname and holder' }],
  ['ReadAccountsDetail', { group: 'Your accounts', words: 'Account details with opening date and description' }],
  ['ReadBalances', { group: 'Your accounts', words: 'Your balances and credit lines' }],
  ['ReadStatements', { group: 'Your accounts', words: 'Your monthly statements' }],
  ['ReadTransactionsBasic', { group: 'Your transactions', words: 'Date, amount and description of each transaction' }],
  [
    'ReadTransactionsDetail',
    { group: 'Your transactions', words: 'Each transaction with its shop, payer or payee and the card used' },
  ],
  ['ReadFXTransactionsBasic', { group: 'Your transactions', words: 'Transactions in foreign currency' }],
  [
    'ReadFXTransactionsDetail',
    { group: 'Your transactions', words: 'Foreign-currency transactions with exchange rates' },
  ],
  ['ReadFXRemittanceCharges', { group: 'Your transactions', words: 'What you were charged for transfers abroad' }],
  ['ReadBeneficiariesBasic', { group: 'Your payments', words: 'The people and firms you pay' }],
  ['ReadBeneficiariesDetail', { group: 'Your payments', words: 'The people and firms you pay, with their banks' }],
  ['ReadStandingOrdersBasic', { group: 'Your payments', words: 'Your standing orders' }],
  ['ReadStandingOrdersDetail', { group: 'Your payments', words: 'Your standing orders and whom they pay' }],
  ['ReadDirectDebits', { group: 'Your payments', words: 'Your direct debits' }],
  ['ReadScheduledPaymentsBasic', { group: 'Your payments', words: 'Payments you have planned' }],
  ['ReadScheduledPaymentsDetail', { group: 'Your payments', words: 'Payments you have planned and whom they pay' }],
  ['ReadProduct', { group: 'Your products', words: 'Terms, fees and benefits of your accounts' }],
  ['ReadProductFinanceRates', { group: 'Your products', words: 'The rates you pay on cards and finance' }],
  ['ReadConsents', { group: 'About you', words: 'The consents you have given to this company' }],
])

export type Grouped = { readonly group: Group | 'Other'; readonly words: readonly string[] }

/** A permission that this bank has no words for is shown by its code: nothing is agreed to unseen. */
export function inWords(codes: readonly string[]): readonly Grouped[] {
  const named = GROUPS.map((group) => ({
    group,
    words: codes.flatMap((code) => {
      const row = PERMISSIONS.get(code)
      return row?.group === group ? [row.words] : []
    }),
  }))
  const other = { group: 'Other' as const, words: codes.filter((code) => !PERMISSIONS.has(code)) }
  return [...named, other].filter(({ words }) => words.length > 0)
}

const PURPOSES: ReadonlyMap<string, string> = new Map([
  ['AccountAggregation', 'To show your accounts together'],
  ['RiskAssessment', 'To assess risk'],
  ['TaxFiling', 'To file taxes'],
  ['Onboarding', 'To open a relationship with you'],
  ['Verification', 'To verify your details'],
  ['QuoteComparison', 'To compare quotes'],
  ['BudgetingAnalysis', 'To help you budget'],
  ['FinancialAdvice', 'To advise you on your finances'],
  ['AuditReconciliation', 'For audit and reconciliation'],
  ['PremiumHistory', 'To see what you have paid for insurance'],
  ['ClaimHistory', 'To see your claims'],
])
export const purposeInWords = (purpose: string): string => PURPOSES.get(purpose) ?? purpose

const HISTORY = /^Read(?:FX)?(?:Transactions|RemittanceCharges|Statements)/
/** Only these reach back in time, so only with them the history window says something. */
export const reachesBack = (codes: readonly string[]): boolean => codes.some((code) => HISTORY.test(code))
