/** Exports built from the description of the format, without the program that writes them. */
import { advance, genesis } from '../../../src/audit/chain.ts'
import { createCheckpointSigner } from '../../../src/audit/checkpoint.ts'
import { encode } from '../../../src/audit/entry.ts'
import { aurora, ENTRIES } from './entries.ts'
import { newAuditKey } from './keys.ts'

export const signer = createCheckpointSigner(aurora, newAuditKey().reveal())
const signedAt = '2026-03-01T08:00:00.000Z'

/** The parts of an export: header, one line per entry, the empty line with the checkpoint behind it. */
export type Parts = { header: string; entries: string[]; checkpoint: string }

export function makeExport(size: number, by = signer, what = 'step'): Parts {
  let position = genesis(aurora)
  const entries: string[] = []
  for (let seq = 1; seq <= size; seq += 1) {
    const { bytes } = encode({ ...ENTRIES.system, event: 'migrated', detail: `${what} ${seq} – ü` })
    position = advance(position, bytes)
    entries.push(`${seq} ${position.head.toString('base64')} ${bytes.toString('utf8')}\n`)
  }
  return {
    header: `falaj-audit-export/v1 ${size} ${by.publicKey}\n`,
    entries,
    checkpoint: `\n${by.sign({ ...position, signedAt })}`,
  }
}

export const joined = ({ header, entries, checkpoint }: Parts): Buffer =>
  Buffer.from([header, ...entries, checkpoint].join(''))
