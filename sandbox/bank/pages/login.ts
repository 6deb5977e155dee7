/** Is this the customer? Guessing ends after five wrong passwords, whether or not the name exists. */
import { type Session, sameSecret } from './session.ts'

type Known = { readonly username: string; readonly password: string }

export type LoginResult<Person> =
  | { readonly kind: 'known'; readonly user: Person }
  | { readonly kind: 'wrong' }
  | { readonly kind: 'blocked' }

export type Login<Person> = { attempt(session: Session, username: string, password: string): LoginResult<Person> }

export const FAILURES_MAX = 5
/** Short, because this is a sandbox in which people test exactly this. */
const BLOCKED_MS = 5 * 60_000
const NAMES_MAX = 10_000

type Record = { readonly failures: number; readonly until: number }

export function createLogin<Person extends Known>(people: readonly Person[], now: () => number): Login<Person> {
  const records = new Map<string, Record>()
  const recordOf = (name: string): Record => {
    const record = records.get(name)
    return record === undefined || record.until <= now() ? { failures: 0, until: 0 } : record
  }
  return {
    attempt(session, username, password) {
      const name = username.trim().toLowerCase()
      const before = recordOf(name)
      if (before.failures >= FAILURES_MAX || session.failures >= FAILURES_MAX) return { kind: 'blocked' }
      const user = people.find((known) => known.username === name)
      // An unknown name costs the same comparison as a known one.
      const right = sameSecret(password, user?.password ?? '')
      if (user !== undefined && right) {
        records.delete(name)
        return { kind: 'known', user }
      }
      session.failures += 1
      if (records.size >= NAMES_MAX) records.clear()
      records.set(name, { failures: before.failures + 1, until: now() + BLOCKED_MS })
      return before.failures + 1 >= FAILURES_MAX || session.failures >= FAILURES_MAX
        ? { kind: 'blocked' }
        : { kind: 'wrong' }
    },
  }
}
