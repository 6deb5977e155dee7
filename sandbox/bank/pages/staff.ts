/** Where the bank's own people pause, resume and end consents (lfi-api 2.5, 2.6). */
import type Router from '@koa/router'
import { type Consent, isLive } from './consent.ts'
import { detailPage, staffLoginPage } from './consent-views.ts'
import type { Rooms } from './rooms.ts'
import type { Session } from './session.ts'
import { queryOf, readWanted, staffPage } from './staff-list.ts'
import { type Ctx, ownForm, type State, Stop, sendTo } from './visit.ts'

const WRONG = 'The user name or the password is not right.'

type Act = { readonly admits: (consent: Consent) => boolean; readonly run: (rooms: Rooms, id: string) => Promise<void> }

const ACTS: ReadonlyMap<string, Act> = new Map<string, Act>([
  [
    'suspend',
    { admits: ({ status }) => status === 'Authorized', run: ({ hub }, id) => hub.patch(id, statusOf('Suspended')) },
  ],
  [
    'resume',
    { admits: ({ status }) => status === 'Suspended', run: ({ hub }, id) => hub.patch(id, statusOf('Authorized')) },
  ],
  ['revoke', { admits: isLive, run: ({ hub }, id) => hub.revoke(id, { revokedBy: 'LFI' }) }],
])

const statusOf = (status: string): object => ({
  status,
  'consentBody.Data.Status': status,
  authorizationChannel: 'Web',
})

export function staffRoutes(router: Router<State>, rooms: Rooms): void {
  const { site, hub, sessions, cookie, staffLogin } = rooms
  const home = `${site.base}/staff`

  router.get('/staff', async (ctx) => {
    const session = cookie.read(ctx)
    if (session?.isStaff !== true) {
      const visitor = sessions.open(null)
      cookie.write(ctx, visitor)
      return show(ctx, staffLoginPage(site, visitor, null))
    }
    const wanted = readWanted(new URLSearchParams(ctx.querystring))
    show(ctx, staffPage(site, session, { wanted, found: await hub.find(queryOf(wanted)) }))
  })

  router.post('/staff/login', async (ctx) => {
    const { form, session } = await ownForm(ctx, cookie.read(ctx))
    const result = staffLogin.attempt(session, form.one('username') ?? '', form.one('password') ?? '')
    if (result.kind === 'blocked')
      throw new Stop(429, 'Sign-in is blocked', 'Too many wrong passwords. Try again in five minutes.')
    if (result.kind === 'wrong') {
      ctx.status = 422
      return show(ctx, staffLoginPage(site, session, WRONG))
    }
    cookie.write(ctx, sessions.signInStaff(session))
    sendTo(ctx, home)
  })

  router.get('/staff/consents/:consentId', async (ctx) => {
    const session = staffOf(cookie.read(ctx))
    const id = ctx.params['consentId'] ?? ''
    const [consent, history] = await Promise.all([hub.consent(id), hub.history(id)])
    show(ctx, detailPage(site, session, { consent, history }))
  })

  router.post('/staff/consents/:consentId/:act', async (ctx) => {
    const { session } = await ownForm(ctx, cookie.read(ctx))
    staffOf(session)
    const act = ACTS.get(ctx.params['act'] ?? '')
    if (act === undefined) throw new Stop(404, 'No such page', 'There is nothing at this address.')
    const consent = await hub.consent(ctx.params['consentId'] ?? '')
    // The page may be older than the consent; the hub would refuse as well, with fewer words.
    if (!act.admits(consent))
      throw new Stop(409, 'Not any more', `The consent is ${consent.status} by now, which does not admit this.`)
    await act.run(rooms, consent.id)
    sendTo(ctx, `${home}/consents/${encodeURIComponent(consent.id)}`)
  })
}

function staffOf(session: Session | null): Session {
  if (session?.isStaff === true) return session
  throw new Stop(403, 'For staff only', 'You are not signed in as somebody who works at this bank.')
}

function show(ctx: Ctx, page: string): void {
  ctx.type = 'html'
  ctx.body = page
}
