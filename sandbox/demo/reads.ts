/** Every account-information read of the contract (tpp-api 5.2), and what to say about its answer. */

export type Read = {
  readonly title: string
  /** `{AccountId}` stands for the account chosen. */
  readonly path: string
  /** Member of `Data` that must be there. */
  readonly member: string
}

const account = (title: string, segment: string, member: string): Read => ({
  title,
  path: `/accounts/{AccountId}${segment}`,
  member,
})

export const READS: readonly Read[] = [
  { title: 'Accounts', path: '/accounts', member: 'Account' },
  account('One account', '', 'Account'),
  account('Balances', '/balances', 'Balance'),
  account('Transactions', '/transactions', 'Transaction'),
  account('Statements', '/statements', 'Statements'),
  account('Standing orders', '/standing-orders', 'StandingOrder'),
  account('Direct debits', '/direct-debits', 'DirectDebit'),
  account('Scheduled payments', '/scheduled-payments', 'ScheduledPayment'),
  account('Beneficiaries', '/beneficiaries', 'Beneficiary'),
  account('Product', '/product', 'Product'),
  account('Parties of the account', '/parties', 'Party'),
  { title: 'The customer', path: '/parties', member: 'Party' },
]

/** Data of an answer, or a refusal to go on with one that has no such member. */
export function dataOf(body: unknown, member: string): unknown {
  const data = (body as { readonly Data?: unknown } | null)?.Data
  const value = (data as Readonly<Record<string, unknown>> | null | undefined)?.[member]
  if (value === undefined || value === null) throw new Error(`the answer has no Data.${member}`)
  return value
}

/** Counts only: a demo's output may end up in a ticket, so nothing of the customer is in it. */
export const sizeOf = (value: unknown): string =>
  Array.isArray(value) ? `${value.length} ${value.length === 1 ? 'item' : 'items'}` : '1 object'
