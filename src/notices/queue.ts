/**
 * The outbox as a queue. A claim is one statement, so that of any number of workers one gets the notice; it holds no
 * connection while the notice is on its way. Notices about one thing, be it a consent, a payment, a quote or an opening,
 * go out one after another, in the order of the changes: a notice is not claimed while an earlier one of its kind is open.
 */
import assert from 'node:assert'
import { type Instant, toInstant } from '../clock.ts'
import type { ResourceKind } from '../consent-store/index.ts'
import { type Db, query, type Tx } from '../db.ts'
import type { ConsentId, CorrelationId } from '../ids.ts'
import type { RequestKind } from '../resource-log/index.ts'

export type NoticeState = 'waiting' | 'sending' | 'delivered' | 'failed' | 'dropped' | 'dead'
export type Settled = Exclude<NoticeState, 'waiting' | 'sending'>

type Common = {
  readonly id: string
  readonly eventId: string
  /** When the change was made. */
  readonly at: Instant
  readonly interactionId: CorrelationId | null
  /** This one included. */
  readonly attempts: number
}
export type LfiEvent = Common & { readonly event: 'post' | 'patch'; readonly consentId: ConsentId }
/** What has changed; a request of a TPP belongs to no consent. */
export type About =
  | { readonly resource: 'consent'; readonly consentId: ConsentId }
  | { readonly resource: 'payment'; readonly consentId: ConsentId; readonly resourceId: string }
  | { readonly resource: RequestKind; readonly resourceId: string }
export type Webhook = Common & {
  readonly about: About
  readonly clientId: string
  readonly event: string
  /** What it was at the change. */
  readonly data: unknown
  /** From when on the time for giving up is counted. */
  readonly since: Instant
}

type Row = {
  readonly id: string
  readonly event_id: string
  readonly at: Date
  readonly resource: 'consent' | ResourceKind
  readonly resource_id: string | null
  readonly consent_id: ConsentId | null
  readonly interaction_id: CorrelationId | null
  readonly attempts: number
  readonly event: string
  readonly client_id: string
  readonly body: unknown
  readonly revived_at: Date | null
}

/** As the index outbox_open has it. */
const FIRST_OF_ITS_SUBJECT = `not exists (
  select 1 from outbox earlier where earlier.kind = o.kind and earlier.resource = o.resource
    and coalesce(earlier.resource_id, earlier.consent_id) = coalesce(o.resource_id, o.consent_id)
    and earlier.id < o.id and earlier.state in ('waiting', 'sending'))`
const RETURNED = `o.id, o.event_id, o.at, o.resource, o.resource_id, o.consent_id, o.interaction_id, o.attempts, o.event,
  o.body, o.revived_at`
/** A notice about a consent does not say whose it is: the consent does. */
const WITH_CLIENT = 'outbox o left join consent c on c.id = o.consent_id'
const CLIENT = 'coalesce(o.client_id, c.client_id)'

/**
 * Each at most once, ever: what a worker has claimed and not settled is not taken up by another. Of types that are heard
 * alone: what nobody wants may have come after it was last removed.
 */
export async function claimLfiEvents(
  db: Db,
  until: Instant,
  { heard, limit }: { readonly heard: readonly string[]; readonly limit: number },
): Promise<readonly LfiEvent[]> {
  const claimed = await query<Row>(
    db,
    `update outbox o set state = 'sending', attempts = 1, claimed_until = ?
     where o.id in (select o.id from outbox o join consent c on c.id = o.consent_id and c.type = any(?)
                    where o.kind = 'lfi-event' and o.state = 'waiting' and ${FIRST_OF_ITS_SUBJECT}
                    order by o.id limit ?)
       and o.state = 'waiting'
     returning ${RETURNED}`,
    [new Date(until), heard, limit],
  )
  return claimed.rows.map((row) => ({
    ...common(row),
    event: row.event === 'post' ? 'post' : 'patch',
    consentId: given(row.consent_id),
  }))
}

/** Claims whose worker has not come back. An event may have gone out, so it does not go out again (lfi-api 5.2). */
export async function giveUpLostEvents(db: Db, now: Instant): Promise<number> {
  const lost = await query(
    db,
    `update outbox set state = 'failed', claimed_until = null, settled_at = ?, outcome = 'lost with its worker'
     where kind = 'lfi-event' and state = 'sending' and claimed_until <= ?`,
    [new Date(now), new Date(now)],
  )
  return lost.rowCount
}

/** Events that the LFI has not asked for are owed to nobody. */
export async function removeUnheard(db: Db, heard: readonly string[]): Promise<number> {
  const removed = await query(
    db,
    `delete from outbox o using consent c
     where c.id = o.consent_id and o.kind = 'lfi-event' and o.state = 'waiting' and c.type <> all(?)`,
    [heard],
  )
  return removed.rowCount
}

/**
 * At most one of each receiver that is not busy, so that none takes more than its share. What another worker has
 * claimed is claimed again once its time is over: a webhook is delivered at least once.
 */
