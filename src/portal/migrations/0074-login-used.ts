import type { Migration } from '../../db.ts'

/**
 * A row is a login that has come back, and says no more than that. A release before this one has rows of logins that
 * have begun, with what it needs to know of them.
 */
export const loginUsed: Migration = {
  name: '0074-login-used',
  up: async (db) => {
    await db.raw(`
alter table portal_login
  alter column browser_digest drop not null,
  alter column nonce drop not null,
  alter column verifier drop not null,
  alter column back drop not null
`)
  },
}
