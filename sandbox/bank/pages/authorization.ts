/** From the TPP's redirect to the redirect back. */
import type Router from '@koa/router'
import { DATA_SHARING } from './consent.ts'
import type { Failure } from './failures.ts'
import { type Hub, HubFailure } from './hub.ts'
import { approve, eligible, fail } from './journeys.ts'
import type { Login } from './login.ts'
import { JOURNEY_MS, type Journey, type Session, type Sessions } from './session.ts'
import { consentPage, loginPage, type Site } from './templates.ts'
import { type Cookie, type Ctx, ownForm, type State, Stop, sendTo } from './visit.ts'

export type Rooms = {
  readonly site: Site
  readonly hub: Hub
  readonly now: () => number
  readonly sessions: Sessions
  readonly cookie: Cookie
  readonly login: Login
}

const WRONG = 'The user name or the password is not right.'
const CHOOSE = 'Choose at least one account, or do not share.'

export function authorizationRoutes(router: Router<State>, rooms: Rooms): void {
  const { site, hub, sessions, cookie, now } = rooms

  router.get('/authorize', async (ctx) => {
    // Every parameter goes on as it came; the hub alone judges them (lfi-api 1.3).
    const outcome = await hub.auth(ctx.querystring)
    switch (outcome.kind) {
      case 'redirect':
        return sendTo(ctx, outcome.location)
      case 'refused':
        throw new Stop(
          400,
          'This request cannot be trusted',
          `${outcome.description} (${outcome.error})`,
          outcome.interactionId,
        )
      case 'valid':
        return begin(ctx, outcome.interactionId, outcome.consentId)
    }
  })

  async function begin(ctx: Ctx, interactionId: string, consentId: string): Promise<void> {
    const consent = await hub.consent(consentId).catch((thrown: unknown) => unlessHub(thrown))
    if (consent === null) {
      return sendTo(ctx, await hub.fail(interactionId, 'server_error', 'api_hub_communication_error'))
    }
    const journey: Journey = { interactionId, consent, until: now() + JOURNEY_MS }
    if (consent.type !== DATA_SHARING || consent.status !== 'AwaitingAuthorization') {
      return sendTo(ctx, await fail(hub, journey, null, { stage: 'authorization', reason: 'consent_not_supported' }))
    }
    cookie.write(ctx, sessions.open(journey))
    // A reload must not present the request again: the hub takes it once.
    sendTo(ctx, `${site.base}/login`)
  }

  router.get('/login', async (ctx) => {
    const session = cookie.read(ctx)
    if (session?.journey == null) throw noJourney()
    if (await ranOut(ctx, session, session.journey)) return
    if (session.user !== null) return sendTo(ctx, `${site.base}/consent`)
    show(ctx, session, loginPage(site, session, null))
  })

  router.post('/login', async (ctx) => {
    const { form, session } = await ownForm(ctx, cookie.read(ctx))
    const { journey } = session
    if (journey !== null && (await ranOut(ctx, session, journey))) return
    if (journey !== null && form.one('action') === 'cancel') {
      return finish(ctx, session, journey, { stage: 'authentication', reason: 'user_failed_to_authenticate' })
    }
    const result = rooms.login.attempt(session, form.one('username') ?? '', form.one('password') ?? '')
    switch (result.kind) {
      case 'wrong':
        ctx.status = 422
        return show(ctx, session, loginPage(site, session, WRONG))
      case 'blocked':
        if (journey === null)
          throw new Stop(429, 'Sign-in is blocked', 'Too many wrong passwords. Try again in five minutes.')
        return finish(ctx, session, journey, { stage: 'authentication', reason: 'user_account_blocked' })
      case 'known':
        cookie.write(ctx, sessions.signIn(session, result.user))
        return sendTo(ctx, `${site.base}/${journey === null ? 'consents' : 'consent'}`)
    }
  })

  router.get('/consent', async (ctx) => {
    const session = cookie.read(ctx)
    if (session?.journey == null) throw noJourney()
    if (session.user === null) return sendTo(ctx, `${site.base}/login`)
    if (await ranOut(ctx, session, session.journey)) return
    const accounts = eligible(site.book, session.user, session.journey.consent)
    if (accounts.length === 0) {
      return finish(ctx, session, session.journey, { stage: 'authorization', reason: 'user_lacks_eligible_accounts' })
    }
    show(
      ctx,
      session,
      consentPage(site, session, { consent: session.journey.consent, user: session.user, accounts }, null),
    )
  })

  router.post('/consent', async (ctx) => {
    const { form, session } = await ownForm(ctx, cookie.read(ctx))
    const { journey, user } = session
    if (journey === null || user === null) throw noJourney()
    if (await ranOut(ctx, session, journey)) return
    const action = form.one('action')
    if (action === 'refuse') {
      return finish(ctx, session, journey, { stage: 'authorization', reason: 'user_rejected_consent' })
    }
    if (action !== 'approve') throw new Stop(400, 'No decision', 'The form carries no decision.')
    const accounts = eligible(site.book, user, journey.consent)
    const wanted = form.all('account')
    const chosen = accounts.filter(({ id }) => wanted.includes(id))
    if (chosen.length !== new Set(wanted).size)
      throw new Stop(403, 'Not your account', 'The form names an account that cannot be shared.')
    if (chosen.length === 0) {
      ctx.status = 422
      return show(ctx, session, consentPage(site, session, { consent: journey.consent, user, accounts }, CHOOSE))
    }
    leave(ctx, session)
    await orInternalError(ctx, session, journey, () => approve(hub, journey, user, chosen))
  })

  function show(ctx: Ctx, session: Session, page: string): void {
    ctx.state.formTargets = session.journey?.consent.redirectOrigins ?? []
    ctx.type = 'html'
    ctx.body = page
  }

  /** The session ends before the hub is called, so that a second click finds nothing to decide. */
  function leave(ctx: Ctx, session: Session): void {
    sessions.end(session)
    cookie.clear(ctx)
  }

  async function finish(ctx: Ctx, session: Session, journey: Journey, failure: Failure): Promise<void> {
    leave(ctx, session)
    await orInternalError(ctx, session, journey, () => fail(hub, journey, session.user, failure))
  }

  /** A fault of our own is still the end of the authorization, and the TPP is told so. */
  async function orInternalError(
    ctx: Ctx,
    session: Session,
    journey: Journey,
    end: () => Promise<string>,
  ): Promise<void> {
    try {
      sendTo(ctx, await end())
    } catch (thrown) {
      if (thrown instanceof HubFailure) throw thrown
      sendTo(ctx, await fail(hub, journey, session.user, { stage: 'authorization', reason: 'lfi_internal_error' }))
    }
  }

  async function ranOut(ctx: Ctx, session: Session, journey: Journey): Promise<boolean> {
    if (journey.until > now()) return false
    await finish(ctx, session, journey, { stage: 'authorization', reason: 'session_expired' })
    return true
  }
}

const noJourney = (): Stop =>
  new Stop(403, 'Nothing to decide', 'No request is open in this browser. Go back to the app and start again.')

function unlessHub(thrown: unknown): null {
  if (thrown instanceof HubFailure) return null
  throw thrown
}
