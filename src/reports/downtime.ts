/**
 * Unplanned downtime, derived (lfi-api 8): the clock starts at the first failed answer of an operation and stops at
 * the first good one of the same operation. Entries count in the order of the log, so that whoever has the log finds
 * the same periods. A failed heartbeat starts a clock for all operations, a good one stops it.
 */
import type { Accepted } from '../audit/index.ts'
import { answeredAt, type Call, callOf, judgeHub, judgeLfi, lfiAnsweredAt } from './call.ts'

export type Subject = 'lfi' | 'hub'
export type Clocked = {
  readonly subject: Subject
  readonly source: 'calls' | 'heartbeat'
  readonly method: string
  readonly route: string
}
export type Signal = Clocked & { readonly seq: number; readonly at: number; readonly is: 'up' | 'down' }

export function signalsOf(accepted: Accepted): readonly Signal[] {
  const { index: seq, entry } = accepted
  if (seq === null || entry === null) return []
  if (entry.kind === 'system') {
    const is = entry['event'] === 'lfi-down' ? 'down' : entry['event'] === 'lfi-up' ? 'up' : null
    if (is === null) return []
    return [{ subject: 'lfi', source: 'heartbeat', method: '', route: '', seq, at: Date.parse(entry.at), is }]
  }
  const call = callOf(accepted)
  return call === null ? [] : signalsOfCall(call)
}

/** Only operations that are reported on have a clock. */
function signalsOfCall(call: Call): readonly Signal[] {
  const { seq, apiSet, method, route } = call
  if (apiSet === null || route === null) return []
  const common = { source: 'calls', method, route, seq } as const
  const lfi = judgeLfi(call.lfi)
  const hub = judgeHub(call)
  return [
    ...(lfi === null ? [] : [{ ...common, subject: 'lfi', at: lfiAnsweredAt(call), is: lfi } as const]),
    ...(hub === null ? [] : [{ ...common, subject: 'hub', at: answeredAt(call), is: hub } as const]),
  ]
}

export type Change =
  | { readonly kind: 'begin'; readonly signal: Signal }
  /** Never before it began: two calls may overtake each other. */
  | { readonly kind: 'end'; readonly signal: Signal; readonly endedAt: number }

/** Clocks that run; `changes` moves them and says what moved. */
export type Running = Map<string, number>
export const clockKey = ({ subject, source, method, route }: Clocked): string =>
  JSON.stringify([subject, source, method, route])

export function changes(running: Running, signals: Iterable<Signal>): readonly Change[] {
  const found: Change[] = []
  for (const signal of signals) {
    const key = clockKey(signal)
    const began = running.get(key)
    if (signal.is === 'down' && began === undefined) {
      running.set(key, signal.at)
      found.push({ kind: 'begin', signal })
    } else if (signal.is === 'up' && began !== undefined) {
      running.delete(key)
      found.push({ kind: 'end', signal, endedAt: Math.max(began, signal.at) })
    }
  }
  return found
}
