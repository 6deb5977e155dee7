/** A consent as it stood at any moment, rebuilt from what the database kept of each of its revisions. */
import type { Instant } from '../clock.ts'
import { type Db, query } from '../db.ts'
import type { ConsentId } from '../ids.ts'
import { atClock, type Consent, type JsonObject } from './consent.ts'
import { COLUMNS, type ConsentRow, toConsent } from './row.ts'
import { lfiRecord } from './views.ts'

export type Past =
  | { readonly kind: 'known'; readonly consent: Consent }
  /** There was no such consent yet. */
  | { readonly kind: 'not-yet' }
  /** It was there, and what it was has not been kept: it is older than the keeping. */
  | { readonly kind: 'not-kept' }

const LAST = `
  select consent_id, revision, at, state from consent_version
  where consent_id = ? and at <= ? order by revision desc limit 1`
/** The consent's own row, with what the revision had in place of what it has now. */
const REBUILT = `
  select ${COLUMNS.map((column) => `past.${column}`).join(', ')}
  from consent, (${LAST}) as version, jsonb_populate_record(consent, version.state) as past
  where consent.id = version.consent_id`

/** null for an unknown consent. */
export async function readPast(db: Db, id: ConsentId, at: Instant): Promise<Past | null> {
  const [row] = (await query<ConsentRow>(db, REBUILT, [id, new Date(at)])).rows
  // Between two sweeps a read judged by the clock; so it does here, by the clock of then.
  if (row !== undefined) return { kind: 'known', consent: atClock(toConsent(row), at) }
  const [consent] = (await query<{ created_at: Date }>(db, 'select created_at from consent where id = ?', [id])).rows
  if (consent === undefined) return null
  return { kind: consent.created_at.getTime() > at ? 'not-yet' : 'not-kept' }
}

/**
 * The record of the agreement. What belongs to its handling is left out, because it is not kept: the handle of the
 * pushed request, a credential, and when data was last shared, which the audit log knows call by call.
 */
export function agreementOf(consent: Consent): JsonObject {
  const { parId: _, consentUsage: __, ...agreement } = lfiRecord(consent, null)
  return agreement
}
