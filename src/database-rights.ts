/**
 * What a running hub may do to each table, and no more. Whoever migrates owns the tables; the account of the hub may not
 * change them, and of the audit log and the histories it can neither change nor remove a row, whatever becomes of it.
 */
import { type Db, inTransaction, query, takeTurn } from './db.ts'
import { OperatorError } from './errors.ts'

type Right = 'select' | 'insert' | 'update' | 'delete'
const READ = ['select'] as const
const APPEND = ['select', 'insert'] as const
const QUEUE = ['select', 'insert', 'delete'] as const
const KEEP = ['select', 'insert', 'update'] as const
const ALL = ['select', 'insert', 'update', 'delete'] as const

export const RIGHTS: Readonly<Record<string, readonly Right[]>> = {
  audit_entry: APPEND,
  audit_leaf: APPEND,
  audit_tile: APPEND,
  audit_checkpoint: APPEND,
  audit_cosignature: APPEND,
  audit_key: APPEND,
  audit_head: ['select', 'update'],
  audit_pending: QUEUE,
  // A salt is deleted where a person is to be forgotten.
  audit_opening: QUEUE,
  consent: KEEP,
  consent_trail: APPEND,
  consent_version: APPEND,
  consent_tally: ALL,
  consent_slot: ALL,
  consent_ahead: ALL,
  consent_ahead_line: ALL,
  outbox: ALL,
  tpp: KEEP,
  software_statement: KEEP,
  client: KEEP,
  oidc_model: ALL,
  dpop_proof: QUEUE,
  tenant_secret: APPEND,
  tenant_key: ALL,
  // What is old of these goes by a function of the owner (resource-log/migrations/0055-resource-destroy.ts).
  payment_log: KEEP,
  payment_tally: KEEP,
  service_request: KEEP,
  resource_trail: APPEND,
  report_cursor: KEEP,
  report_rollup: ALL,
  report_downtime: ALL,
  report_tally: ALL,
  report_times: ALL,
  outage: ALL,
  deviation: ALL,
  lfi_endpoint: APPEND,
  portal_login: QUEUE,
  portal_session: ALL,
  portal_proposal: KEEP,
  portal_verification: KEEP,
  portal_probe: KEEP,
  // Whoever archives is the owner (src/archive).
  archive_batch: READ,
  archive_going: READ,
  schema_migration: READ,
}

/**
 * Gives `role` these rights in the database of `db`, whose owner asks, and takes others away; at one instant, so that a
 * hub of the role that is running notices nothing.
 * @throws OperatorError where the role would not be held by them: it does not exist, owns the tables, or is above rights.
 */
export async function grantRights(db: Db, role: string): Promise<void> {
  await inTransaction(db, async (tx) => {
    await takeTurn(tx)
    const found = await query<{ readonly is_above: boolean }>(
      tx,
      `select rolsuper or pg_has_role(rolname, current_user, 'member') as is_above from pg_roles where rolname = ?`,
      [role],
    )
    const [standing] = found.rows
    if (standing === undefined) throw new OperatorError(`the database has no role ${role}: create it first`)
    if (standing.is_above) {
      throw new OperatorError(`the role ${role} is not held by rights: it is a superuser, or owns the tables itself`)
    }
    await tx.raw('grant usage on schema public to ??', [role])
    await tx.raw('grant usage on sequence audit_entry_id to ??', [role])
    // It deletes no payment and no history itself; what the policy no longer keeps goes by rules that it cannot change.
    await tx.raw('grant execute on function resource_destroy to ??', [role])
    for (const [table, rights] of Object.entries(RIGHTS)) {
      await tx.raw('revoke all on table ?? from ??', [table, role])
      await tx.raw(`grant ${rights.join(', ')} on table ?? to ??`, [table, role])
    }
  })
}
