/**
 * Hands the newest checkpoint to the witnesses and keeps what they sign. Apart from sealing: a witness that is slow,
 * down or in doubt delays nothing, and the next checkpoint is as good for it as the one it missed.
 */
import { setTimeout as pause } from 'node:timers/promises'
import type { Clock } from '../clock.ts'
import { type Db, query } from '../db.ts'
import type { Log } from '../log.ts'
import { latestCheckpoint, type PublishedCheckpoint, tileSource } from './log-store.ts'
import { isSignedBy, type VerifierKey } from './note/key.ts'
import { type NoteSignature, parseNote, parseSignatureLine, signatureLine } from './note/note.ts'
import { consistencyRanges, proofOf, remembered } from './tree/proof.ts'
import { askWitness } from './witness/ask.ts'
import { writeAddCheckpoint } from './witness/request.ts'

export type WitnessEndpoint = {
  readonly key: VerifierKey
  /** Submission prefix. */
  readonly url: string
  /** null: the authorities that Node.js knows. */
  readonly ca: string | null
}

/** Counted since the start, per witness. */
export type WitnessCounts = { readonly cosigned: number; readonly refused: number; readonly failed: number }

export type Witnessing = {
  start(): void
  /** Submits once to each witness that lacks the newest checkpoint. Never rejects for what a witness does. */
  submitNow(): Promise<void>
  counts(): ReadonlyMap<string, WitnessCounts>
  stop(): Promise<void>
}

const INTERVAL_MS = 1_000
const SIZE = /^(0|[1-9][0-9]{0,14})\n$/

/** The witness knows a larger tree than there is here, or another of the same size. */
export class ForkedLogError extends Error {}

export function createWitnessing(deps: {
  readonly db: Db
  readonly witnesses: readonly WitnessEndpoint[]
  readonly clock: Clock
  readonly log: Log
  readonly intervalMs?: number
}): Witnessing {
  const { db, witnesses, clock, log } = deps
  const counts = new Map<string, WitnessCounts>(
    witnesses.map(({ key }) => [key.name, { cosigned: 0, refused: 0, failed: 0 }]),
  )
  let loop: { readonly end: AbortController; readonly done: Promise<void> } | null = null

  const count = (name: string, what: keyof WitnessCounts): void => {
    const before = counts.get(name)
    if (before !== undefined) counts.set(name, { ...before, [what]: before[what] + 1 })
  }
  const submit = async (witness: WitnessEndpoint, checkpoint: PublishedCheckpoint): Promise<void> => {
    const { name } = witness.key
    try {
      if (await isCosigned(db, checkpoint.id, witness.key.text)) return
      const signature = await cosignatureOf(db, witness, checkpoint)
      await query(
        db,
        `insert into audit_cosignature (checkpoint_id, witness, cosigned_at, line) values (?, ?, ?, ?)
         on conflict do nothing`,
        [checkpoint.id, witness.key.text, new Date(clock.now()), signatureLine(signature)],
      )
      count(name, 'cosigned')
    } catch (thrown) {
      const isFork = thrown instanceof ForkedLogError
      count(name, isFork ? 'refused' : 'failed')
      if (isFork) log.fatal({ err: thrown, witness: name }, 'a witness has seen another history of this log')
      else log.warn({ err: thrown, witness: name }, 'a witness did not cosign; the next checkpoint will be tried')
    }
  }
  const submitNow = async (): Promise<void> => {
    const checkpoint = witnesses.length === 0 ? null : await latestCheckpoint(db)
    if (checkpoint !== null) await Promise.all(witnesses.map((witness) => submit(witness, checkpoint)))
  }
  const run = async (end: AbortSignal): Promise<void> => {
    while (!end.aborted) {
      await submitNow().catch((thrown: unknown) => log.warn({ err: thrown }, 'no checkpoint could be submitted'))
      await pause(deps.intervalMs ?? INTERVAL_MS, undefined, { signal: end }).catch(() => undefined)
    }
  }
  return {
    start: () => {
      if (loop !== null || witnesses.length === 0) return
      const end = new AbortController()
      loop = { end, done: run(end.signal) }
    },
    submitNow,
    counts: () => counts,
    stop: async () => {
      loop?.end.abort()
      await loop?.done
      loop = null
    },
  }
}

async function isCosigned(db: Db, checkpointId: string, witness: string): Promise<boolean> {
  const found = await query(db, 'select 1 from audit_cosignature where checkpoint_id = ? and witness = ?', [
    checkpointId,
    witness,
  ])
  return found.rowCount > 0
}

async function cosignatureOf(
  db: Db,
  witness: WitnessEndpoint,
  checkpoint: PublishedCheckpoint,
): Promise<NoteSignature> {
  const known = await query<{ readonly size: string | null }>(
    db,
    `select max(c.size) as size from audit_cosignature k join audit_checkpoint c on c.id = k.checkpoint_id
     where k.witness = ?`,
    [witness.key.text],
  )
  const first = await ask(db, witness, checkpoint, Number(known.rows[0]?.size ?? 0))
  if (typeof first !== 'number') return first
  // What the witness remembers is what counts: our row may be lost, or may not have been written.
  const second = await ask(db, witness, checkpoint, first)
  if (typeof second === 'number') throw new Error('the witness contradicts itself')
  return second
}

/** The cosignature, or the size that the witness wants to be led on from. */
async function ask(
  db: Db,
  witness: WitnessEndpoint,
  { size, signed }: PublishedCheckpoint,
  oldSize: number,
): Promise<NoteSignature | number> {
  const proof = await proofOf(consistencyRanges(oldSize, size), remembered(tileSource(db)))
  const { status, body } = await askWitness(witness, writeAddCheckpoint(oldSize, proof, signed))
  if (status === 200) return findSignature(body, signed, witness.key)
  if (status === 422) throw new ForkedLogError(`from ${oldSize} to ${size} there is no way for it`)
  const wanted = status === 409 ? SIZE.exec(body)?.[1] : undefined
  if (wanted === undefined) throw new Error(`the witness answered ${status}`)
  if (Number(wanted) === oldSize) throw new ForkedLogError(`it has cosigned another root of ${wanted} entries`)
  if (Number(wanted) <= size) return Number(wanted)
  // Another node may have submitted a later checkpoint in between; one that is not ours is another history.
  const now = await latestCheckpoint(db)
  if (now === null || now.size < Number(wanted))
    throw new ForkedLogError(`it has cosigned ${wanted} entries, and this log has ${now?.size ?? 0}`)
  throw new Error('the witness has cosigned a later checkpoint meanwhile')
}

/** Signatures of other keys are ignored, as the witness may have several. */
function findSignature(body: string, signed: string, key: VerifierKey): NoteSignature {
  const note = parseNote(Buffer.from(signed))
  for (const line of body.split('\n')) {
    const signature = parseSignatureLine(line)
    if (note !== null && signature !== null && isSignedBy({ text: note.text, signatures: [signature] }, key)) {
      return signature
    }
  }
  throw new Error('the answer of the witness holds no cosignature of its key')
}
