/** How the tables of weakenings are written: a sentence about the weakened hub, whom it breaks, and what is changed. */
import { PREFIX, REACHES, type Reach } from './module.ts'
import type { Edit, Mutation } from './mutation.ts'
import { type PlanName, planOf } from './plans.ts'

/** Modules by name; a name that is none is told by the test of the tables. */
export const only = (...names: readonly string[]): readonly string[] => names.map((name) => `${PREFIX}${name}`)

/** Every module of the plan whose positive twin gets that far, but for those that would only wait longer to say it. */
export const reaching = (reach: Reach, plan: PlanName = 'cbuae'): readonly string[] =>
  planOf(plan)
    .modules.filter(({ duration }) => duration === 'instant')
    .filter((module) => REACHES.indexOf(module.reach) >= REACHES.indexOf(reach))
    .map(({ id }) => id)

export const hub = (file: string, find: string, replace: string): Edit => ({ file: `src/${file}`, find, replace })
export const engine = (file: string, find: string, replace: string): Edit => ({
  file: `node_modules/oidc-provider/lib/${file}`,
  find,
  replace,
})

/** The keys of a client are for one algorithm each; without it they verify whatever the JWT says. */
export const WITHOUT_ALGORITHM = hub(
  'auth-server/clients.ts',
  "algorithms.has(alg ?? ''))",
  "algorithms.has(alg ?? '')).map(({ alg: _, ...key }) => key)",
)

export const weakenIn =
  (plan: PlanName) =>
  (name: string, breaks: readonly string[], ...edits: readonly Edit[]): Mutation => ({ name, plan, breaks, edits })

export const weaken = weakenIn('cbuae')
