/** Calls added up by hour and by day. Pure: the same calls give the same figures in any order and any portions. */
import { groupOf } from '../measure.ts'
import { type Grain, startOf } from './calendar.ts'
import { type Call, lfiGroupOf } from './call.ts'

/** Of the contract: 95 of 100 calls of an operation and day must be within it (lfi-api 8). */
export const LIMIT_US = 500_000
const GRAINS: readonly Grain[] = ['hour', 'day']

export type Bucket = {
  readonly grain: Grain
  readonly startsAt: number
  readonly door: string
  readonly apiSet: string
  readonly method: string
  readonly route: string
  readonly organisationId: string
  readonly clientId: string
  readonly tppGroup: string
  readonly lfiGroup: string
}
export type Figures = {
  readonly calls: number
  readonly attended: number
  readonly records: number
  /** Calls that took longer than the contract's limit. */
  readonly overLimit: number
  readonly totalUs: Range
  /** Null where the LFI was not called. */
  readonly lfiUs: Range | null
}
export type Range = { readonly min: number; readonly max: number; readonly sum: number }
export type Rolled = { readonly bucket: Bucket; readonly figures: Figures }

export function rollUp(calls: Iterable<Call>): readonly Rolled[] {
  const found = new Map<string, Rolled>()
  for (const call of calls) {
    for (const grain of GRAINS) {
      const bucket = bucketOf(grain, call)
      const key = JSON.stringify(Object.values(bucket))
      const known = found.get(key)
      const figures = figuresOf(call)
      found.set(key, { bucket, figures: known === undefined ? figures : added(known.figures, figures) })
    }
  }
  return [...found.values()]
}

function bucketOf(grain: Grain, call: Call): Bucket {
  return {
    grain,
    startsAt: startOf(grain, call.at),
    door: call.door,
    apiSet: call.apiSet ?? '',
    // What is no operation of ours has no name of its own: anybody can make up paths.
    method: call.route === null ? '' : call.method,
    route: call.route ?? '',
    organisationId: call.organisationId ?? '',
    clientId: call.clientId ?? '',
    tppGroup: groupOf(call.status),
    lfiGroup: lfiGroupOf(call.lfi) ?? '',
  }
}

function figuresOf({ attended, records, totalUs, lfi }: Call): Figures {
  return {
    calls: 1,
    attended: attended ? 1 : 0,
    records: records ?? 0,
    overLimit: totalUs > LIMIT_US ? 1 : 0,
    totalUs: { min: totalUs, max: totalUs, sum: totalUs },
    lfiUs: lfi === null ? null : { min: lfi.us, max: lfi.us, sum: lfi.us },
  }
}

const added = (one: Figures, other: Figures): Figures => ({
  calls: one.calls + other.calls,
  attended: one.attended + other.attended,
  records: one.records + other.records,
  overLimit: one.overLimit + other.overLimit,
  totalUs: spanning(one.totalUs, other.totalUs),
  lfiUs: one.lfiUs === null || other.lfiUs === null ? (one.lfiUs ?? other.lfiUs) : spanning(one.lfiUs, other.lfiUs),
})

const spanning = (one: Range, other: Range): Range => ({
  min: Math.min(one.min, other.min),
  max: Math.max(one.max, other.max),
  sum: one.sum + other.sum,
})
