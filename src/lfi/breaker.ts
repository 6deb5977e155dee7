/**
 * Leaves a part of an LFI alone that does not answer (performance, reliability): once most of its calls fail, none goes
 * out for a while, so that callers hear of it at once and the LFI can recover. Then one call at a time tries whether it
 * has. There is one of these for each class of operations (lfi-operations.ts).
 */
import type { Clock, Instant } from '../clock.ts'

export type Breaker = {
  /** Seconds to wait; null: the call may go out, and `note` must follow. */
  admit(): number | null
  /** `unknown`: the call ended before the LFI could show anything. */
  note(health: Health): void
  standing(): Standing
}
/** How it stands, for whoever looks; looking changes nothing. */
export type Standing = { readonly state: 'closed' | 'open' | 'probing'; readonly waitSeconds: number }
export type Health = 'well' | 'ill' | 'unknown'

const WINDOW_MS = 10_000
const SLICE_MS = 1_000
/** Fewer calls than this prove nothing. */
const CALLS_MIN = 20
const ILL_SHARE = 0.5
const REST_MIN_MS = 2_000
const REST_MAX_MS = 60_000

type Slice = { readonly from: number; calls: number; ill: number }
type State =
  | { readonly kind: 'closed' }
  | { readonly kind: 'open'; readonly until: number; readonly restMs: number }
  /** One call is out to see. */
  | { readonly kind: 'probing'; readonly restMs: number }

export function createBreaker(clock: Clock): Breaker {
  let state: State = { kind: 'closed' }
  let slices: Slice[] = []

  const sliceAt = (now: Instant): Slice => {
    const from = now - (now % SLICE_MS)
    slices = slices.filter((slice) => slice.from > now - WINDOW_MS)
    const last = slices.at(-1)
    if (last?.from === from) return last
    const slice = { from, calls: 0, ill: 0 }
    slices.push(slice)
    return slice
  }
  const isIll = (): boolean => {
    const calls = slices.reduce((sum, slice) => sum + slice.calls, 0)
    const ill = slices.reduce((sum, slice) => sum + slice.ill, 0)
    return calls >= CALLS_MIN && ill / calls >= ILL_SHARE
  }
  const rest = (restMs: number, now: Instant): void => {
    state = { kind: 'open', until: now + restMs, restMs }
    slices = []
  }
  return {
    admit() {
      const now = clock.now()
      switch (state.kind) {
        case 'closed':
          return null
        case 'open':
          if (now < state.until) return secondsOf(state.until - now)
          state = { kind: 'probing', restMs: state.restMs }
          return null
        case 'probing':
          return secondsOf(state.restMs)
      }
    },
    standing: () => ({
      state: state.kind,
      waitSeconds: state.kind === 'open' ? Math.ceil(Math.max(0, state.until - clock.now()) / 1_000) : 0,
    }),
    note(health) {
      const now = clock.now()
      if (state.kind === 'probing') {
        if (health === 'well') state = { kind: 'closed' }
        else if (health === 'ill') rest(Math.min(2 * state.restMs, REST_MAX_MS), now)
        // The next call takes its turn.
        else state = { kind: 'open', until: now, restMs: state.restMs }
        return
      }
      // Calls that were out when the breaker opened have nothing to say any more.
      if (state.kind === 'open' || health === 'unknown') return
      const slice = sliceAt(now)
      slice.calls += 1
      if (health === 'ill') slice.ill += 1
      if (isIll()) rest(REST_MIN_MS, now)
    },
  }
}

const secondsOf = (ms: number): number => Math.max(1, Math.ceil(ms / 1_000))
