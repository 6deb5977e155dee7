/** Many modules against one hub, some at a time: each has consents of its own, so none minds another. */
import type { Module } from './module.ts'
import type { Outcomes } from './mutation.ts'
import type { Suite } from './suite.ts'

const AT_ONCE = 6

export async function runModules(modules: readonly Module[], suite: Suite): Promise<Outcomes> {
  const waiting = [...modules]
  const outcomes = new Map<string, Error | null>()
  const work = async () => {
    for (let module = waiting.shift(); module !== undefined; module = waiting.shift()) {
      outcomes.set(module.id, await outcomeOf(module, suite))
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, work))
  return outcomes
}

async function outcomeOf({ run }: Module, suite: Suite): Promise<Error | null> {
  try {
    await run(suite)
    return null
  } catch (thrown) {
    return thrown instanceof Error ? thrown : new Error(String(thrown))
  }
}
