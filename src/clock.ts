import type { Brand } from './ids.ts'

export type Milliseconds = Brand<number, 'Milliseconds'>
export type Seconds = Brand<number, 'Seconds'>
/** A moment, as milliseconds since the epoch. */
export type Instant = Brand<number, 'Instant'>

/** Time is an argument, so that code cannot know whether the clock on the wall or a test drives it. */
export type Clock = { now(): Instant }

export const systemClock: Clock = { now: () => Date.now() as Instant }

export const toSeconds = (value: number): Seconds => value as Seconds
export const toMilliseconds = (value: number): Milliseconds => value as Milliseconds
export const toInstant = (value: Date | number | string): Instant => {
  const epoch = typeof value === 'number' ? value : new Date(value).getTime()
  if (!Number.isFinite(epoch)) throw new RangeError('not a moment in time')
  return epoch as Instant
}
/** Wire form of a moment; every date-time the hub emits carries an offset (tpp-api 4.3). */
export const iso = (at: Instant): string => new Date(at).toISOString()
export const epochSeconds = (at: Instant): number => Math.floor(at / 1000)
export const plus = (at: Instant, span: Milliseconds): Instant => (at + span) as Instant
export const secondsToMilliseconds = (span: Seconds): Milliseconds => (span * 1000) as Milliseconds
