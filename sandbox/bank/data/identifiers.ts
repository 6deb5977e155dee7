/** The numbers by which the bank's own accounts are known outside. */
import { iban } from './iban.ts'
import type { AccountSpec, BankSpec } from './spec.ts'

export type AccountNumber = {
  readonly schemeName: 'IBAN' | 'AccountNumber' | 'MaskedPAN' | 'MortgageReference' | 'FinanceReference'
  readonly identification: string
}

/** The first is the one that payments quote. */
export function accountNumbers(account: AccountSpec, bank: BankSpec): readonly [AccountNumber, ...AccountNumber[]] {
  switch (account.subType) {
    case 'CreditCard':
      return [{ schemeName: 'MaskedPAN', identification: cardNumber(account) }]
    case 'Mortgage':
      return [{ schemeName: 'MortgageReference', identification: `HF${account.number}` }]
    case 'Finance':
      return [{ schemeName: 'FinanceReference', identification: `PF${account.number}` }]
    case 'CurrentAccount':
    case 'Savings':
      return [
        { schemeName: 'IBAN', identification: iban(bank.ibanBank, account.number) },
        { schemeName: 'AccountNumber', identification: account.number },
      ]
  }
}

/** Sixteen characters, the most that the contract carries. */
export const cardNumber = (account: AccountSpec): string => `400000******${account.number.slice(-4)}`
