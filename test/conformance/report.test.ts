/** CONFORMANCE.md lists the modules and weakenings that there are, and no result but the good one. */
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { MUTATIONS } from './mutations.ts'
import { PLANS } from './plans.ts'
import { REPORT_FILE, render } from './report.ts'
import type { ModuleResults, Verdicts } from './results.ts'

const allPassed: ModuleResults = Object.fromEntries(
  PLANS.map(({ name, modules }) => [name, Object.fromEntries(modules.map(({ id }) => [id, 'passed' as const]))]),
)
const allKilled: Verdicts = Object.fromEntries(MUTATIONS.map(({ name }) => [name, 'killed' as const]))

test('the report is what a run without a fault writes: npm run conformance', () => {
  expect(readFileSync(REPORT_FILE, 'utf8')).toBe(render(allPassed, allKilled))
})

test('a module that failed, or was not run, is told', () => {
  const [first, second] = PLANS[0]?.modules ?? []
  const results: ModuleResults = {
    ...allPassed,
    cbuae: { ...allPassed['cbuae'], [first?.id ?? '']: 'failed', [second?.id ?? '']: 'not run' },
  }
  const text = render(results, allKilled)
  expect(text).toMatch(new RegExp(`\`${first?.id}\` \\| [^|]+ \\| failed \\|`))
  expect(text).toMatch(new RegExp(`\`${second?.id}\` \\| [^|]+ \\| not run \\|`))
})

test('a weakening that survived is told', () => {
  const name = MUTATIONS[0]?.name ?? ''
  const text = render(allPassed, { ...allKilled, [name]: 'not killed' })
  expect(text).toContain(`${MUTATIONS.length - 1} of ${MUTATIONS.length} were noticed`)
  expect(text).toMatch(new RegExp(`\\| ${name} \\| [^|]+ \\| \\d+ \\| not killed \\|`))
})
