/** A change of a consent in one statement: the row, its line of the history, its notices, and word of it to all nodes. */
import { prepared, type Tx } from '../db.ts'
import type { Consent } from './consent.ts'
import type { Notice } from './outbox.ts'
import { changingColumns } from './row.ts'
import { type TrailEntry, trailRow } from './trail.ts'

export type SavedChange = {
  readonly before: Consent
  readonly consent: Consent
  readonly trail: TrailEntry
  readonly notices: readonly Notice[]
  /** On which it is announced once it is committed. */
  readonly channel: string
}

/** False when somebody else has changed the consent since `before` was read; then nothing is saved. */
export async function saveChange(tx: Tx, change: SavedChange): Promise<boolean> {
  const { before, consent, channel } = change
  const columns = changingColumns(consent)
  const trail = trailRow(change.trail)
  const { rowCount } = await prepared(tx, 'consent-save', statementOf(Object.keys(columns), Object.keys(trail)), [
    ...Object.values(columns),
    consent.id,
    before.revision,
    ...Object.values(trail),
    JSON.stringify(change.notices),
    channel,
  ])
  return rowCount === 1
}

/** The same text every time, as its name promises: which columns a row has depends on nothing. */
const statementOf = (columns: readonly string[], trail: readonly string[]): string => `
  with saved as (
    update consent set ${columns.map((name) => `${name} = ?`).join(', ')} where id = ? and revision = ? returning id
  ), trailed as (
    insert into consent_trail (${trail.join(', ')}) select ${trail.map(() => '?').join(', ')} from saved
  ), queued as (
    insert into outbox (at, kind, event, consent_id, revision, url, body, interaction_id)
    select at, kind, event, consent_id, revision, url, body::json, interaction_id
    from saved, json_to_recordset(?::json) as notice (at timestamptz, kind text, event text, consent_id text,
      revision integer, url text, body text, interaction_id text)
  )
  select pg_notify(?, id) from saved`

/** Beside rows that another statement has saved: their lines of the history, their notices, and word of them to all nodes. */
export async function saveTraces(
  tx: Tx,
  traces: { readonly trail: readonly TrailEntry[]; readonly notices: readonly Notice[]; readonly channel: string },
): Promise<void> {
  await prepared(tx, 'consent-traces', TRACES, [
    JSON.stringify(traces.trail.map(trailRow)),
    JSON.stringify(traces.notices),
    traces.channel,
    traces.trail.map(({ consent }) => consent.id),
  ])
}

const TRAIL = [
  'consent_id text',
  'revision integer',
  'at timestamptz',
  'change text',
  'status_from text',
  'status_to text',
  'patch text',
  'caller_kind text',
  'caller_organisation_id text',
  'caller_client_id text',
  'caller_software_statement_id text',
  'interaction_id text',
] as const satisfies readonly `${keyof ReturnType<typeof trailRow>} ${string}`[]
const names = TRAIL.map((column) => column.split(' ')[0] ?? '')

const TRACES = `
  with trailed as (
    insert into consent_trail (${names.join(', ')})
    select ${names.map((name) => (name === 'patch' ? 'patch::json' : name)).join(', ')}
    from json_to_recordset(?::json) as line (${TRAIL.join(', ')})
  ), queued as (
    insert into outbox (at, kind, event, consent_id, revision, url, body, interaction_id)
    select at, kind, event, consent_id, revision, url, body::json, interaction_id
    from json_to_recordset(?::json) as notice (at timestamptz, kind text, event text, consent_id text,
      revision integer, url text, body text, interaction_id text)
  )
  select pg_notify(?, id) from unnest(?::text[]) as id`
