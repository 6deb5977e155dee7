import { amount, component } from './common.ts'
import { casing, listOf, type Members, object } from './shape.ts'

const creditLine = object({ ...casing('included'), creditType: 'Type', amount: ['Amount', amount] })

export const balance: Members = {
  ...casing('creditDebitIndicator'),
  balanceType: 'Type',
  timestamp: 'DateTime',
  amount: ['Amount', amount],
  creditLines: ['CreditLine', listOf(creditLine)],
  components: ['Components', listOf(component)],
}
