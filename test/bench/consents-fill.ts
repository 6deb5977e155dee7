/** So many consents in one tenant, made by PostgreSQL itself: rows as the hub would have left them. */
import { type Db, query } from '../../src/db.ts'

/** Every eighth ended, as many wait; the rest is authorized. A user has 4 consents, an account 3; a fourth continues the one before. */
export async function fill(db: Db, from: number, to: number): Promise<void> {
  for (let first = from + 1; first <= to; first += BATCH) {
    await db.transaction(async (tx) => {
      await tx.raw('set local statement_timeout = 0')
      await tx.raw(CONSENTS, [first, Math.min(first + BATCH - 1, to)])
      await tx.raw(TRAIL, [first, Math.min(first + BATCH - 1, to)])
    })
  }
  await db.raw('vacuum analyze')
}

export const consentId = (number: number): string => `00000000-0000-4000-8000-${number.toString(16).padStart(12, '0')}`
export const userId = (number: number): string => `u-${Math.floor(number / 4)}`
export const accountId = (number: number): string => `acc-${Math.floor(number / 3)}`

const BATCH = 50_000
const ID = `('00000000-0000-4000-8000-' || lpad(to_hex(n), 12, '0'))`
const CONSENTS = `
insert into consent (id, type, rar_type, client_id, organisation_id, base_consent_id, request, request_headers, request_url, tpp, scope,
  status, psu, account_ids, channel, authorized_at, rejected_for, created_at, authorize_by, expires_at,
  status_changed_at, updated_at, revision)
select ${ID}, 'account-access', 'urn:openfinanceuae:account-access-consent:v2.1',
  'a3f1c9d2-4b5e-4f60-8a71-' || lpad(to_hex(n % 40), 12, '0'), 'c5f3ebf4-6d70-4182-ac93-b4d5e6f70819',
  case when n % 4 = 3 then '00000000-0000-4000-8000-' || lpad(to_hex(n - 1), 12, '0') end,
  json_build_object('type', 'urn:openfinanceuae:account-access-consent:v2.1', 'consent', json_build_object(
    'ConsentId', ${ID}, 'Permissions', json_build_array('ReadAccountsBasic', 'ReadAccountsDetail', 'ReadBalances',
      'ReadTransactionsBasic', 'ReadTransactionsDetail'), 'ExpirationDateTime', '2099-01-01T00:00:00Z',
    'OpenFinanceBilling', json_build_object('UserType', 'Retail', 'Purpose', 'AccountAggregation'))),
  '{"user-agent":"tpp/1.0","x-fapi-interaction-id":"00000000-0000-4000-8000-000000000000"}',
  'https://as1.aurora.example/par',
  json_build_object('clientId', 'a3f1c9d2-4b5e-4f60-8a71-92b3c4d5e6f7', 'tppId', 'c5f3ebf4-6d70-4182-ac93-b4d5e6f70819',
    'tppName', 'Wadi Money', 'softwareStatementId', 'a3f1c9d2-4b5e-4f60-8a71-92b3c4d5e6f7',
    'orgId', 'c5f3ebf4-6d70-4182-ac93-b4d5e6f70819', 'decodedSsa', json_build_object('client_name', 'Wadi Budget',
      'roles', json_build_array('BDSP'), 'redirect_uris', json_build_array('https://tpp.example/callback'))),
  'openid accounts',
  case n % 8 when 0 then 'Rejected' when 1 then 'AwaitingAuthorization' else 'Authorized' end,
  json_build_object('userId', 'u-' || (n / 4)), array['acc-' || (n / 3)], 'App',
  case when n % 8 > 1 then made end, case when n % 8 = 0 then 'refused' end,
  made, '2099-01-01', '2099-01-01', made, made, 1
from (select n, timestamptz '2020-01-01' + n * interval '2 minutes' as made from generate_series(?::int, ?::int) as n) as all_of_them`
const TRAIL = `
insert into consent_trail (consent_id, revision, at, change, status_to, patch, caller_kind)
select ${ID}, 1, timestamptz '2020-01-01' + n * interval '2 minutes', 'lodged', 'AwaitingAuthorization',
  '{"status":"AwaitingAuthorization"}', 'tpp' from generate_series(?::int, ?::int) as n`

export type TableSize = {
  readonly name: string
  readonly rows: number
  readonly heap: number
  readonly indexes: number
}

/** Bytes of the tables that grow with consents, largest first. */
export async function sizes(db: Db): Promise<readonly TableSize[]> {
  const { rows } = await query<{ name: string; rows: string; heap: string; indexes: string }>(
    db,
    `select relname as name, n_live_tup as rows, pg_table_size(relid) as heap, pg_indexes_size(relid) as indexes
     from pg_stat_user_tables where relname like any(array['consent%', 'outbox', 'audit%', 'notice%']) and n_live_tup > 0
     order by pg_total_relation_size(relid) desc`,
  )
  return rows.map((row) => ({
    name: row.name,
    rows: Number(row.rows),
    heap: Number(row.heap),
    indexes: Number(row.indexes),
  }))
}
