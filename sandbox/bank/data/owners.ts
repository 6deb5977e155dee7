/** Who owns an account that somebody outside knows by its number (lfi-api 3.8). */
import { accountNumbers } from './identifiers.ts'
import type { AccountSpec, BankSpec, PersonSpec } from './spec.ts'

export function accountByIban(bank: BankSpec, iban: string): AccountSpec | null {
  return bank.accounts.find((account) => accountNumbers(account, bank)[0].identification === iban) ?? null
}

export function owners(account: AccountSpec, bank: BankSpec): readonly object[] {
  return account.holders.flatMap(({ userId, party }) => {
    const user = bank.users.find((known) => known.userId === userId)
    // Somebody who acts for the owner is none.
    if (user === undefined || (party === 'Delegate' && account.type === 'Retail')) return []
    const { business, person } = user
    const isBusiness = account.type !== 'Retail' && business !== undefined
    return [
      {
        id: `cus-${userId}${isBusiness ? '-firm' : ''}`,
        verifiedClaims: isBusiness ? [{ organisationClaims: { name: business.name } }] : names(person),
      },
    ]
  })
}

/** In both scripts: whoever pays knows one of them. */
const names = ({ given, family, arabic }: PersonSpec) => [
  { claims: { fullName: `${given} ${family}`, givenName: given, familyName: family } },
  { claims: { fullName: arabic } },
]
