/** What changed in a consent, by whom: the per-consent log that the LFI reads (lfi-api 2.7). */
import { isDeepStrictEqual } from 'node:util'
import { type Instant, iso, toInstant } from '../clock.ts'
import type { Db } from '../db.ts'
import type { ConsentId, CorrelationId } from '../ids.ts'
import type { CallerKind, Consent, ConsentStatus, JsonObject, Move } from './consent.ts'
import { authorizersOf, type PaymentTerms, verdictOf, wireConsumption } from './payment.ts'

/** Who makes a change, and the call that caused it. */
export type Caller = {
  readonly by: CallerKind
  readonly organisationId: string | null
  readonly clientId: string | null
  readonly softwareStatementId: string | null
  readonly interactionId: CorrelationId | null
}

export type ChangeName = 'lodged' | 'patched' | 'subscription' | 'linked' | Move

export type TrailRow = {
  readonly id: string
  readonly consentId: ConsentId
  readonly revision: number
  readonly at: Instant
  readonly operation: 'create' | 'patch'
  readonly change: ChangeName
  readonly from: ConsentStatus | null
  readonly to: ConsentStatus
  readonly patch: JsonObject
  readonly caller: Caller
}

type Traced = { readonly value: (consent: Consent) => unknown; readonly shown?: (consent: Consent) => unknown }

/**
 * Members of the record that can change, by their names in it. `shown` replaces a value that the trail must not
 * keep: what the LFI adds about a person beyond the opaque user id stays in the consent alone.
 */
const TRACED: Readonly<Record<string, Traced>> = {
  status: { value: (consent) => consent.status },
  'consentBody.Data.RevokedBy': { value: (consent) => (consent.status === 'Revoked' ? consent.revokedBy : null) },
  'consentBody.Data.OpenFinanceBilling.IsLargeCorporate': { value: (consent) => consent.isLargeCorporate },
  'consentBody.Subscription': { value: (consent) => consent.subscription },
  psuIdentifiers: {
    value: (consent) => consent.psu,
    shown: (consent) => (consent.psu === null ? null : { userId: consent.psu.userId }),
  },
  accountIds: { value: (consent) => consent.accountIds },
  authorizationChannel: { value: (consent) => consent.channel },
  supplementaryInformation: { value: (consent) => consent.supplementaryInformation, shown: () => 'changed' },
  'consentUsage.lastDataShared': { value: (consent) => time(consent.lastDataSharedAt) },
  'consentUsage.lastServiceInitiationAttempt': { value: (consent) => time(consent.lastServiceInitiationAt) },
  interactionId: { value: (consent) => consent.interactionId },
  'consentBody.Data.Charges': { value: ofPayment(({ charges }) => charges) },
  'consentBody.Data.ExchangeRate': { value: ofPayment(({ exchangeRate }) => exchangeRate) },
  'consentBody.Data.PaymentConsumption': {
    value: ofPayment(({ consumption }) => consumption),
    shown: ofPayment(({ consumption }) => (consumption === null ? null : wireConsumption(consumption))),
  },
  'consentBody.Meta.MultipleAuthorizers': {
    value: ofPayment(authorizersOf),
    shown: ofPayment((terms) => {
      const authorizers = authorizersOf(terms)
      return authorizers === null ? null : verdictOf(authorizers)
    }),
  },
  ConnectToken: { value: ofPayment(({ connectToken }) => connectToken), shown: () => 'changed' },
}

function ofPayment(member: (terms: PaymentTerms) => unknown): (consent: Consent) => unknown {
  return (consent) => (consent.type === 'service-initiation' ? member(consent.payment) : null)
}

/** Names of what differs, and the new values as far as the trail may show them. */
export function difference(before: Consent, next: Consent): { changed: readonly string[]; patch: JsonObject } {
  const rows = Object.entries(TRACED).filter(([, { value }]) => !isDeepStrictEqual(value(before), value(next)))
  return {
    changed: rows.map(([name]) => name),
    patch: Object.fromEntries(rows.map(([name, { value, shown }]) => [name, (shown ?? value)(next)])),
  }
}

export type TrailEntry = {
  readonly consent: Consent
  readonly from: ConsentStatus | null
  readonly change: ChangeName
  readonly patch: JsonObject
  readonly caller: Caller
}

export function trailRow(entry: TrailEntry) {
  const { consent, caller } = entry
  return {
    consent_id: consent.id,
    revision: consent.revision,
    at: new Date(consent.updatedAt),
    change: entry.change,
    status_from: entry.from,
    status_to: consent.status,
    patch: JSON.stringify(entry.patch),
    caller_kind: caller.by,
    caller_organisation_id: caller.organisationId,
    caller_client_id: caller.clientId,
    caller_software_statement_id: caller.softwareStatementId,
    interaction_id: caller.interactionId,
  }
}

type Row = {
  readonly id: string
  readonly consent_id: string
  readonly revision: number
  readonly at: Date
  readonly change: ChangeName
  readonly status_from: ConsentStatus | null
  readonly status_to: ConsentStatus
  readonly patch: JsonObject
  readonly caller_kind: CallerKind
  readonly caller_organisation_id: string | null
  readonly caller_client_id: string | null
  readonly caller_software_statement_id: string | null
  readonly interaction_id: string | null
}

/** Oldest first. */
export async function readTrail(db: Db, id: ConsentId): Promise<readonly TrailRow[]> {
  const rows = (await db('consent_trail').where('consent_id', id).orderBy('revision').select()) as Row[]
  return rows.map((row) => ({
    id: row.id,
    consentId: id,
    revision: row.revision,
    at: toInstant(row.at),
    operation: row.change === 'lodged' ? 'create' : 'patch',
    change: row.change,
    from: row.status_from,
    to: row.status_to,
    patch: row.patch,
    caller: {
      by: row.caller_kind,
      organisationId: row.caller_organisation_id,
      clientId: row.caller_client_id,
      softwareStatementId: row.caller_software_statement_id,
      interactionId: row.interaction_id as CorrelationId | null,
    },
  }))
}

/** Of the request that lodged the consent: everything that is done to get it authorized follows from that. */
export async function readLodging(db: Db, id: ConsentId): Promise<CorrelationId | null> {
  const row = await db('consent_trail').where({ consent_id: id, change: 'lodged' }).first('interaction_id')
  return (row?.interaction_id as CorrelationId | null | undefined) ?? null
}

const time = (at: Instant | null): string | null => (at === null ? null : iso(at))
