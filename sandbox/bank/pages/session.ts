/** What the server remembers about one browser. The cookie is a random name for it and nothing else. */
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'
import type { UserSpec } from '../data/spec.ts'
import type { Payee } from '../payments/personal.ts'
import type { Consent } from './consent.ts'

/** An authorization under way: from the hub's good answer to doConfirm or doFail. */
export type Journey = {
  readonly interactionId: string
  readonly consent: Consent
  /** Whom a payment consent names; nobody where it names none, and where it is about data. */
  readonly payees: readonly Payee[]
  readonly until: number
}

export type Session = {
  readonly id: string
  /** Goes into every form; a page of another site cannot know it. */
  readonly csrf: string
  readonly until: number
  user: UserSpec | null
  /** Somebody who works here; never at the same time a customer. */
  readonly isStaff: boolean
  journey: Journey | null
  failures: number
}

export type Sessions = {
  /** `journey: null` is a visit to the connected apps. */
  open(journey: Journey | null): Session
  find(id: string | undefined): Session | null
  /** The same visit under a new name, once its user is known: a name planted before the login dies with it. */
  signIn(session: Session, user: UserSpec): Session
  signInStaff(session: Session): Session
  end(session: Session): void
}

export const JOURNEY_MS = 10 * 60_000
/** Longer than a journey, so that one that ran out can still be ended properly. */
const SESSION_MS = 30 * 60_000
const SESSIONS_MAX = 10_000

export function createSessions(now: () => number): Sessions {
  const kept = new Map<string, Session>()
  const keep = (journey: Journey | null, user: UserSpec | null, isStaff = false): Session => {
    // Insertion order is age: the oldest makes room.
    for (const [id, { until }] of kept) {
      if (until > now() && kept.size < SESSIONS_MAX) break
      kept.delete(id)
    }
    const until = now() + SESSION_MS
    const session: Session = { id: token(), csrf: token(), until, user, isStaff, journey, failures: 0 }
    kept.set(session.id, session)
    return session
  }
  return {
    open: (journey) => keep(journey, null),
    find(id) {
      const session = id === undefined ? undefined : kept.get(id)
      return session === undefined || session.until <= now() ? null : session
    },
    signIn(session, user) {
      kept.delete(session.id)
      return keep(session.journey, user)
    },
    signInStaff(session) {
      kept.delete(session.id)
      return keep(null, null, true)
    },
    end: (session) => void kept.delete(session.id),
  }
}

const token = (): string => randomBytes(16).toString('base64url')

/** Compares without telling by its duration where two texts differ or how long the secret is. */
export function sameSecret(given: string, secret: string): boolean {
  const digest = (value: string) => createHash('sha256').update(value).digest()
  return timingSafeEqual(digest(given), digest(secret))
}
