/**
 * A call in its six stages (ARCHITECTURE 3), and in the fourth the call to the LFI, as a trace shows it. Made of what was
 * measured anyway, and only for calls of which a trace is kept.
 */
import { lfiPart } from '../lfi/index.ts'
import type { Part } from '../spans.ts'
import { newSpanId, type Trace } from '../trace.ts'
import type { Facts } from './facts.ts'
import { arrived, identified } from './pipeline.ts'
import type { Timing } from './stage.ts'

type StageName = 'arrived' | 'identified' | 'permitted' | 'asked' | 'answered' | 'recorded'

const ARRIVED: ReadonlySet<string> = new Set(arrived.stages.map(({ name }) => name))
const IDENTIFIED: ReadonlySet<string> = new Set(identified.stages.map(({ name }) => name))

export type Times = {
  readonly startedAt: number
  readonly renderedAt: number
  readonly recordedAt: number
}

export function partsOf(
  trace: Trace,
  timings: readonly Timing[],
  exchange: Facts['exchange'] | undefined,
  { startedAt, renderedAt, recordedAt }: Times,
): readonly Part[] {
  const part = (name: StageName, from: number, to: number): Part => ({
    name,
    kind: 'internal',
    spanId: newSpanId(),
    parentId: trace.spanId,
    from,
    to,
    operation: null,
    status: null,
    isError: false,
  })
  const parts: Part[] = []
  let from = startedAt
  // Each lasts until the last of its own has ended: what lies between two is the waiting of the second.
  for (const [name, ended] of lastOf(timings)) {
    parts.push(part(name, from, ended))
    from = ended
  }
  const answered = parts.at(-1)
  if (answered?.name === 'answered') parts[parts.length - 1] = { ...answered, to: renderedAt }
  else parts.push(part('answered', from, renderedAt))
  parts.push(part('recorded', renderedAt, recordedAt))
  const asked = parts.find(({ name }) => name === 'asked')
  return exchange === undefined || asked === undefined ? parts : [...parts, lfiPart(exchange, asked.spanId)]
}

/** In the order in which they came; a refusal ends the list where it fell. */
function lastOf(timings: readonly Timing[]): ReadonlyMap<StageName, number> {
  const ends = new Map<StageName, number>()
  let hasAsked = false
  for (const { stage, endedAt, asked } of timings) {
    const name = asked ? 'asked' : hasAsked ? 'answered' : beforeAsking(stage)
    hasAsked ||= asked
    ends.set(name, endedAt)
  }
  return ends
}

const beforeAsking = (stage: string): StageName =>
  ARRIVED.has(stage) ? 'arrived' : IDENTIFIED.has(stage) ? 'identified' : 'permitted'
