/** When a webhook is tried again, and when no more (tpp-api 8.1). */
import { type Instant, plus, secondsToMilliseconds, toMilliseconds } from '../clock.ts'
import type { WebhooksConfig } from '../config.ts'

export type Tried = {
  readonly attempts: number
  readonly since: Instant
  /** What the receiver has asked for. */
  readonly retryAfterSeconds: number | null
}

/**
 * Twice as long each time, and between half and all of that, so that those who failed together do not come back
 * together. Null: given up, after the last attempt or when the next one would be too late.
 */
export function nextAttempt(tried: Tried, config: WebhooksConfig, now: Instant, random: () => number): Instant | null {
  if (tried.attempts >= config.attemptsMax) return null
  const whole = Math.min(config.firstDelayMs * 2 ** (tried.attempts - 1), config.delayMaxMs)
  const delay = Math.max(whole * (0.5 + random() / 2), (tried.retryAfterSeconds ?? 0) * 1000)
  const next = plus(now, toMilliseconds(Math.round(Math.min(delay, config.delayMaxMs))))
  return next > plus(tried.since, secondsToMilliseconds(config.giveUpSeconds)) ? null : next
}
