/** From the TPP's redirect to the redirect back (lfi-api 1.7). */
import type Router from '@koa/router'
import type { UserSpec } from '../data/spec.ts'
import { Refusal } from '../ozone-connect/refusal.ts'
import type { Payee } from '../payments/personal.ts'
import { type Consent, DATA_SHARING } from './consent.ts'
import { HubFailure } from './hub-transport.ts'
import { INSURANCE } from './insurance.ts'
import { approve, fail, type Offer, offerTo } from './journeys.ts'
import { leave, leaveWith, ranOut } from './leaving.ts'
import { PAYMENT } from './payment.ts'
import { paymentPage } from './payment-page.ts'
import type { Rooms } from './rooms.ts'
import { JOURNEY_MS, type Journey, type Session } from './session.ts'
import { consentPage, loginPage } from './templates.ts'
import { type Ctx, ownForm, type State, Stop, sendTo } from './visit.ts'

const WRONG = 'The user name or the password is not right.'
const CHOOSE = 'Choose at least one account, or do not share.'
const CHOOSE_POLICY = 'Choose at least one policy, or do not share.'
const CHOOSE_ONE = 'Choose the one account to pay from, or do not pay.'

export function authorizationRoutes(router: Router<State>, rooms: Rooms): void {
  router.get('/authorize', (ctx) => authorize(ctx, rooms))
  router.get('/login', (ctx) => askToSignIn(ctx, rooms))
  router.post('/login', (ctx) => signIn(ctx, rooms))
  router.get('/consent', (ctx) => askForConsent(ctx, rooms))
  router.post('/consent', (ctx) => decide(ctx, rooms))
}

async function authorize(ctx: Ctx, rooms: Rooms): Promise<void> {
  // The router answers HEAD as well; the hub takes a request once, and a mere look must not spend it.
  if (ctx.method !== 'GET') throw new Stop(405, 'Not here', 'This address is for visits only.')
  // Every parameter goes on as it came; the hub alone judges them (lfi-api 1.3).
  const outcome = await rooms.hub.auth(ctx.querystring)
  switch (outcome.kind) {
    case 'redirect':
      return sendTo(ctx, outcome.location)
    case 'refused': {
      const reason = `${outcome.description} (${outcome.error})`
      throw new Stop(400, 'This request cannot be trusted', reason, outcome.interactionId)
    }
    case 'valid':
      return begin(ctx, rooms, outcome.interactionId, outcome.consentId)
  }
}

async function begin(ctx: Ctx, rooms: Rooms, interactionId: string, consentId: string) {
  const { hub, sessions, cookie, site, now } = rooms
  const consent = await hub.consent(consentId).catch(unlessHub)
  if (consent === null) {
    return sendTo(ctx, await hub.fail(interactionId, 'server_error', 'api_hub_communication_error'))
  }
  const payees = await payeesOf(consent, rooms)
  const journey: Journey = { interactionId, consent, payees: payees ?? [], until: now() + JOURNEY_MS }
  if (!OFFERED.includes(consent.type) || consent.status !== 'AwaitingAuthorization' || payees === null) {
    return sendTo(ctx, await fail(hub, journey, null, { stage: 'authorization', reason: 'consent_not_supported' }))
  }
  cookie.write(ctx, sessions.open(journey))
  // A reload must not present the request again: the hub takes it once.
  sendTo(ctx, `${site.base}/login`)
}

const OFFERED = [DATA_SHARING, PAYMENT, INSURANCE]

/** null: the consent names somebody, and we cannot read whom; nobody agrees to pay a stranger. */
async function payeesOf({ payment }: Consent, { personal }: Rooms): Promise<readonly Payee[] | null> {
  if (payment === null) return []
  if (payment.personal === null) return null
  try {
    return await personal.payees(payment.personal, payment.sender)
  } catch (thrown) {
    if (thrown instanceof Refusal) return null
    throw thrown
  }
}

async function askToSignIn(ctx: Ctx, rooms: Rooms): Promise<void> {
  const { session, journey } = openJourney(rooms.cookie.read(ctx))
  if (await ranOut(ctx, rooms, session, journey)) return
  if (session.user !== null) return sendTo(ctx, `${rooms.site.base}/consent`)
  show(ctx, session, loginPage(rooms.site, session, null))
}

