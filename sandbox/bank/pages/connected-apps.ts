/** Where a customer sees and ends what they share (lfi-api 2.10). */
import type Router from '@koa/router'
import type { UserSpec } from '../data/spec.ts'
import type { Consent } from './consent.ts'
import { detailPage } from './consent-views.ts'
import { consentsPage } from './consents-page.ts'
import { authorizersPatch, decidedBy, isJoint, isWaitingFor } from './joint.ts'
import type { Rooms } from './rooms.ts'
import { loginPage } from './templates.ts'
import { type Ctx, ownForm, type State, Stop, sendTo } from './visit.ts'

export function connectedAppsRoutes(router: Router<State>, { site, hub, sessions, cookie, now }: Rooms): void {
  /** Of accounts that the user holds with others: what one of those has agreed to, and the user has not yet. */
  const waitingFor = async (user: UserSpec): Promise<readonly Consent[]> => {
    const joint = site.book.accountsOf(user).filter(isJoint)
    const found = await Promise.all(joint.map(({ id }) => hub.consentsOfAccount(id)))
    return found.flat().filter((consent) => isWaitingFor(consent, user.userId))
  }
  const showLogin = (ctx: Ctx): void => {
    const session = sessions.open(null)
    cookie.write(ctx, session)
    ctx.type = 'html'
    ctx.body = loginPage(site, session, null)
  }

  router.get('/consents', async (ctx) => {
    const session = cookie.read(ctx)
    // A login made for one authorization does not open this page, nor the other way round.
    if (session === null || session.journey !== null || session.user === null) return showLogin(ctx)
    const { userId } = session.user
    // The hub filters by user; a slip there must not show one customer another's business.
    const consents = (await hub.consentsOf(userId)).filter((consent) => consent.userId === userId)
    ctx.type = 'html'
    const state = typeof ctx.query['state'] === 'string' ? ctx.query['state'] : ''
    ctx.body = consentsPage(site, session, { consents, waiting: await waitingFor(session.user), state })
  })

  router.get('/consents/:consentId', async (ctx) => {
    const session = cookie.read(ctx)
    if (session === null || session.journey !== null || session.user === null) throw notYours()
    const id = ctx.params['consentId'] ?? ''
    const consent = await hub.consent(id)
    if (consent.userId !== session.user.userId) throw notYours()
    ctx.type = 'html'
    ctx.body = detailPage(site, session, { consent, history: await hub.history(id) })
  })

  router.post('/consents/:consentId/decision', async (ctx) => {
    const { form, session } = await ownForm(ctx, cookie.read(ctx))
    const { user } = session
    if (user === null || session.journey !== null) throw notYours()
    const consent = await hub.consent(ctx.params['consentId'] ?? '')
    if (!isWaitingFor(consent, user.userId)) throw notYours()
    const decision = DECISIONS.get(form.one('action') ?? '')
    if (decision === undefined) throw new Stop(400, 'No decision', 'The form carries no decision.')
    await hub.patch(consent.id, authorizersPatch(decidedBy(consent.authorizers, user.userId, decision, now())))
    sendTo(ctx, `${site.base}/consents`)
  })

  router.post('/consents/:consentId/revoke', async (ctx) => {
    const { session } = await ownForm(ctx, cookie.read(ctx))
    const { user } = session
    if (user === null || session.journey !== null) throw notYours()
    const consent = await hub.consent(ctx.params['consentId'] ?? '')
    if (consent.userId !== user.userId) throw notYours()
    await hub.revoke(consent.id, { revokedBy: 'LFI.InitiatedByUser', revokedByPsu: { userId: user.userId } })
    sendTo(ctx, `${site.base}/consents`)
  })

  router.post('/logout', async (ctx) => {
    const { session } = await ownForm(ctx, cookie.read(ctx))
    sessions.end(session)
    cookie.clear(ctx)
    sendTo(ctx, `${site.base}/consents`)
  })
}

const DECISIONS: ReadonlyMap<string, 'Approved' | 'Rejected'> = new Map([
  ['agree', 'Approved'],
  ['decline', 'Rejected'],
])

const notYours = (): Stop =>
  new Stop(403, 'Not your consent', 'You are not signed in as the person who gave this consent.')
