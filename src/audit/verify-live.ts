/** The same verdict over the tables of a running hub, and what only they can show: lost entries and stragglers. */
import type { Db } from '../db.ts'
import type { TenantId } from '../ids.ts'
import { check, genesis, hashText, type Position } from './chain.ts'
import { openCheckpoint, type PublicKey, parsePublicKey } from './checkpoint.ts'
import { decode } from './entry.ts'
import { type LinkRow, readLinks } from './store.ts'
import type { FirstBad, Verdict } from './verify-export.ts'

export type LiveVerdict = Verdict & {
  /** Accepted and not yet linked. Not a fault; an old one is a reason to look at the sealer. */
  readonly pending: number
  readonly oldestPendingAt: string | null
}

/** The first fault found ends the verification. */
class Fault extends Error {
  readonly bad: FirstBad

  constructor(seq: FirstBad['seq'], reason: string) {
    super(reason)
    this.bad = { seq, reason }
  }
}

type Walk = { position: Position; signedAt: string | null; signedSize: number }

export async function verifyLive(
  db: Db,
  options: { readonly tenantId: TenantId; readonly publicKey: string },
): Promise<LiveVerdict> {
  const key = parsePublicKey(options.publicKey)
  if (key === null || key.tenantId !== options.tenantId) throw new Error('not a public key of this audit log')
  // One snapshot: entries accepted and linked meanwhile are for the next verification.
  return db.transaction(
    async (tx) => {
      const walk: Walk = { position: genesis(options.tenantId), signedAt: null, signedSize: 0 }
      const bad = await walkAll(tx, key, walk)
      return {
        ok: bad === null,
        tenantId: options.tenantId,
        size: walk.position.size,
        head: hashText(walk.position.head),
        signedAt: walk.signedAt,
        publicKey: key.text,
        isKeyGiven: true,
        ...(await queue(tx)),
        ...(bad && { firstBad: bad }),
      }
    },
    { isolationLevel: 'repeatable read', readOnly: true },
  )
}

async function walkAll(db: Db, key: PublicKey, walk: Walk): Promise<FirstBad | null> {
  try {
    await checkCheckpoints(db, key, walk, [walk.position])
    for (let links = await nextLinks(db, walk); links.length > 0; links = await nextLinks(db, walk)) {
      const passed = links.map((link) => {
        walk.position = checkLink(key.tenantId, walk.position, link)
        return walk.position
      })
      await checkCheckpoints(db, key, walk, passed)
    }
    await checkEnd(db, walk)
    return null
  } catch (thrown) {
    if (thrown instanceof Fault) return thrown.bad
    throw thrown
  }
}

const nextLinks = (db: Db, walk: Walk) =>
  readLinks(db, { afterSeq: walk.position.size, toSeq: Number.MAX_SAFE_INTEGER })

function checkLink(tenantId: string, at: Position, link: LinkRow): Position {
  const seq = at.size + 1
  if (link.bytes === null) throw new Fault(seq, 'its link is there, the entry is gone')
  const next = check(tenantId, at, { seq: link.seq, hash: link.hash, bytes: link.bytes })
  if (typeof next === 'string') throw new Fault(seq, next)
  const entry = decode(link.bytes)
  const agrees = (column: string | null, member: unknown) =>
    column === (typeof member === 'string' ? member.toLowerCase() : null)
  if (!agrees(link.interactionId, entry?.interactionId) || !agrees(link.consentId, entry?.['consentId']))
    throw new Fault(seq, 'its lookup columns do not agree with its bytes')
  return next
}

/** Every checkpoint at the positions just passed must be signed, and for the head found there. */
async function checkCheckpoints(db: Db, key: PublicKey, walk: Walk, passed: readonly Position[]): Promise<void> {
  const { rows } = (await db.raw(
    'select size, note from audit_checkpoint where size between ? and ? order by size, id',
    [passed[0]?.size ?? 0, passed.at(-1)?.size ?? 0],
  )) as { rows: { size: string; note: string }[] }
  const first = passed[0]?.size ?? 0
  for (const row of rows) {
    const opened = openCheckpoint(Buffer.from(row.note), key)
    if (!opened.ok) throw new Fault('checkpoint', `of ${row.size} entries: ${opened.reason}`)
    const { size, head, signedAt } = opened.checkpoint
    if (size !== Number(row.size))
      throw new Fault('checkpoint', `signed for ${size} entries and filed under ${row.size}`)
    if (passed[size - first]?.head.equals(head) !== true)
      throw new Fault(walk.signedSize + 1, `it or one after it, up to ${size}, is not what was signed`)
    walk.signedAt = signedAt
    walk.signedSize = size
  }
}

async function checkEnd(db: Db, walk: Walk): Promise<void> {
  const { size } = walk.position
  const { rows } = (await db.raw('select max(size) as size from audit_checkpoint')) as { rows: { size: string }[] }
  const signed = Number(rows[0]?.size ?? 0)
  if (signed > size) throw new Fault(size + 1, `it is missing: a checkpoint was signed for ${signed} entries`)
  if (walk.signedSize < size) throw new Fault(walk.signedSize + 1, 'it is linked, and no checkpoint covers it')
  const lost = (await db.raw(
    `select e.id from audit_entry e
     where not exists (select from audit_link l where l.entry_id = e.id)
       and not exists (select from audit_pending p where p.entry_id = e.id)
     order by e.id limit 1`,
  )) as { rows: { id: string }[] }
  const [entry] = lost.rows
  if (entry) throw new Fault(size + 1, `accepted entry ${entry.id} is neither linked nor waiting to be`)
}

async function queue(db: Db): Promise<{ pending: number; oldestPendingAt: string | null }> {
  const { rows } = (await db.raw(
    `select count(*) as pending, min(e.accepted_at) as oldest
     from audit_pending p left join audit_entry e on e.id = p.entry_id`,
  )) as { rows: { pending: string; oldest: Date | null }[] }
  return { pending: Number(rows[0]?.pending ?? 0), oldestPendingAt: rows[0]?.oldest?.toISOString() ?? null }
}
