/**
 * Consents that somebody looks for: the newest first, as many as fit on a page. Those of a user, an account or a client are
 * few, and found by it; all of a kind are a list (list.ts).
 */
import type { Instant } from '../clock.ts'
import { type Binding, type Db, query } from '../db.ts'
import type { ClientId, ConsentId } from '../ids.ts'
import { STATUS_BY_CLOCK } from './by-clock.ts'
import type { Consent, ConsentStatus, ConsentType } from './consent.ts'
import type { ConsentLists } from './list.ts'
import { COLUMNS, type ConsentRow, toConsent } from './row.ts'

export type ConsentSearch = {
  readonly psuUserId?: string
  readonly accountId?: string
  readonly clientId?: ClientId
  readonly type?: ConsentType
  readonly status?: ConsentStatus
  /** Those that come after this one. */
  readonly after?: { readonly createdAt: Instant; readonly id: ConsentId }
  readonly limit: number
}

type Condition = { readonly sql: string; readonly bindings: readonly Binding[] }
const where = (sql: string, ...bindings: readonly Binding[]): readonly Condition[] => [{ sql, bindings }]

export async function search(
  db: Db,
  lists: ConsentLists,
  asked: ConsentSearch,
  now: Instant,
): Promise<readonly Consent[]> {
  const { psuUserId, accountId, clientId, type, status, after } = asked
  if (psuUserId === undefined && accountId === undefined && clientId === undefined) {
    const kind = { ...(type === undefined ? {} : { consentType: type }), ...(status === undefined ? {} : { status }) }
    const last = after === undefined ? null : { at: new Date(after.createdAt), id: after.id }
    return lists.following(kind, last, asked.limit, now)
  }
  const conditions = [
    ...where('true'),
    ...(psuUserId === undefined ? [] : where('psu_user_id = ?', psuUserId)),
    ...(accountId === undefined ? [] : where('account_ids @> array[?]::text[]', accountId)),
    ...(clientId === undefined ? [] : where('client_id = ?', clientId)),
    ...(type === undefined ? [] : where('type = ?', type)),
    ...(status === undefined ? [] : where(`${STATUS_BY_CLOCK} = ?`, new Date(now), status)),
    ...(after === undefined ? [] : behind(new Date(after.createdAt), after.id)),
  ]
  const { rows } = await query<ConsentRow>(
    db,
    `select ${COLUMNS.join(', ')} from consent where ${conditions.map(({ sql }) => sql).join(' and ')}
     order by created_at desc, id limit ?`,
    [...conditions.flatMap(({ bindings }) => bindings), asked.limit],
  )
  return rows.map(toConsent)
}

const behind = (at: Date, id: string): readonly Condition[] =>
  where('(created_at <= ? and (created_at < ? or id > ?))', at, at, id)
