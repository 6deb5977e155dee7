/** What an export will hold: the tree of which checkpoint, and which entries of it. Settled once, then carried out. */
import { createHash } from 'node:crypto'
import { type Db, query } from '../../db.ts'
import { OperatorError } from '../../errors.ts'
import { FIELDS } from '../fields.ts'
import { TILE_WIDTH } from '../tree/tiles.ts'

/** The manifest as written, member by member. */
export type Plan = {
  readonly format: 'falaj-audit-export/v1'
  readonly origin: string
  readonly publicKey: string
  readonly size: number
  readonly first: number
  readonly end: number
  readonly openings: boolean
  readonly fields: string
}

/** Hours of UTC in which entries were sealed; without an end, up to now. */
export type Period = { readonly from?: Date; readonly to?: Date }

export const fieldsFile = (): string => `${JSON.stringify(FIELDS, null, 1)}\n`
export const fieldsDigest = (): string => createHash('sha256').update(fieldsFile()).digest('base64')
export const planText = (plan: Plan): string => `${JSON.stringify(plan)}\n`

export function parsePlan(text: string): Plan {
  const plan = JSON.parse(text) as Plan
  if (plan.format !== 'falaj-audit-export/v1' || plan.fields !== fieldsDigest())
    throw new OperatorError('the unfinished export was begun by another release: remove it and begin anew')
  return plan
}

/**
 * The entries of a period, in whole bundles. An hour entry stands before what was sealed in its hour; one hour more is
 * taken at the end, as an entry may be recorded in one hour and sealed in the next.
 */
export async function rangeOf(db: Db, period: Period, size: number): Promise<{ first: number; end: number }> {
  const sizeAt = async (sql: string, at: Date): Promise<number | null> => {
    const { rows } = await query<{ readonly size: string | null }>(db, sql, [at])
    const found = rows[0]?.size ?? null
    return found === null ? null : Number(found)
  }
  const { from, to } = period
  const begin =
    from === undefined
      ? 0
      : ((await sizeAt('select max(size) as size from audit_checkpoint where hour <= ?', from)) ?? 1) - 1
  const stop =
    to === undefined
      ? size
      : ((await sizeAt(
          `select min(size) as size from audit_checkpoint where hour >= ?::timestamptz + interval '1 hour'`,
          to,
        )) ?? size)
  const first = Math.floor(begin / TILE_WIDTH) * TILE_WIDTH
  return { first, end: Math.min(size, Math.ceil(stop / TILE_WIDTH) * TILE_WIDTH) }
}