/** Serves both logins: the one within an authorization and the one for the connected apps. */
async function signIn(ctx: Ctx, rooms: Rooms): Promise<void> {
  const { form, session } = await ownForm(ctx, rooms.cookie.read(ctx))
  const { journey } = session
  if (journey !== null && (await ranOut(ctx, rooms, session, journey))) return
  if (journey !== null && form.one('action') === 'cancel') {
    const failure = { stage: 'authentication', reason: 'user_failed_to_authenticate' } as const
    return leaveWith(ctx, rooms, { session, journey }, failure)
  }
  const result = rooms.login.attempt(session, form.one('username') ?? '', form.one('password') ?? '')
  switch (result.kind) {
    case 'wrong':
      ctx.status = 422
      return show(ctx, session, loginPage(rooms.site, session, WRONG))
    case 'blocked': {
      if (journey === null)
        throw new Stop(429, 'Sign-in is blocked', 'Too many wrong passwords. Try again in five minutes.')
      const failure = { stage: 'authentication', reason: 'user_account_blocked' } as const
      return leaveWith(ctx, rooms, { session, journey }, failure)
    }
    case 'known':
      rooms.cookie.write(ctx, rooms.sessions.signIn(session, result.user))
      return sendTo(ctx, `${rooms.site.base}/${journey === null ? 'consents' : 'consent'}`)
  }
}

async function askForConsent(ctx: Ctx, rooms: Rooms): Promise<void> {
  const { session, journey } = openJourney(rooms.cookie.read(ctx))
  const { user } = session
  if (user === null) return sendTo(ctx, `${rooms.site.base}/login`)
  if (await ranOut(ctx, rooms, session, journey)) return
  const offer = offerTo(rooms.site.book, user, journey.consent)
  if (offer.accounts.length + offer.policies.length === 0) {
    const failure = { stage: 'authorization', reason: 'user_lacks_eligible_accounts' } as const
    return leaveWith(ctx, rooms, { session, journey }, failure)
  }
  show(ctx, session, decisionPage(rooms, session, { journey, user, offer }, null))
}

function decisionPage(
  { site }: Rooms,
  session: Session,
  view: { readonly journey: Journey; readonly user: UserSpec; readonly offer: Offer },
  problem: string | null,
): string {
  const { journey, user, offer } = view
  const { consent, payees } = journey
  return consent.payment === null
    ? consentPage(site, session, { consent, user, ...offer }, problem)
    : paymentPage(site, session, { consent, payment: consent.payment, payees, user, ...offer }, problem)
}

async function decide(ctx: Ctx, rooms: Rooms): Promise<void> {
  const { form, session: visitor } = await ownForm(ctx, rooms.cookie.read(ctx))
  const { session, journey } = openJourney(visitor)
  const { user } = session
  if (user === null) throw noJourney()
  if (await ranOut(ctx, rooms, session, journey)) return
  const action = form.one('action')
  if (action === 'refuse') {
    return leaveWith(ctx, rooms, { session, journey }, { stage: 'authorization', reason: 'user_rejected_consent' })
  }
  if (action !== 'approve') throw new Stop(400, 'No decision', 'The form carries no decision.')
  const offer = offerTo(rooms.site.book, user, journey.consent)
  const wanted = form.all('account')
  const chosen: Offer = {
    accounts: offer.accounts.filter(({ id }) => wanted.includes(id)),
    policies: offer.policies.filter(({ id }) => wanted.includes(id)),
  }
  const count = chosen.accounts.length + chosen.policies.length
  if (count !== new Set(wanted).size) {
    throw new Stop(403, 'Not your account', 'The form names an account that cannot be shared.')
  }
  const isPayment = journey.consent.payment !== null
  if (count === 0 || (isPayment && count > 1)) {
    ctx.status = 422
    const words = isPayment ? CHOOSE_ONE : journey.consent.insurance === null ? CHOOSE : CHOOSE_POLICY
    return show(ctx, session, decisionPage(rooms, session, { journey, user, offer }, words))
  }
  await leave(ctx, rooms, { session, journey }, () => approve(rooms.hub, journey, user, chosen, rooms.now()))
}

function show(ctx: Ctx, session: Session, page: string): void {
  ctx.state.formTargets = session.journey?.consent.redirectOrigins ?? []
  ctx.type = 'html'
  ctx.body = page
}

function openJourney(session: Session | null): { readonly session: Session; readonly journey: Journey } {
  if (session?.journey == null) throw noJourney()
  return { session, journey: session.journey }
}

const noJourney = (): Stop =>
  new Stop(403, 'Nothing to decide', 'No request is open in this browser. Go back to the app and start again.')

function unlessHub(thrown: unknown): null {
  if (thrown instanceof HubFailure) return null
  throw thrown
}
