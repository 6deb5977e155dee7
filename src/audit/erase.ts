/**
 * Destroys values, not entries: salts and values go, the commitments stay, the tree is as valid as before. What was
 * destroyed, why and by whom is recorded in the same transaction, so there is no erasure without its evidence, and
 * none that claims more than it did. PostgreSQL gives the space of deleted rows back at the next vacuum; backups end
 * with their own retention.
 */
import type { Clock } from '../clock.ts'
import { type Db, inTransaction, query, type Tx } from '../db.ts'
import type { TenantId } from '../ids.ts'
import { encode, NAMES_MAX } from './entry.ts'
import { accept } from './store.ts'

/**
 * Everything with this value, or what one entry committed to. With a consent goes what ties the calls about it together:
 * the interaction that they follow from.
 */
export type Erasure =
  | { readonly field: string; readonly value: string }
  | { readonly index: number; readonly field?: string }

export type Erased = {
  /** `<index>:<field>`, as recorded. */
  readonly openings: readonly string[]
  /** Of entries that have no place yet: nothing was done about them, so repeat in two seconds. */
  readonly waiting: number
}

type Row = { readonly index: string | null; readonly field: string }

/** Those of entries without a place stay: the record could not say what they were. */
const WHERE = {
  value: 'o.field = ? and o.value = ?',
  consent: `o.field in ('consentId', 'parentInteractionId') and o.entry_id in (
    select entry_id from audit_opening where field = 'consentId' and value = ?)`,
  entry: 'l.index = ?',
  member: 'l.index = ? and o.field = ?',
} as const

export async function eraseOpenings(
  deps: { readonly db: Db; readonly tenantId: TenantId; readonly clock: Clock },
  erasure: Erasure,
  by: { readonly actor: string; readonly reason: string },
): Promise<Erased> {
  const [where, bindings] = selection(erasure)
  return inTransaction(deps.db, async (tx) => {
    const { rows } = await query<Row>(
      tx,
      `with found as (
         select o.entry_id, o.field, l.index from audit_opening o left join audit_leaf l on l.entry_id = o.entry_id
         where ${where} for update of o
       ), gone as (
         delete from audit_opening o using found f
         where f.index is not null and o.entry_id = f.entry_id and o.field = f.field
       )
       select index, field from found order by index, field`,
      bindings,
    )
    const openings = rows.flatMap(({ index, field }) => (index === null ? [] : [`${index}:${field}`]))
    await recordAll(tx, deps, openings, by)
    return { openings, waiting: rows.length - openings.length }
  })
}

function selection(erasure: Erasure): readonly [string, readonly (string | number)[]] {
  if ('value' in erasure && erasure.field === 'consentId') return [WHERE.consent, [erasure.value]]
  if ('value' in erasure) return [WHERE.value, [erasure.field, erasure.value]]
  if (erasure.field === undefined) return [WHERE.entry, [erasure.index]]
  return [WHERE.member, [erasure.index, erasure.field]]
}

async function recordAll(
  tx: Tx,
  { tenantId, clock }: { readonly tenantId: TenantId; readonly clock: Clock },
  openings: readonly string[],
  by: { readonly actor: string; readonly reason: string },
): Promise<void> {
  const common = { kind: 'erased', at: clock.now(), tenantId, interactionId: null, ...by } as const
  for (let from = 0; from < openings.length; from += NAMES_MAX) {
    await accept(tx, [encode({ ...common, openings: openings.slice(from, from + NAMES_MAX) }, 'unwatched')])
  }
}
