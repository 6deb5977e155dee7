/** The body of tlog-witness add-checkpoint: an old size, a consistency proof, an empty line, a checkpoint. */
import { type OpenedCheckpoint, parseCheckpoint } from '../note/checkpoint.ts'
import { hashText, parseHash } from '../tree/hash.ts'

export type AddCheckpoint = OpenedCheckpoint & { readonly oldSize: number; readonly proof: readonly Buffer[] }

const PROOF_LINES_MAX = 63
const OLD = /^old (0|[1-9][0-9]{0,14})$/
export const ADD_CHECKPOINT_BYTES_MAX = 131_072

export const writeAddCheckpoint = (oldSize: number, proof: readonly Buffer[], note: string): string =>
  `${[`old ${oldSize}`, ...proof.map(hashText)].join('\n')}\n\n${note}`

export function parseAddCheckpoint(body: Buffer): AddCheckpoint | null {
  const end = body.indexOf('\n\n')
  if (end < 0) return null
  const [first = '', ...lines] = body.toString('latin1', 0, end).split('\n')
  const oldSize = OLD.exec(first)?.[1]
  const proof = lines.map(parseHash).filter((hash) => hash !== null)
  const opened = parseCheckpoint(body.subarray(end + 2))
  if (oldSize === undefined || proof.length !== lines.length || proof.length > PROOF_LINES_MAX || opened === null) {
    return null
  }
  return { ...opened, oldSize: Number(oldSize), proof }
}
