/**
 * Outages that somebody declared: planned ones ahead of time, unplanned ones while they last. What is declared is a
 * fact of its own and stays as it was told; every act leaves an audit entry in the same transaction.
 */
import { randomUUID } from 'node:crypto'
import type { Audit } from '../audit/index.ts'
import { type Clock, iso, toInstant } from '../clock.ts'
import { type Db, inTransaction, query, type Tx } from '../db.ts'
import { HubError } from '../errors.ts'
import type { CorrelationId, TenantId } from '../ids.ts'
import { DAY_MS, HOUR_MS, type Span, startOf } from './calendar.ts'
import type { Subject } from './downtime.ts'

export type Outage = {
  readonly id: string
  readonly subject: Subject
  readonly kind: 'planned' | 'unplanned'
  readonly startsAt: string
  /** Null while it lasts. */
  readonly endsAt: string | null
  readonly reason: string
  readonly declaredAt: string
}
export type By = { readonly actor: string; readonly interactionId: CorrelationId | null }
type About = { readonly subject: Subject; readonly reason: string }

export type Outages = {
  /** @throws HubError Resource.InvalidFormat, also for too short a notice */
  plan(outage: About & { readonly startsAt: string; readonly endsAt: string }, by: By): Promise<Outage>
  begin(outage: About, by: By): Promise<Outage>
  /** Now; a planned one that is over early, or that has not begun, ends as if it had been announced so. */
  end(id: string, by: By): Promise<Outage>
  list(span?: Span): Promise<readonly Outage[]>
}

/** lfi-api 8: an LFI announces three days ahead, for the night. */
const NOTICE_MS = 72 * HOUR_MS
const WINDOW = { fromHour: 2, toHour: 5 } as const
const LISTED_MAX = 1_000

type Row = {
  readonly id: string
  readonly subject: Subject
  readonly kind: Outage['kind']
  readonly starts_at: Date
  readonly ends_at: Date | null
  readonly reason: string
  readonly declared_at: Date
}

export function createOutages(deps: {
  readonly db: Db
  readonly audit: Audit
  readonly tenantId: TenantId
  readonly clock: Clock
}): Outages {
  const { db, audit, tenantId, clock } = deps
  const note = (tx: Tx, by: By, act: string, outage: Outage) =>
    audit.append(tx, {
      kind: 'admin-act',
      at: clock.now(),
      interactionId: by.interactionId,
      tenantId,
      actor: by.actor,
      act,
      target: `outage ${outage.id} ${outage.kind} of ${outage.subject} ${outage.startsAt} ${outage.endsAt ?? 'open'}`,
    })
  const declare = (outage: Omit<Outage, 'id' | 'declaredAt'>, act: string, by: By) =>
    inTransaction(db, async (tx) => {
      const { rows } = await query<Row>(
        tx,
        `insert into outage (id, subject, kind, starts_at, ends_at, reason, declared_at)
         values (?, ?, ?, ?, ?, ?, ?) returning *`,
        [
          randomUUID(),
          outage.subject,
          outage.kind,
          new Date(outage.startsAt),
          outage.endsAt === null ? null : new Date(outage.endsAt),
          outage.reason,
          new Date(clock.now()),
        ],
      )
      const declared = outageOf(rows[0] as Row)
      await note(tx, by, act, declared)
      return declared
    })
  return {
    plan: async ({ subject, startsAt, endsAt, reason }, by) => {
      const span = { from: moment(startsAt, 'startsAt'), to: moment(endsAt, 'endsAt') }
      if (span.to <= span.from) throw refused('endsAt', 'endsAt must be later than startsAt')
      if (subject === 'lfi') checkNotice(span, clock.now())
      return declare(
        { subject, kind: 'planned', startsAt: text(span.from), endsAt: text(span.to), reason: words(reason) },
        'outage planned',
        by,
      )
    },
    begin: ({ subject, reason }, by) =>
      declare(
        { subject, kind: 'unplanned', startsAt: iso(clock.now()), endsAt: null, reason: words(reason) },
        'outage begun',
        by,
      ),
    end: (id, by) =>
      inTransaction(db, async (tx) => {
        const now = new Date(clock.now())
        const { rows } = await query<Row>(
          tx,
          `update outage set ends_at = greatest(starts_at, ?)
           where id::text = ? and (ends_at is null or ends_at > ?) returning *`,
          [now, id, now],
        )
        const [row] = rows
        if (row === undefined) throw new HubError('NotFound', { reason: 'There is no such outage that lasts' })
        const ended = outageOf(row)
        await note(tx, by, 'outage ended', ended)
        return ended
      }),
    list: async (span) => {
      const { rows } = await query<Row>(
        db,
        `select * from outage where starts_at < ? and (ends_at is null or ends_at > ?)
         order by starts_at desc, id limit ?`,
        [new Date(span?.to ?? FAR), new Date(span?.from ?? 0), LISTED_MAX],
      )
      return rows.map(outageOf)
    },
  }
}

const FAR = Date.parse('9999-12-31T00:00:00Z')

export const spanOf = ({ startsAt, endsAt }: Outage): Span => ({
  from: Date.parse(startsAt),
  to: endsAt === null ? FAR : Date.parse(endsAt),
})

function checkNotice(span: Span, now: number): void {
  if (span.from - now < NOTICE_MS) throw refused('startsAt', 'planned downtime of an LFI is announced 72 hours ahead')
  const [opens, closes] = [WINDOW.fromHour, WINDOW.toHour].map((hour) => startOf('day', span.from) + hour * HOUR_MS)
  if (span.from < Number(opens) || span.to > Number(closes)) {
    throw refused('startsAt', 'planned downtime of an LFI lies between 02:00 and 05:00 of the Gulf')
  }
}

function moment(value: string, name: string): number {
  const at = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d{1,3})?)?(Z|[+-]\d{2}:\d{2})$/.test(value)
    ? Date.parse(value)
    : Number.NaN
  if (Number.isNaN(at) || at > FAR - DAY_MS) throw refused(name, `${name} must be a date-time with a zone`)
  return at
}

function words(reason: string): string {
  const trimmed = reason.trim()
  if (trimmed === '' || trimmed.length > 200) throw refused('reason', 'reason must have 1 to 200 characters')
  return trimmed
}

const text = (at: number): string => iso(toInstant(at))
const refused = (path: string, reason: string): HubError => new HubError('Resource.InvalidFormat', { reason, path })

const outageOf = (row: Row): Outage => ({
  id: row.id,
  subject: row.subject,
  kind: row.kind,
  startsAt: row.starts_at.toISOString(),
  endsAt: row.ends_at?.toISOString() ?? null,
  reason: row.reason,
  declaredAt: row.declared_at.toISOString(),
})
