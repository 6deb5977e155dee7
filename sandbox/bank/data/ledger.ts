/** One account's movements, oldest first, worked out from its habits when somebody first asks. */
import type { Draft, Entry } from './entry.ts'
import { runHabit } from './habits.ts'
import type { Fils } from './money.ts'
import { createRandom } from './random.ts'
import type { AccountSpec } from './spec.ts'
import type { Window } from './window.ts'

export type Ledgers = { of(account: AccountSpec): readonly Entry[] }

export function createLedgers(seed: string, window: Window, find: (id: string) => AccountSpec): Ledgers {
  const kept = new Map<string, readonly Entry[]>()
  const of = (account: AccountSpec): readonly Entry[] => {
    const known = kept.get(account.id)
    if (known !== undefined) return known
    const entries = write(account)
    kept.set(account.id, entries)
    return entries
  }

  function write(account: AccountSpec): readonly Entry[] {
    const drafts: Draft[] = []
    for (const [index, habit] of account.habits.entries()) {
      const random = createRandom(seed, account.id, String(index), habit.does)
      drafts.push(...runHabit(habit, { account, random, window, before: drafts, ledger: (id) => of(find(id)) }))
    }
    return numbered(account.opening, drafts)
  }
  return { of }
}

function numbered(opening: Fils, drafts: readonly Draft[]): readonly Entry[] {
  let balance = opening
  return drafts
    .toSorted((left, right) => left.at - right.at)
    .map((draft, sequence) => {
      if (draft.status === 'Booked') balance += draft.fils
      return { ...draft, sequence, balance }
    })
}
