/** C2SP tlog-checkpoint: origin, size and root, as the text of a signed note. We write no extension lines. */
import { EMPTY_ROOT, hashText, parseHash } from '../tree/hash.ts'
import { type Note, parseNote } from './note.ts'

export type Head = { readonly size: number; readonly root: Buffer }
export type Checkpoint = Head & { readonly origin: string }

const SIZE = /^(0|[1-9][0-9]{0,14})$/

export const checkpointText = ({ origin, size, root }: Checkpoint): string => `${origin}\n${size}\n${hashText(root)}\n`

/** Lines that follow are extensions: opaque, and of other logs. */
export function parseCheckpointText(text: string): Checkpoint | null {
  const [origin = '', size = '', root = '', ...rest] = text.split('\n')
  const hash = parseHash(root)
  const isComplete = rest.pop() === '' && rest.every((line) => line !== '')
  if (origin === '' || !SIZE.test(size) || hash === null || !isComplete) return null
  if (size === '0' && !hash.equals(EMPTY_ROOT)) return null
  return { origin, size: Number(size), root: hash }
}

export type OpenedCheckpoint = { readonly checkpoint: Checkpoint; readonly note: Note }

/** Parsed and not yet believed. */
export function parseCheckpoint(bytes: Buffer): OpenedCheckpoint | null {
  const note = parseNote(bytes)
  const checkpoint = note && parseCheckpointText(note.text)
  return note && checkpoint && { checkpoint, note }
}
