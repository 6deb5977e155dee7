/**
 * The proof that a module bites: one check of a copy of the hub is weakened, and exactly the modules that the weakening
 * is about must turn red. A weakening that nobody notices is an error of the modules; one that cannot be applied any
 * more, or that breaks more than it says, is an error of the table.
 */
import {
  copyFileSync,
  cpSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** In a file of the repository, or below `node_modules/oidc-provider/` where only the engine has the check. */
export type Edit = { readonly file: string; readonly find: string; readonly replace: string }
export type Mutation = {
  readonly name: string
  /** Whose modules are run. */
  readonly plan: string
  readonly edits: readonly Edit[]
  /** Ids of the modules that must fail; all others must pass. */
  readonly breaks: readonly string[]
}

export type Verdict = 'killed' | 'survived' | 'partly survived' | 'broke more' | 'not applicable'
export type Judgement = {
  readonly mutation: string
  readonly verdict: Verdict
  /** Expected to fail, and passed. */
  readonly green: readonly string[]
  /** Expected to pass, and failed. */
  readonly red: readonly string[]
  readonly reason: string
}
/** What each module that was run said: null when it passed. */
export type Outcomes = ReadonlyMap<string, Error | null>

const COPIED = ['src', 'config', 'schemas'] as const
const PACKAGES = 'node_modules'

/** A copy of the repository as far as a hub needs it. Packages are links until one is to be changed. */
export function copyRepository(root: string): string {
  const copy = mkdtempSync(join(tmpdir(), 'falaj-mutation-'))
  for (const folder of COPIED) cpSync(join(root, folder), join(copy, folder), { recursive: true })
  copyFileSync(join(root, 'package.json'), join(copy, 'package.json'))
  mkdirSync(join(copy, PACKAGES))
  for (const name of readdirSync(join(root, PACKAGES))) {
    symlinkSync(join(root, PACKAGES, name), join(copy, PACKAGES, name))
  }
  return copy
}

export const removeCopy = (copy: string): void => rmSync(copy, { recursive: true, force: true })

/** @returns why it cannot be applied, or null when it was */
export function apply(copy: string, root: string, { edits }: Mutation): string | null {
  for (const { file, find, replace } of edits) {
    if (file.startsWith(`${PACKAGES}/`)) unlinkPackage(copy, root, file)
    const text = readFileSync(join(copy, file), 'utf8')
    const fault = faultOf(text, { file, find, replace })
    if (fault !== null) return fault
    writeFileSync(
      join(copy, file),
      text.replace(find, () => replace),
    )
  }
  return edits.length === 0 ? 'it changes nothing' : null
}

export function faultOf(text: string, { file, find, replace }: Edit): string | null {
  const found = text.split(find).length - 1
  if (found !== 1) return `${file} has the text ${found} times: ${find}`
  return find === replace ? `${file}: nothing is changed` : null
}

/** The first edit of a package makes it one's own; the next ones find what the first has made of it. */
function unlinkPackage(copy: string, root: string, file: string): void {
  const name = file.split('/')[1] ?? ''
  const [from, to] = [join(root, PACKAGES, name), join(copy, PACKAGES, name)]
  if (!lstatSync(to).isSymbolicLink()) return
  unlinkSync(to)
  cpSync(from, to, { recursive: true })
}

export function judge({ name, breaks }: Mutation, outcomes: Outcomes): Judgement {
  const failed = [...outcomes].flatMap(([id, error]) => (error === null ? [] : [id]))
  const green = breaks.filter((id) => !failed.includes(id))
  const red = failed.filter((id) => !breaks.includes(id))
  const reason = [
    ...green.map((id) => `still passes: ${id}`),
    ...red.map((id) => `fails too: ${id}: ${first(outcomes.get(id))}`),
  ]
  return { mutation: name, verdict: verdictOf(failed, green, red), green, red, reason: reason.join('\n') }
}

function verdictOf(failed: readonly string[], green: readonly string[], red: readonly string[]): Verdict {
  if (failed.length === 0) return 'survived'
  if (green.length > 0) return 'partly survived'
  return red.length > 0 ? 'broke more' : 'killed'
}

const first = (error: Error | null | undefined): string => error?.message.split('\n')[0] ?? ''

export type Bench = {
  readonly root: string
  /** Starts the hub of a copy, has the modules run against it, and stops it. */
  readonly examine: (copy: string, mutation: Mutation) => Promise<Outcomes>
}

export async function tryMutation({ root, examine }: Bench, mutation: Mutation): Promise<Judgement> {
  const copy = copyRepository(root)
  const impossible = (reason: string): Judgement => ({
    mutation: mutation.name,
    verdict: 'not applicable',
    green: mutation.breaks,
    red: [],
    reason,
  })
  try {
    const fault = apply(copy, root, mutation)
    if (fault !== null) return impossible(fault)
    return judge(mutation, await examine(copy, mutation))
  } catch (thrown) {
    // A hub that does not start is not a weakened one.
    return impossible(thrown instanceof Error ? thrown.message : String(thrown))
  } finally {
    removeCopy(copy)
  }
}