export async function claimWebhooks(
  db: Db,
  now: Instant,
  until: Instant,
  options: { readonly busy: readonly string[]; readonly limit: number },
): Promise<readonly Webhook[]> {
  const [at, end] = [new Date(now), new Date(until)]
  const claimed = await query<Row>(
    db,
    `with free as (
       select distinct on (${CLIENT}) o.id, ${CLIENT} as client_id
       from ${WITH_CLIENT}
       where o.kind = 'tpp-webhook' and ${CLIENT} <> all(?) and ${isDue('o')} and ${FIRST_OF_ITS_SUBJECT}
       order by ${CLIENT}, o.id)
     update outbox o set state = 'sending', attempts = o.attempts + 1, claimed_until = ?
     from (select id, client_id from free order by id limit ?) chosen
     where o.id = chosen.id and ${isDue('o')}
     returning ${RETURNED}, chosen.client_id`,
    [options.busy, at, at, end, options.limit, at, at],
  )
  return claimed.rows.map((row) => ({
    ...common(row),
    about: aboutOf(row),
    clientId: row.client_id,
    event: row.event,
    data: row.body,
    since: toInstant(row.revived_at ?? row.at),
  }))
}

const isDue = (alias: string): string => `(
  ${alias}.state = 'waiting' and (${alias}.due_at is null or ${alias}.due_at <= ?)
  or ${alias}.state = 'sending' and ${alias}.claimed_until <= ?)`

const common = (row: Row): Common => ({
  id: row.id,
  eventId: row.event_id,
  at: toInstant(row.at),
  interactionId: row.interaction_id,
  attempts: row.attempts,
})

/** The constraint outbox_about says which of the ids there are. */
function aboutOf({ resource, resource_id, consent_id }: Row): About {
  if (resource === 'consent') return { resource, consentId: given(consent_id) }
  const resourceId = given(resource_id)
  return resource === 'payment' ? { resource, consentId: given(consent_id), resourceId } : { resource, resourceId }
}

function given<T>(value: T | null): T {
  assert(value !== null)
  return value
}

type Claim = Pick<Common, 'id' | 'attempts'>

/** False when the claim had run out and somebody else has the notice now. */
export async function settle(db: Db, claim: Claim, state: Settled, outcome: string, now: Instant): Promise<boolean> {
  const settled = await query(
    db,
    `update outbox set state = ?, outcome = ?, settled_at = ?, claimed_until = null, due_at = null
     where id = ? and state = 'sending' and attempts = ?`,
    [state, outcome, new Date(now), claim.id, claim.attempts],
  )
  return settled.rowCount === 1
}

export async function postpone(db: Db, claim: Claim, outcome: string, dueAt: Instant): Promise<boolean> {
  const postponed = await query(
    db,
    `update outbox set state = 'waiting', outcome = ?, due_at = ?, claimed_until = null
     where id = ? and state = 'sending' and attempts = ?`,
    [outcome, new Date(dueAt), claim.id, claim.attempts],
  )
  return postponed.rowCount === 1
}

/** A webhook that was settled goes out again, from its first attempt on. */
export async function revive(tx: Tx, id: string, now: Instant): Promise<boolean> {
  const revived = await query(
    tx,
    `update outbox set state = 'waiting', attempts = 0, due_at = null, settled_at = null, revived_at = ?
     where id = ? and kind = 'tpp-webhook' and state in ('delivered', 'dropped', 'dead')`,
    [new Date(now), id],
  )
  return revived.rowCount === 1
}

/** What was settled before then; a dead letter waits for the operator as long as any other. */
export async function purgeSettled(db: Db, before: Instant): Promise<number> {
  const removed = await query(
    db,
    'delete from outbox where id in (select id from outbox where settled_at < ? limit 5000)',
    [new Date(before)],
  )
  return removed.rowCount
}

/** For the operator: everything but what it says. */
export type ListedWebhook = {
  readonly id: string
  readonly eventId: string
  readonly at: string
  readonly state: NoticeState
  readonly attempts: number
  readonly outcome: string | null
  readonly dueAt: string | null
  readonly settledAt: string | null
  readonly resource: 'consent' | ResourceKind
  /** Of a payment, quote or opening. */
  readonly resourceId: string | null
  /** Of a consent, and of a payment. */
  readonly consentId: string | null
  readonly clientId: string
}
const LISTED_MAX = 500

/** The newest first. */
export async function listWebhooks(db: Db, state: NoticeState | null): Promise<readonly ListedWebhook[]> {
  const found = await query<
    Row & { state: NoticeState; outcome: string | null; due_at: Date | null; settled_at: Date | null }
  >(
    db,
    `select ${RETURNED}, o.state, o.outcome, o.due_at, o.settled_at, ${CLIENT} as client_id
     from ${WITH_CLIENT}
     where o.kind = 'tpp-webhook' and (?::text is null or o.state = ?) order by o.id desc limit ?`,
    [state, state, LISTED_MAX],
  )
  return found.rows.map((row) => ({
    id: row.id,
    eventId: row.event_id,
    at: row.at.toISOString(),
    state: row.state,
    attempts: row.attempts,
    outcome: row.outcome,
    dueAt: row.due_at?.toISOString() ?? null,
    settledAt: row.settled_at?.toISOString() ?? null,
    resource: row.resource,
    resourceId: row.resource_id,
    consentId: row.consent_id,
    clientId: row.client_id,
  }))
}

export async function stateOfWebhook(db: Db, id: string): Promise<NoticeState | null> {
  const { rows } = await query<{ readonly state: NoticeState }>(
    db,
    `select state from outbox where id = ? and kind = 'tpp-webhook'`,
    [id],
  )
  return rows[0]?.state ?? null
}

export type NoticeCount = {
  readonly kind: 'lfi-event' | 'tpp-webhook'
  readonly state: NoticeState
  readonly count: number
}

/** For metrics. */
export async function countNotices(db: Db): Promise<readonly NoticeCount[]> {
  const counted = await query<NoticeCount>(
    db,
    'select kind, state, count(*)::integer as count from outbox group by kind, state order by kind, state',
  )
  return counted.rows
}
