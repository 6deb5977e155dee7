/** Where the two lanes leave what they found, and of which source it was found. */
import { createHash } from 'node:crypto'
import { globSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

export type ModuleResult = 'passed' | 'failed' | 'not run'
export type Verdicts = Readonly<Record<string, 'killed' | 'not killed'>>
/** By plan and module id. */
export type ModuleResults = Readonly<Record<string, Readonly<Record<string, ModuleResult>>>>
export type Found<T> = { readonly source: string; readonly results: T }

export const ROOT = join(import.meta.dirname, '../..')
const FOLDER = join(ROOT, '.falaj/conformance')
const JUDGED = ['src/**/*.ts', 'schemas/**/*', 'config/*.json', 'test/conformance/*.ts', 'package-lock.json']

/** Results of two different sources say nothing together. */
export function sourceDigest(): string {
  const hash = createHash('sha256')
  for (const file of globSync(JUDGED, { cwd: ROOT, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort()) {
    hash.update(file.slice(ROOT.length)).update('\0').update(readFileSync(file)).update('\0')
  }
  return hash.digest('hex')
}

/** @throws when the source is another by now than it was when the lane began */
export function keep<T>(lane: 'modules' | 'mutations', found: Found<T>): void {
  if (found.source !== sourceDigest())
    throw new Error('the source was changed while the lane was running: run it again')
  const file = join(FOLDER, `${lane}.json`)
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, `${JSON.stringify(found, null, 2)}\n`)
}

/** @throws when the lane was not run on this source */
export function found<T>(lane: 'modules' | 'mutations', source: string): T {
  const command = lane === 'modules' ? 'npm run test:conformance' : 'npm run test:mutation'
  let kept: Found<T>
  try {
    kept = JSON.parse(readFileSync(join(FOLDER, `${lane}.json`), 'utf8')) as Found<T>
  } catch {
    throw new Error(`no results of ${command}: run it first`)
  }
  if (kept.source !== source) throw new Error(`the results of ${command} are of another source: run it again`)
  return kept.results
}
