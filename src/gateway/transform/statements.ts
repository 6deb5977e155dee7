/** Spelled alike on both sides; the rows are there so that nothing else gets through. */
import { component, pascalAmount } from './common.ts'
import { listOf, type Members, object, same } from './shape.ts'

const balance = object({
  ...same('CreditDebitIndicator'),
  Amount: ['Amount', pascalAmount],
  Components: ['Components', listOf(component)],
})
const summary = object({
  ...same('CreditDebitIndicator', 'TransactionType', 'SubTransactionType'),
  Amount: ['Amount', pascalAmount],
  ...same('Count'),
})

export const statement: Members = {
  ...same('StatementId', 'StatementDate', 'OpeningDate', 'ClosingDate'),
  CreditLine: ['CreditLine', pascalAmount],
  OpeningBalance: ['OpeningBalance', balance],
  ClosingBalance: ['ClosingBalance', balance],
  Summary: ['Summary', listOf(summary)],
  ExpectedNextStatement: [
    'ExpectedNextStatement',
    listOf(object({ ...same('Type'), Amount: ['Amount', pascalAmount] })),
  ],
  NextPayment: ['NextPayment', listOf(object({ ...same('Date'), Amount: ['Amount', pascalAmount], ...same('Type') }))],
}
