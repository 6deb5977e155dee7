/** How far a call of a TPP came on its way through the gateway (src/gateway/pipeline.ts), as its record tells. */
import type { FoundCall } from '../../reports/index.ts'

export const STAGES = ['arrived', 'identified', 'permitted', 'asked', 'answered', 'recorded'] as const
export type StageName = (typeof STAGES)[number]
/** `skipped`: the hub answered without the LFI. */
export type StageState = 'done' | 'stopped' | 'skipped' | 'unreached'
export type Stage = { readonly name: StageName; readonly state: StageState; readonly us: number | null }

/** By the first part of the rule (src/refusals.ts); what is not named here is a matter of what the call may do. */
const STOPPED_AT: Readonly<Record<string, StageName>> = {
  route: 'arrived',
  accept: 'arrived',
  'content-type': 'arrived',
  rate: 'arrived',
  token: 'identified',
  certificate: 'identified',
  directory: 'identified',
  client: 'identified',
  proof: 'identified',
}

/** null: another door, which has no such stages. */
export function stagesOf(call: FoundCall): readonly Stage[] | null {
  if (call.door !== 'rs') return null
  const stop = stopOf(call)
  const last = stop === null ? STAGES.length : STAGES.indexOf(stop)
  return STAGES.map((name, at) => ({ name, state: stateOf(call, name, at, last), us: timeOf(call, name, stop) }))
}

function stateOf({ lfi }: FoundCall, name: StageName, at: number, last: number): StageState {
  if (name === 'recorded') return 'done'
  if (at === last) return 'stopped'
  if (name === 'asked' && lfi === null && at < last) return 'skipped'
  // A refusal is an answer too, but the stage of this name makes one out of what the LFI said.
  return at < last ? 'done' : 'unreached'
}

function stopOf({ status, rule, lfi }: FoundCall): StageName | null {
  if (status < 400) return null
  if (rule !== null) return STOPPED_AT[rule.split('.', 1)[0] ?? ''] ?? 'permitted'
  if (lfi === null) return 'permitted'
  const isGood = lfi.outcome === 'answered' && lfi.status !== null && lfi.status < 400
  return isGood || lfi.outcome === 'invalid-response' ? 'answered' : 'asked'
}

/** Up to the call to the LFI the first three are measured together; where it was not called, all of them are. */
function timeOf(call: FoundCall, name: StageName, stop: StageName | null): number | null {
  if (name === 'asked') return call.lfi?.us ?? null
  if (call.lfi !== null) return name === 'permitted' ? call.hubInUs : name === 'answered' ? call.hubOutUs : null
  return name === (stop ?? 'answered') ? call.totalUs : null
}
