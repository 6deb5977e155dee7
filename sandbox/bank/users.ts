/** The people a developer can sign in as, for the sandbox manifest. Every one of them is invented. */
import { BANKS } from './data/book.ts'
import type { BankCode } from './data/spec.ts'

export type BankUser = {
  readonly userId: string
  readonly username: string
  readonly password: string
  readonly story: string
  readonly accountIds: readonly string[]
}

export function bankUsers(code: BankCode): readonly BankUser[] {
  const { users, accounts } = BANKS[code]
  return users.map(({ userId, username, password, story }) => ({
    userId,
    username,
    password,
    story,
    accountIds: accounts
      .filter(({ holders }) => holders.some((holder) => holder.userId === userId))
      .map(({ id }) => id),
  }))
}
