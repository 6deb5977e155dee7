import type { Migration } from '../../db.ts'

/** Access tokens under the consent that were given back before their end (revoked-tokens.ts). */
export const consentRevokedTokens: Migration = {
  name: '0011-consent-revoked-tokens',
  up: async (db) => {
    await db.raw('alter table consent add column revoked_tokens jsonb')
  },
}
