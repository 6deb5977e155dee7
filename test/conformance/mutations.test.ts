/** The table of weakenings fits the source and the modules as they are, without a hub being started. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { faultOf } from './mutation.ts'
import { MUTATIONS } from './mutations.ts'
import { PLANS, type PlanName, planOf } from './plans.ts'
import { ROOT } from './results.ts'

const bitten = (plan: PlanName): ReadonlySet<string> =>
  new Set(MUTATIONS.filter((mutation) => mutation.plan === plan).flatMap(({ breaks }) => breaks))

describe('a weakening', () => {
  test('has a name of its own', () => {
    expect(new Set(MUTATIONS.map(({ name }) => name)).size).toBe(MUTATIONS.length)
  })

  test.each(MUTATIONS)('finds its text once: $name', ({ edits }) => {
    const texts = new Map<string, string>()
    for (const edit of edits) {
      const text = texts.get(edit.file) ?? readFileSync(join(ROOT, edit.file), 'utf8')
      expect(faultOf(text, edit)).toBeNull()
      texts.set(
        edit.file,
        text.replace(edit.find, () => edit.replace),
      )
    }
  })

  test.each(MUTATIONS)('breaks modules that its plan has: $name', ({ plan, breaks }) => {
    const ids = planOf(plan as PlanName).modules.map(({ id }) => id)
    expect(breaks.length).toBeGreaterThan(0)
    expect(breaks.filter((id) => !ids.includes(id))).toEqual([])
  })
})

test('every module of cbuae is bitten by at least one', () => {
  const ids = planOf('cbuae').modules.map(({ id }) => id)
  expect(ids.filter((id) => !bitten('cbuae').has(id))).toEqual([])
})

test('every DPoP module is bitten by at least one', () => {
  const added = PLANS.flatMap(({ modules }) => modules).filter(({ group }) => group === 'DPoP')
  expect(added.filter(({ id }) => !bitten('fapi2-dpop').has(id)).map(({ id }) => id)).toEqual([])
})
