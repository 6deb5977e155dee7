/**
 * A stage is one named step of a request path. It ends in one of three ways: it adds its facts, it throws a HubError,
 * or it returns an Answer. The compiler refuses a path in which a stage needs a fact that no earlier stage adds.
 */
import type { ErrorCode } from '../errors.ts'
import { Answer } from './answer.ts'
import type { FactName, Facts } from './facts.ts'
import type { Services } from './services.ts'

type Outcome<Adds extends FactName> = Pick<Facts, Adds> | Answer

export type Stage<Needs extends FactName, Adds extends FactName> = {
  readonly name: string
  readonly needs: readonly Needs[]
  readonly adds: readonly Adds[]
  readonly fails: readonly ErrorCode[]
  run(facts: Pick<Facts, Needs>, services: Services): Outcome<Adds> | Promise<Outcome<Adds>>
}

/** Lets the compiler read needs and adds from the lists, so that they exist at run time as well (test/golden). */
export const stage = <const Needs extends FactName, const Adds extends FactName>(
  definition: Stage<Needs, Adds>,
): Stage<Needs, Adds> => definition

/** A stage of any path; whoever runs it has all facts that it needs. */
export type AnyStage = {
  readonly name: string
  readonly needs: readonly FactName[]
  readonly adds: readonly FactName[]
  readonly fails: readonly ErrorCode[]
  run(facts: Facts, services: Services): Partial<Facts> | Answer | Promise<Partial<Facts> | Answer>
}

export type Path<Known extends FactName> = {
  readonly facts: readonly FactName[]
  readonly stages: readonly AnyStage[]
  /** Facts that whoever walks the path knows without a stage. */
  given<Further extends FactName>(...further: readonly Further[]): Path<Known | Further>
  /** Not called `then`: an object with one would be taken for a promise. */
  step<Needs extends Known, Adds extends FactName>(next: Stage<Needs, Adds>): Path<Known | Adds>
}

export function path<Known extends FactName>(...given: readonly Known[]): Path<Known> {
  return extend<Known>(given, [])
}

function extend<Known extends FactName>(facts: readonly FactName[], stages: readonly AnyStage[]): Path<Known> {
  return {
    facts,
    stages,
    given: (...further) => extend([...facts, ...further], stages),
    step: (next) => extend(facts, [...stages, next]),
  }
}

/** How one stage ended, for the log. */
export type Timing = {
  readonly stage: string
  readonly ms: number
  /** Monotonic. */
  readonly endedAt: number
  /** Whether it was the one that called the LFI. */
  readonly asked: boolean
}

/**
 * Runs the stages one after another and collects their facts in `facts`, which the caller keeps should one of them
 * throw. The answer, or null when the path has run to its end without one.
 */
export async function walk(
  stages: readonly AnyStage[],
  facts: Partial<Facts>,
  services: Services,
  timings: Timing[],
): Promise<Answer | null> {
  for (const next of stages) {
    const startedAt = performance.now()
    let asked = false
    try {
      // Order is the compiler's business (`Path.step`): what this stage needs is there.
      const outcome = next.run(facts as Facts, services)
      const ended = outcome instanceof Promise ? await outcome : outcome
      if (ended instanceof Answer) return ended
      Object.assign(facts, ended)
      asked = 'exchange' in ended
    } finally {
      const endedAt = performance.now()
      timings.push({ stage: next.name, ms: endedAt - startedAt, endedAt, asked })
    }
  }
  return null
}
