/** The plans are whole: as many modules as the suite has, each once, under the suite's names. */
import { expect, test } from 'vitest'
import { PREFIX } from './module.ts'
import { PLANS } from './plans.ts'

test.each([
  ['cbuae', 60],
  ['fapi2-mtls', 43],
  ['fapi2-dpop', 52],
] as const)('%s has %i modules, each once', (name, count) => {
  const ids = PLANS.find((plan) => plan.name === name)?.modules.map(({ id }) => id) ?? []
  expect([ids.length, new Set(ids).size]).toEqual([count, count])
  for (const id of ids) expect(id.startsWith(PREFIX)).toBe(true)
})
