/**
 * Logins that have begun and not come back yet. Each belongs to the browser that keeps it, and its state is good once
 * (RFC 9700 4.7). Anybody may begin one, and nothing is written down for it: only what has come back, with the word of
 * the provider that somebody is behind it, is remembered until its time is over.
 */
import { timingSafeEqual } from 'node:crypto'
import { type Clock, plus, toMilliseconds } from '../clock.ts'
import type { PortalConfig, TenantConfig } from '../config.ts'
import { type Db, query } from '../db.ts'
import type { LoginStart } from './openid.ts'
import { type Begun, createLoginSeal } from './sealed-login.ts'
import { digestOf } from './sessions.ts'

export type Logins = {
  /** What the browser keeps. */
  begin(start: Pick<LoginStart, 'state' | 'nonce' | 'verifier'>, back: string): string
  /** null: nothing like that has begun in this browser, or it has come back already, or too late. */
  find(kept: string, state: string): Promise<Begun | null>
  /** False: somebody has come back with it at the same moment. */
  useUp(begun: Begun): Promise<boolean>
}

export const LOGIN_SECONDS = 600

export function createLogins(deps: {
  readonly db: Db
  readonly clock: Clock
  readonly tenant: TenantConfig
  readonly portal: PortalConfig
}): Logins {
  const { db, clock } = deps
  const seal = createLoginSeal(deps.tenant, deps.portal)
  return {
    begin: ({ state, nonce, verifier }, back) =>
      seal.seal({ state, nonce, verifier, back, until: plus(clock.now(), toMilliseconds(LOGIN_SECONDS * 1000)) }),
    find: async (kept, state) => {
      const begun = seal.open(kept)
      if (begun === null || begun.until <= clock.now()) return null
      if (!timingSafeEqual(digestOf(begun.state), digestOf(state))) return null
      const { rows } = await query(db, 'select from portal_login where state_digest = ?', [digestOf(state)])
      return rows.length === 0 ? begun : null
    },
    useUp: async ({ state, until }) => {
      const { rowCount } = await query(
        db,
        'insert into portal_login (state_digest, expires_at) values (?, ?) on conflict do nothing',
        [digestOf(state), new Date(until)],
      )
      return rowCount > 0
    },
  }
}
