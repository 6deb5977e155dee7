import { type Instant, toInstant } from '../clock.ts'
import { type Db, query, type Tx } from '../db.ts'
import type { EndpointName } from './endpoint.ts'

/** One change: who, when, from what, to what. */
export type EndpointChange = {
  readonly name: EndpointName
  readonly version: number
  readonly before: string
  /** null: as in the file. */
  readonly after: string | null
  readonly setAt: Instant
  readonly proposedBy: string
  readonly approvedBy: string
}

type Row = {
  readonly name: EndpointName
  readonly version: number
  readonly before: string
  readonly after: string | null
  readonly set_at: Date
  readonly proposed_by: string
  readonly approved_by: string
}

const LISTED_MAX = 100

/** The last change of each name. */
export async function readLatest(db: Db): Promise<readonly EndpointChange[]> {
  const { rows } = await query<Row>(db, 'select distinct on (name) * from lfi_endpoint order by name, version desc')
  return rows.map(changeOf)
}

/** The newest first. */
export async function readHistory(db: Db): Promise<readonly EndpointChange[]> {
  const { rows } = await query<Row>(db, 'select * from lfi_endpoint order by set_at desc, name, version desc limit ?', [
    LISTED_MAX,
  ])
  return rows.map(changeOf)
}

/** False: somebody has changed it since the version before this one. */
export async function insertChange(tx: Tx, change: EndpointChange): Promise<boolean> {
  const { name, version, before, after, setAt, proposedBy, approvedBy } = change
  const { rowCount } = await query(
    tx,
    `insert into lfi_endpoint (name, version, before, after, set_at, proposed_by, approved_by)
     select ?::text, ?::integer, ?, ?::text, ?::timestamptz, ?, ?
     where (select coalesce(max(version), 0) from lfi_endpoint where name = ?) = ?
     on conflict do nothing`,
    [name, version, before, after, new Date(setAt), proposedBy, approvedBy, name, version - 1],
  )
  return rowCount > 0
}

const changeOf = ({ name, version, before, after, set_at, proposed_by, approved_by }: Row): EndpointChange => ({
  name,
  version,
  before,
  after,
  setAt: toInstant(set_at),
  proposedBy: proposed_by,
  approvedBy: approved_by,
})
