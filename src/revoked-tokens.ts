/**
 * Access tokens that their client gave back before their end (RFC 7009). A token is a JWT that nobody stores, so what
 * is kept is that it is no longer good, and at the row that every call with it reads anyway: the consent of a user's
 * token, the client of a client's own. Writing there changes the row's version (remembered.ts), so every node knows on
 * the next call, and no call asks for more than before.
 */
import { type Clock, epochSeconds } from './clock.ts'
import { type Binding, query, type Tx } from './db.ts'

export type RevokedToken = { readonly jti: string; readonly expiresAtSeconds: number }
/** The column `revoked_tokens`: epoch seconds of the end, by `jti`. Null until there is one. */
export type RevokedTokens = Readonly<Record<string, number>>

/** Live ones at a time. They leave by themselves, an access token's life after they came. */
export const REVOKED_TOKENS_MAX = 256

const ROWS = {
  consent: { table: 'consent', key: 'id' },
  client: { table: 'client', key: 'client_id' },
} as const

/** False: there are as many as can be kept, and the token is as good as before. */
export async function addRevokedToken(
  tx: Tx,
  clock: Clock,
  row: { readonly of: keyof typeof ROWS; readonly id: string },
  { jti, expiresAtSeconds }: RevokedToken,
): Promise<boolean> {
  const { table, key } = ROWS[row.of]
  const kept = `select key, value from jsonb_each(coalesce(${table}.revoked_tokens, '{}')) where value::bigint > ?`
  const now = epochSeconds(clock.now())
  const bindings: Binding[] = [now, jti, expiresAtSeconds, row.id, now, jti, REVOKED_TOKENS_MAX]
  // One statement: of several at once each sees what the one before it wrote.
  const updated = await query(
    tx,
    `update ${table}
        set revoked_tokens = (select coalesce(jsonb_object_agg(key, value), '{}') from (${kept}) as live)
                             || jsonb_build_object(?::text, ?::bigint)
      where ${key} = ? and (select count(*) from (${kept}) as live where key <> ?) < ?`,
    bindings,
  )
  return updated.rowCount === 1
}

/** What a row says, as the rooms pass it on; absent where there is none. */
export const revokedTokensIn = (column: RevokedTokens | null): { readonly revokedTokens?: readonly string[] } =>
  column === null ? {} : { revokedTokens: Object.keys(column) }

export const isRevoked = (holder: { readonly revokedTokens?: readonly string[] }, jti: string): boolean =>
  holder.revokedTokens?.includes(jti) === true
