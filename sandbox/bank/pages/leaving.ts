/** The last step of an authorization in the browser: out of the session, and back to the TPP. */
import type { Failure } from './failures.ts'
import { HubFailure } from './hub-transport.ts'
import { fail } from './journeys.ts'
import type { Rooms } from './rooms.ts'
import type { Journey, Session } from './session.ts'
import { type Ctx, sendTo } from './visit.ts'

/** Runs the end of a journey and sends the browser where it says. */
export async function leave(
  ctx: Ctx,
  rooms: Rooms,
  visit: { readonly session: Session; readonly journey: Journey },
  end: () => Promise<string>,
): Promise<void> {
  // Before the hub is called, so that a second click finds nothing to decide.
  rooms.sessions.end(visit.session)
  rooms.cookie.clear(ctx)
  try {
    sendTo(ctx, await end())
  } catch (thrown) {
    if (thrown instanceof HubFailure) throw thrown
    // A fault of our own is still the end of the authorization, and the TPP is told so.
    const failure = { stage: 'authorization', reason: 'lfi_internal_error' } as const
    sendTo(ctx, await fail(rooms.hub, visit.journey, visit.session.user, failure))
  }
}

export const leaveWith = (
  ctx: Ctx,
  rooms: Rooms,
  visit: { readonly session: Session; readonly journey: Journey },
  failure: Failure,
): Promise<void> => leave(ctx, rooms, visit, () => fail(rooms.hub, visit.journey, visit.session.user, failure))

/** Ends a journey that took too long; false when there is still time. */
export async function ranOut(ctx: Ctx, rooms: Rooms, session: Session, journey: Journey): Promise<boolean> {
  if (journey.until > rooms.now()) return false
  await leaveWith(ctx, rooms, { session, journey }, { stage: 'authorization', reason: 'session_expired' })
  return true
}
