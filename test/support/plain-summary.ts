/** The last line of a run, for whoever counts: `N passed, N failed, N skipped`. */
import type { Reporter, TestModule } from 'vitest/node'

export default class PlainSummary implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    const count = { passed: 0, failed: 0, skipped: 0, pending: 0 }
    let broken = 0
    for (const module of modules) {
      for (const test of module.children.allTests()) count[test.result().state] += 1
      // A file that could not be loaded, or whose hooks failed, has no failing test of its own.
      if (module.state() === 'failed' && [...module.children.allTests('failed')].length === 0) broken += 1
    }
    console.log(`\n${count.passed} passed, ${count.failed + broken} failed, ${count.skipped + count.pending} skipped`)
  }
}
