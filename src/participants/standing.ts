/** What the operator of an LFI decided about TPPs: each step of an activation by itself, and all of them out at once. */
import type { Audit } from '../audit/index.ts'
import { type Clock, iso, toInstant } from '../clock.ts'
import { type Db, inTransaction, query, type Tx } from '../db.ts'
import type { CorrelationId, TenantId } from '../ids.ts'
import { type ClientRow, effectiveStatus, type LocalStatus } from './client.ts'

export type ParticipantLevel = 'tpp' | 'software-statement' | 'client'
export type Operator = { readonly actor: string; readonly interactionId: CorrelationId | null }

/** A registered application, step by step (lfi-api 7.3): what was decided here, and what the trust framework says. */
export type Standing = {
  readonly clientId: string
  readonly softwareStatementId: string
  readonly organisationId: string
  readonly tppName: string
  readonly clientName: string
  readonly roles: readonly string[]
  readonly registeredAt: string
  readonly local: Readonly<Record<ParticipantLevel, LocalStatus>>
  readonly directory: { readonly tpp: string; readonly softwareStatement: string }
  /** Active only when every step is, here and there. */
  readonly status: LocalStatus
}

export type OperatorSide = {
  /** false: no such record. */
  setStatus(level: ParticipantLevel, id: string, status: LocalStatus, by: Operator): Promise<boolean>
  /** Every TPP, in one transaction: nothing of any is accepted from the next request on. How many were not blocked. */
  blockAll(by: Operator): Promise<number>
  /** In the order of registration. */
  standings(): Promise<readonly Standing[]>
}

const TABLES = {
  tpp: { table: 'tpp', key: 'organisation_id' },
  'software-statement': { table: 'software_statement', key: 'software_statement_id' },
  client: { table: 'client', key: 'client_id' },
} as const satisfies Record<ParticipantLevel, { table: string; key: string }>

type StandingRow = ClientRow & { readonly registered_at: Date }

export function createOperatorSide(deps: {
  readonly db: Db
  readonly tenantId: TenantId
  readonly audit: Audit
  readonly clock: Clock
  /** The join of the three records. */
  readonly select: string
}): OperatorSide {
  const { db, tenantId, audit, clock } = deps
  const note = (tx: Tx, act: string, target: string, { actor, interactionId }: Operator) =>
    audit.append(tx, { kind: 'admin-act', at: clock.now(), interactionId, tenantId, actor, act, target })
  return {
    setStatus: (level, id, status, by) =>
      inTransaction(db, async (tx) => {
        const { table, key } = TABLES[level]
        const changed = await tx(table)
          .where({ [key]: id })
          .update({ status, updated_at: new Date(clock.now()) })
        if (changed === 0) return false
        await note(tx, `${level} ${status}`, id, by)
        return true
      }),
    blockAll: (by) =>
      inTransaction(db, async (tx) => {
        const { rows } = await query<{ readonly organisation_id: string }>(
          tx,
          `update tpp set status = 'blocked', updated_at = ? where status <> 'blocked' returning organisation_id`,
          [new Date(clock.now())],
        )
        for (const { organisation_id: id } of rows) await note(tx, 'tpp blocked', id, by)
        return rows.length
      }),
    standings: async () => {
      const { rows } = await query<StandingRow>(db, `${deps.select} order by c.registered_at, c.client_id`)
      return rows.map(standingOf)
    },
  }
}

const standingOf = (row: StandingRow): Standing => ({
  clientId: row.client_id,
  softwareStatementId: row.software_statement_id,
  organisationId: row.organisation_id,
  tppName: row.tpp_name,
  clientName: row.statement_record.ClientName,
  roles: row.roles,
  registeredAt: iso(toInstant(row.registered_at)),
  local: { tpp: row.tpp_status, 'software-statement': row.statement_status, client: row.client_status },
  directory: { tpp: row.tpp_directory_status, softwareStatement: row.statement_directory_status },
  status: effectiveStatus(row),
})
