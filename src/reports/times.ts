/**
 * How long calls took, as histograms: percentiles of hours do not add up to one of the day, counts do, in any order.
 * Bounds are whole microseconds, each a tenth above the one before it, so that the middle of a bucket is within 5 % of
 * whatever is in it; below 20 µs each has a bucket of its own. Ten minutes and longer are the last.
 */
import { type Grain, startOf } from './calendar.ts'
import type { Call } from './call.ts'

/** How far a percentile may be from the one of the calls themselves. */
export const RESOLUTION = 0.05
const LONGEST_US = 600_000_000
const BOUNDS: readonly number[] = boundsUpTo(LONGEST_US)

function boundsUpTo(longest: number): readonly number[] {
  const bounds = [0]
  let bound = 0
  while (bound < longest) {
    bound += Math.max(1, Math.floor(bound / 10))
    bounds.push(bound)
  }
  return bounds
}

/** Calls by bucket. */
export type Times = ReadonlyMap<number, number>
type Segment = 'total' | 'hubIn' | 'lfi' | 'hubOut'
export type BySegment = Readonly<Record<Segment, Times>>
export type Timed = {
  readonly grain: Grain
  readonly startsAt: number
  readonly method: string
  readonly route: string
  readonly times: BySegment
}

const NONE: Times = new Map()
export const NO_TIMES: BySegment = { total: NONE, hubIn: NONE, lfi: NONE, hubOut: NONE }

/** The last bucket that does not begin above it. */
export function bucketOf(us: number): number {
  let [low, high] = [0, BOUNDS.length - 1]
  while (low < high) {
    const middle = Math.ceil((low + high) / 2)
    if ((BOUNDS[middle] ?? 0) <= us) low = middle
    else high = middle - 1
  }
  return low
}

const middleOf = (bucket: number): number => {
  const [first, next] = [BOUNDS[bucket] ?? 0, BOUNDS[bucket + 1]]
  return next === undefined ? first : (first + next - 1) / 2
}

const count = (times: Map<number, number>, us: number): unknown => {
  const bucket = bucketOf(us)
  return times.set(bucket, (times.get(bucket) ?? 0) + 1)
}

export const timesOf = (microseconds: Iterable<number>): Times => {
  const found = new Map<number, number>()
  for (const us of microseconds) count(found, us)
  return found
}

export function merged(one: Times, other: Times): Times {
  const all = new Map(one)
  for (const [bucket, calls] of other) all.set(bucket, (all.get(bucket) ?? 0) + calls)
  return all
}

export const mergedSegments = (one: BySegment, other: BySegment): BySegment => ({
  total: merged(one.total, other.total),
  hubIn: merged(one.hubIn, other.hubIn),
  lfi: merged(one.lfi, other.lfi),
  hubOut: merged(one.hubOut, other.hubOut),
})

export const countOf = (times: Times): number => [...times.values()].reduce((sum, calls) => sum + calls, 0)

/** The smallest time that this share of the calls did not exceed, in microseconds; null: there were none. */
export function percentile(times: Times, share: number): number | null {
  let missing = Math.ceil(countOf(times) * share)
  for (const [bucket, calls] of inOrder(times)) {
    missing -= calls
    if (missing <= 0) return middleOf(bucket)
  }
  return null
}

const inOrder = (times: Times) => [...times].sort(([one], [other]) => one - other)

/** `bucket:calls` with blanks between: only what there is takes place. */
export const written = (times: Times): string =>
  inOrder(times)
    .map(([bucket, calls]) => `${bucket}:${calls}`)
    .join(' ')

export const parsed = (text: string): Times =>
  new Map(
    text === ''
      ? []
      : text.split(' ').map((each) => {
          const [bucket, calls] = each.split(':')
          return [Number(bucket), Number(calls)]
        }),
  )

const GRAINS: readonly Grain[] = ['hour', 'day']

/** Of the calls of TPPs to operations of the gateway. What the LFI is not asked for is all of it before. */
export function timed(calls: Iterable<Call>): readonly Timed[] {
  const found = new Map<string, Timed & { readonly times: Counting }>()
  for (const { door, method, route, at, totalUs, hubInUs, hubOutUs, lfi } of calls) {
    if (door !== 'rs' || route === null) continue
    for (const grain of GRAINS) {
      const startsAt = startOf(grain, at)
      const key = JSON.stringify([grain, startsAt, method, route])
      const known = found.get(key) ?? { grain, startsAt, method, route, times: counting() }
      found.set(key, known)
      const { times } = known
      count(times.total, totalUs)
      count(times.hubIn, lfi === null ? totalUs : (hubInUs ?? 0))
      if (lfi === null) continue
      count(times.lfi, lfi.us)
      count(times.hubOut, hubOutUs ?? 0)
    }
  }
  return [...found.values()]
}

type Counting = Readonly<Record<Segment, Map<number, number>>>
const counting = (): Counting => ({ total: new Map(), hubIn: new Map(), lfi: new Map(), hubOut: new Map() })
