/** How long a consent may last, and how long its authorization may take (tpp-api 4.3). */
import { type Instant, plus, toInstant, toMilliseconds } from '../../clock.ts'
import type { Rule } from './rule.ts'

export const endsInTime: Rule = ({ detail, now }) => {
  const expires = toInstant(detail.consent.ExpirationDateTime)
  if (expires <= now) return 'consent.ExpirationDateTime is past'
  return expires > oneYearAfter(now) ? 'consent.ExpirationDateTime is more than one year ahead' : null
}

/** The longest that all authorizers together may take. */
const WINDOW_MAX = toMilliseconds(30 * 24 * 3_600_000)

export const authorizedInTime: Rule = ({ detail, now }) => {
  const { AuthorizationExpirationDateTime: asked, ExpirationDateTime: end } = detail.consent
  if (asked === undefined) return null
  const by = toInstant(asked)
  if (by <= now) return 'consent.AuthorizationExpirationDateTime is past'
  if (by > toInstant(end)) return 'consent.AuthorizationExpirationDateTime is after consent.ExpirationDateTime'
  return by > plus(now, toMilliseconds(WINDOW_MAX + FORGIVEN_MS))
    ? 'consent.AuthorizationExpirationDateTime is more than 30 days ahead'
    : null
}

/** A few minutes are forgiven, because «one year from now» is worked out before it is sent. */
const FORGIVEN_MS = 5 * 60_000

function oneYearAfter(now: Instant): number {
  const limit = new Date(now)
  limit.setUTCFullYear(limit.getUTCFullYear() + 1)
  return limit.getTime() + FORGIVEN_MS
}
