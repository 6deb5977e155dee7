/**
 * What a witness remembers: the latest head it cosigned of each log. Kept in one file, replaced as a whole: after a
 * crash at any point the file is the old one or the new one, and a cosignature that was handed out is in it.
 */
import { open, readFile, rename } from 'node:fs/promises'
import { dirname } from 'node:path'
import { OperatorError } from '../../errors.ts'
import { hashText, parseHash } from '../tree/hash.ts'
import type { Seen } from './judge.ts'

export type WitnessState = {
  seen(origin: string): Seen | null
  /** Durable when it resolves; until then `seen` still says what it said. */
  keep(origin: string, seen: Seen): Promise<void>
}

type Stored = Readonly<Record<string, { readonly size: number; readonly root: string }>>

/** The file has to be there: a wrong path must not begin a second memory, which would cosign a second history. */
export async function openWitnessState(file: string): Promise<WitnessState> {
  let stored = await readState(file)
  return {
    seen: (origin) => {
      const found = Object.hasOwn(stored, origin) ? stored[origin] : undefined
      const root = found === undefined ? null : parseHash(found.root)
      return found === undefined || root === null ? null : { size: found.size, root }
    },
    keep: async (origin, { size, root }) => {
      const next = { ...stored, [origin]: { size, root: hashText(root) } }
      await replace(file, next)
      stored = next
    },
  }
}

export async function createWitnessState(file: string): Promise<void> {
  const handle = await open(file, 'wx', 0o600)
  await handle.writeFile('{}\n')
  await handle.sync()
  await handle.close()
}

async function readState(file: string): Promise<Stored> {
  let text: string
  try {
    text = await readFile(file, 'utf8')
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code !== 'ENOENT') throw thrown
    throw new OperatorError(`${file} does not exist: begin a witness with --init, or mend stateFile`)
  }
  const stored = parse(text)
  const isSound =
    typeof stored === 'object' &&
    stored !== null &&
    Object.values(stored as Stored).every(({ size, root }) => Number.isSafeInteger(size) && parseHash(root) !== null)
  if (!isSound) throw new OperatorError(`${file} is damaged: a witness without its memory must not sign`)
  return stored as Stored
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}

async function replace(file: string, next: Stored): Promise<void> {
  const temporary = `${file}.next`
  const handle = await open(temporary, 'w', 0o600)
  try {
    await handle.writeFile(`${JSON.stringify(next, null, 2)}\n`)
    await handle.sync()
  } finally {
    await handle.close()
  }
  await rename(temporary, file)
  const folder = await open(dirname(file), 'r')
  try {
    await folder.sync()
  } finally {
    await folder.close()
  }
}
