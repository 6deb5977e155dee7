/**
 * The verdict over the tables of a running hub: they are copied as an export to a folder that does not stay, and the
 * verifier judges that. Nothing is written to the log. Beside it stands what only the tables can show.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Db, query } from '../db.ts'
import { OperatorError } from '../errors.ts'
import { copyLog } from './export/export.ts'
import { openFolder, UNFINISHED } from './export/folder.ts'
import { fieldsDigest, type Plan, planText } from './export/plan.ts'
import { keyHistory, latestCheckpoint } from './log-store.ts'
import { type Verdict, verifyExport } from './verifier/falaj-verify.ts'

export type LiveVerdict = Verdict & {
  /** Accepted and not yet sealed. Not a fault; an old one is a reason to look at the sealer. */
  readonly pending: number
  readonly oldestPendingAt: string | null
  /** Entries neither in the log nor in the queue: a reason to ask who had the database. */
  readonly lost: number
}

export async function verifyLive(db: Db, { publicKey }: { readonly publicKey: string }): Promise<LiveVerdict> {
  const checkpoint = await latestCheckpoint(db)
  const key = (await keyHistory(db)).at(-1)
  if (checkpoint === null || key === undefined) throw new OperatorError('nothing of this log is sealed yet')
  const root = await mkdtemp(join(tmpdir(), 'falaj-audit-'))
  try {
    const folder = openFolder(root)
    const plan: Plan = {
      format: 'falaj-audit-export/v1',
      origin: checkpoint.note.slice(0, checkpoint.note.indexOf('\n')),
      publicKey: key.publicKey,
      size: checkpoint.size,
      first: 0,
      end: checkpoint.size,
      openings: true,
      fields: fieldsDigest(),
    }
    await folder.write('checkpoint', checkpoint.note)
    await folder.write(UNFINISHED, planText(plan))
    await copyLog(db, folder, plan)
    const verdict = verifyExport(root, { key: publicKey })
    const queue = await queueOf(db)
    return { ...verdict, ok: verdict.ok && queue.lost === 0, ...queue }
  } finally {
    await rm(root, { recursive: true, force: true })
  }
}

async function queueOf(db: Db): Promise<Pick<LiveVerdict, 'pending' | 'oldestPendingAt' | 'lost'>> {
  const { rows } = await query<{ readonly pending: string; readonly oldest: Date | null; readonly lost: string }>(
    db,
    `select (select count(*) from audit_pending) as pending,
       (select min(e.accepted_at) from audit_pending p join audit_entry e on e.id = p.entry_id) as oldest,
       (select count(*) from audit_entry e where not exists (select from audit_leaf l where l.entry_id = e.id)
         and not exists (select from audit_pending p where p.entry_id = e.id)) as lost`,
  )
  const [row] = rows
  return {
    pending: Number(row?.pending ?? 0),
    oldestPendingAt: row?.oldest?.toISOString() ?? null,
    lost: Number(row?.lost ?? 0),
  }
}
