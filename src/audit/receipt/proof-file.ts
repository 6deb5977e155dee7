/**
 * C2SP tlog-proof: one file that proves, without the log, that an entry is in it. The extra line carries, as JSON in
 * base64, the entry's own bytes and what opens its commitments; the proof is about those bytes.
 */
import type { Opening } from '../commitment.ts'
import { hashText } from '../tree/hash.ts'

export const PROOF_MAGIC = 'c2sp.org/tlog-proof@v1'

export type ProofParts = {
  readonly index: number
  readonly path: readonly Buffer[]
  readonly bytes: Buffer
  readonly openings: readonly Opening[]
  readonly note: string
}

export function writeProof({ index, path, bytes, openings, note }: ProofParts): string {
  const extra = JSON.stringify({
    entry: bytes.toString('base64'),
    openings: openings.map(({ field, salt, value }) => ({ field, salt: salt.toString('base64'), value })),
  })
  const lines = [PROOF_MAGIC, `extra ${Buffer.from(extra).toString('base64')}`, `index ${index}`, ...path.map(hashText)]
  return `${lines.join('\n')}\n\n${note}`
}
