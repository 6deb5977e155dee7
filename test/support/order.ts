/**
 * The longest first: a file of a minute that begins last is a minute in which all but one worker have nothing to do.
 * Vitest knows what files took from its last run, and a fresh checkout has none. The folders are those that start
 * processes; within one the larger file counts as the longer, which is vitest's own guess.
 */
import { relative } from 'node:path'
import { BaseSequencer, type TestSpecification } from 'vitest/node'

/** Of what is not named, nothing takes long. */
const LONGEST_FIRST = [
  'test/loss-proof/',
  'test/sandbox/lifecycle.test.ts',
  'test/docs/guides.test.ts',
  'test/e2e/',
  'test/operations/',
  'test/keys/',
  'test/schemas/parity.test.ts',
  'test/notices/webhooks.test.ts',
  'test/conformance/',
  'test/cli/',
  'test/auth-server/',
  'test/portal/',
  'test/reports/',
  'test/profiles/',
] as const

export default class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rank = (file: TestSpecification): number => {
      const path = relative(file.project.config.root, file.moduleId)
      const at = LONGEST_FIRST.findIndex((beginning) => path.startsWith(beginning))
      return at === -1 ? LONGEST_FIRST.length : at
    }
    const isShared = ({ project }: TestSpecification): number => (project.config.isolate ? 0 : 1)
    const sorted = await super.sort(files)
    // Those that share a worker stay together: between others it would be ended, and have to load everything anew.
    return sorted.toSorted((a, b) => isShared(a) - isShared(b) || rank(a) - rank(b))
  }
}
