/** What a witness answers, as tlog-witness has it, in its order. Pure: what is to be kept is part of the verdict. */
import { isSignedBy, type VerifierKey } from '../note/key.ts'
import { isConsistent } from '../tree/proof.ts'
import type { AddCheckpoint } from './request.ts'

/** The latest head that was cosigned. */
export type Seen = { readonly size: number; readonly root: Buffer }

export type Judgement =
  | { readonly status: 200; readonly keep: Seen }
  | { readonly status: 409; readonly size: number; readonly reason: string }
  | { readonly status: 400 | 403 | 404 | 422; readonly reason: string }

export function judge(
  request: AddCheckpoint | null,
  logs: readonly VerifierKey[],
  seenOf: (origin: string) => Seen | null,
): Judgement {
  if (request === null) return { status: 400, reason: 'not an add-checkpoint request' }
  const { checkpoint, note, oldSize, proof } = request
  const keys = logs.filter(({ name }) => name === checkpoint.origin)
  if (keys.length === 0) return { status: 404, reason: 'the log is not known here' }
  if (!keys.some((key) => isSignedBy(note, key))) return { status: 403, reason: 'not signed by a key of the log' }
  if (oldSize > checkpoint.size) return { status: 400, reason: 'the old size is larger than the new one' }
  const seen = seenOf(checkpoint.origin)
  const size = seen?.size ?? 0
  if (oldSize !== size) return { status: 409, size, reason: 'the old size is not the one that was cosigned last' }
  if (seen !== null && seen.size === checkpoint.size && !seen.root.equals(checkpoint.root)) {
    return { status: 409, size, reason: 'another root of the same size was cosigned' }
  }
  const older = seen ?? { size: 0, root: Buffer.alloc(0) }
  if (!isConsistent(older, checkpoint, proof)) return { status: 422, reason: 'the consistency proof does not verify' }
  return { status: 200, keep: { size: checkpoint.size, root: checkpoint.root } }
}
