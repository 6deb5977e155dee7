/** Vitest reporter of the conformance lane: keeps the result of each module for the report. */
import type { Reporter, TestModule } from 'vitest/node'
import { PREFIX } from './module.ts'
import { keep, type ModuleResult, sourceDigest } from './results.ts'

const RESULTS = { passed: 'passed', failed: 'failed', skipped: 'not run', pending: 'not run' } as const

export default class ConformanceReporter implements Reporter {
  readonly #source = sourceDigest()

  onTestRunEnd(files: readonly TestModule[]): void {
    const results: Record<string, Record<string, ModuleResult>> = {}
    for (const file of files) {
      for (const each of file.children.allTests()) {
        // The name of the plan begins the title of the group.
        const plan = each.parent.type === 'suite' ? /^[\w-]+/.exec(each.parent.name)?.[0] : undefined
        if (plan === undefined || !each.name.startsWith(PREFIX)) continue
        results[plan] = { ...results[plan], [each.name]: RESULTS[each.result().state] }
      }
    }
    keep('modules', { source: this.#source, results })
  }
}
