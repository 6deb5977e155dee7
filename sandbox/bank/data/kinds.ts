/** What a movement is on the wire. Direction is the sign of its amount, never part of the kind. */
type Row = {
  readonly type:
    | 'POS'
    | 'ECommerce'
    | 'ATM'
    | 'BillPayments'
    | 'LocalBankTransfer'
    | 'SameBankTransfer'
    | 'InternationalTransfer'
    | 'Teller'
    | 'Cheque'
    | 'Other'
  readonly sub:
    | 'Purchase'
    | 'Refund'
    | 'Withdrawal'
    | 'MoneyTransfer'
    | 'Repayments'
    | 'Interest'
    | 'Profit'
    | 'Fee'
    | 'Charges'
    | 'LeaseRepayment'
  readonly flags: readonly ('Payroll' | 'DirectDebit' | 'StandingOrder' | 'Finance')[]
  readonly purpose: string | null
  readonly mode: 'Online' | 'Batch'
  readonly text: string
}

export const KINDS = {
  salary: row('LocalBankTransfer', 'MoneyTransfer', ['Payroll'], 'SAL', 'Batch', 'Salary from'),
  sale: row('LocalBankTransfer', 'MoneyTransfer', [], 'GDS', 'Online', 'Payment from'),
  'standing-order': row('LocalBankTransfer', 'MoneyTransfer', ['StandingOrder'], 'FAM', 'Batch', 'Standing order to'),
  'own-transfer': row('SameBankTransfer', 'MoneyTransfer', ['StandingOrder'], 'OAT', 'Batch', 'Between own accounts'),
  instalment: row('SameBankTransfer', 'Repayments', ['StandingOrder', 'Finance'], 'LND', 'Batch', 'Finance instalment'),
  'direct-debit': row('BillPayments', 'MoneyTransfer', ['DirectDebit'], 'UTL', 'Batch', 'Direct debit of'),
  bill: row('BillPayments', 'MoneyTransfer', [], 'UTL', 'Online', 'Bill of'),
  purchase: row('POS', 'Purchase', [], null, 'Online', 'Card purchase at'),
  'foreign-purchase': row('ECommerce', 'Purchase', [], null, 'Online', 'Online purchase at'),
  refund: row('POS', 'Refund', [], null, 'Online', 'Refund by'),
  cash: row('ATM', 'Withdrawal', [], null, 'Online', 'Cash machine near'),
  remittance: row('InternationalTransfer', 'MoneyTransfer', [], 'FAM', 'Online', 'Transfer abroad to'),
  'card-payment': row('SameBankTransfer', 'Repayments', ['DirectDebit'], null, 'Batch', 'Card payment in full'),
  fee: row('Other', 'Fee', [], null, 'Batch', ''),
  interest: row('Other', 'Interest', [], null, 'Batch', 'Interest'),
  profit: row('Other', 'Profit', [], null, 'Batch', 'Profit'),
} as const satisfies Record<string, Row>

export type Kind = keyof typeof KINDS
export const kindRow = (kind: Kind): Row => KINDS[kind]

function row(
  type: Row['type'],
  sub: Row['sub'],
  flags: Row['flags'],
  purpose: string | null,
  mode: Row['mode'],
  text: string,
): Row {
  return { type, sub, flags, purpose, mode, text }
}
