/** Logins that have begun and not come back yet. Each belongs to one browser, and its state is good once (RFC 9700 4.7). */
import { type Clock, plus, toMilliseconds } from '../clock.ts'
import { type Db, query } from '../db.ts'
import { digestOf } from './sessions.ts'

export type Begun = { readonly nonce: string; readonly verifier: string; readonly back: string }

export type Logins = {
  /** false: too many have begun at the moment. */
  begin(state: string, browser: string, begun: Begun): Promise<boolean>
  /** null: nothing like that has begun in this browser, or it has come back already, or too late. */
  take(state: string, browser: string): Promise<Begun | null>
}

export const LOGIN_SECONDS = 600
/** Anybody may begin one, so they are counted. */
const OPEN_MAX = 10_000

export function createLogins({ db, clock }: { readonly db: Db; readonly clock: Clock }): Logins {
  return {
    begin: async (state, browser, { nonce, verifier, back }) => {
      const until = new Date(plus(clock.now(), toMilliseconds(LOGIN_SECONDS * 1000)))
      const { rowCount } = await query(
        db,
        `insert into portal_login (state_digest, browser_digest, nonce, verifier, back, expires_at)
         select ?::bytea, ?::bytea, ?, ?, ?, ?::timestamptz where (select count(*) from portal_login) < ?`,
        [digestOf(state), digestOf(browser), nonce, verifier, back, until, OPEN_MAX],
      )
      return rowCount > 0
    },
    take: async (state, browser) => {
      const { rows } = await query<Begun>(
        db,
        `delete from portal_login where state_digest = ? and browser_digest = ? and expires_at > ?
         returning nonce, verifier, back`,
        [digestOf(state), digestOf(browser), new Date(clock.now())],
      )
      return rows[0] ?? null
    },
  }
}
