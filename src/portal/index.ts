/**
 * The portal: pages for the people who run an LFI's hub. Rendered here, no script is needed but for live views; who
 * somebody is, the trust framework says, and what they may do is one table (roles.ts). Every act is a form that is sent
 * to /acts/{name} and passes one desk (acts/desk.ts), which asks the table, a second person where the act is
 * dangerous, and the service that also the command line uses, and leaves an entry in the audit log.
 *
 * How a page is added:
 * 1. its name and who may see it: a row in roles.ts; its heading: a row in words/en/pages.ts and words/ar/pages.ts;
 * 2. its words: a topic words/en/<topic>.ts and words/ar/<topic>.ts, and a line in words/en.ts and words/ar.ts;
 * 3. the page itself: pages/<name>.ts exports a Page (visit.ts) made of the parts in parts.ts, and stands in PAGES of
 *    pages/index.ts, whose order is that of the navigation. It only reads; `show` may answer with a file instead;
 * 4. what can be done on it: for each act a row in roles.ts, a name in words/en/acts.ts and words/ar/acts.ts, and a
 *    verb in acts/ that stands in acts/verbs.ts; the page shows its form with `actForm`, which is nothing for whoever
 *    may not, and has in its fields what was `typed` where that was not taken. `people: 'two'` makes it one that
 *    somebody else has to approve. How somebody does it at the page: a row in test/portal/support/every-act.ts;
 * 5. a service that is not there yet: a member of PortalDeps in rooms.ts, handed in by src/hub.ts.
 * A live view is an element with an id, `data-live` (a path, here the page's own) and `data-every` (seconds).
 * test/portal/pages.test.ts opens every page in both languages and holds it against axe-core: a page with a
 * placeholder has to be given an address there.
 */
import { parseForm, readBody } from '../body.ts'
import type { Migration } from '../db.ts'
import { html } from '../html.ts'
import type { HubApp, HubContext } from '../listener.ts'
import { measuredAs } from '../metrics.ts'
import { createActDesk, note, type Performed } from './acts/desk.ts'
import { createProposals } from './acts/proposals.ts'
import { answerAsset } from './assets.ts'
import { COOKIES, cookieOf, dropCookie, setCookie } from './cookies.ts'
import { faultOf } from './fault.ts'
import { faultOfForm, localPath, protect } from './guard.ts'
import { barePage, type Frame, pageFor } from './layout.ts'
import { answerLogin } from './login.ts'
import { createLogins } from './logins.ts'
import { portalTables } from './migrations/0070-portal.ts'
import { verificationTable } from './migrations/0071-verification.ts'
import { probeTable } from './migrations/0072-probe.ts'
import { proposalSeen } from './migrations/0073-proposal-seen.ts'
import { loginUsed } from './migrations/0074-login-used.ts'
import { createOpenId } from './openid.ts'
import { PAGES, pageAt } from './pages/index.ts'
import { createProbes } from './probes.ts'
import { Refused } from './refused.ts'
import { type ActName, mayDo, RIGHTS } from './roles.ts'
import type { PortalDeps, Rooms } from './rooms.ts'
import { createSessions, type Session } from './sessions.ts'
import { createVerification } from './verification.ts'
import type { Visit } from './visit.ts'
import { preferred, TONGUES, type Tongue, toLanguage } from './words/index.ts'

export type { Done } from './acts/desk.ts'
export type { VerbName } from './acts/given.ts'
export type { Proposal, ProposalState } from './acts/proposals.ts'
export { type CommandDesk, createCommandDesk } from './command-desk.ts'
export { CONSENTS_PER_PAGE, findConsents, placeOf } from './consent-search.ts'
export { type Figures, figuresOf, withinOf } from './figures.ts'
export type { PortalDeps } from './rooms.ts'
export { settingsOf } from './settings.ts'

export const migrations: readonly Migration[] = [portalTables, verificationTable, probeTable, proposalSeen, loginUsed]

export type Portal = {
  mount(app: HubApp): void
  /** Timed work: forgets sessions and logins whose time is over. */
  purge(): Promise<void>
  close(): Promise<void>
}

const FORM_BYTES_MAX = 16_384
const LANGUAGE_SECONDS = 31_536_000

export function createPortal(deps: PortalDeps): Portal {
  const verification = createVerification(deps)
  const rooms: Rooms = {
    ...deps,
    sessions: createSessions(deps),
    proposals: createProposals(deps),
    verification,
    probes: createProbes(deps),
  }
  const login = { rooms, logins: createLogins(deps), openId: createOpenId(deps.portal) }
  const desk = createActDesk(rooms)

  async function answer(ctx: HubContext, frame: Frame): Promise<void> {
    if (answerAsset(ctx) || answerLanguage(ctx, rooms.origin)) return
    if (await answerLogin(ctx, login, frame)) return
    const session = await sessionOf(ctx, rooms)
    if (session === null) return toLogin(ctx, rooms.origin)
    const visit = visitOf(ctx, { rooms, session, tongue: frame.tongue })
    if (ctx.method === 'POST') return post(ctx, visit)
    if (ctx.method !== 'GET') throw new Refused('method')
    await show(ctx, visit, ctx.path)
  }

  async function post(ctx: HubContext, visit: Visit): Promise<void> {
    const form = parseForm(await readBody(ctx.req, FORM_BYTES_MAX))
    const tokens = { shown: form.get('csrf') ?? '', expected: visit.session.csrf }
    const fault = faultOfForm(ctx, rooms.origin, tokens)
    if (fault !== null) {
      ctx.state.log.warn({ fault }, 'form refused')
      throw new Refused('form')
    }
    const { person } = visit.session
    const { interactionId } = visit
    const by = { person, interactionId, operator: { actor: person.subject, interactionId } }
    if (ctx.path === '/logout') {
      await rooms.sessions.end(cookieOf(ctx, COOKIES.session) ?? '')
      await note(rooms, by, { act: 'logout', outcome: 'done', target: null })
      return loggedOut(ctx)
    }
    const name = actNamed(/^\/acts\/([a-z.-]{1,64})$/.exec(ctx.path)?.[1])
    if (name === null) throw new Refused('notFound')
    ctx.state.measured = measuredAs(`portal ${name}`)
    const back = withoutDone(form.get('back') ?? '/', rooms.origin)
    let performed: Performed
    try {
      performed = await desk.perform(name, form, by)
    } catch (thrown) {
      return showAgain(ctx, { ...visit, here: back }, { act: name, form, thrown })
    }
    if (name === 'session.end-mine') return loggedOut(ctx)
    goOn(ctx, withDone(back, performed === 'done' ? name : 'proposed'))
  }

  return {
    mount: (app) => {
      app.use(async (ctx) => {
        protect(ctx)
        const frame = { tongue: tongueOf(ctx), bank: rooms.tenant.name, here: localPath(ctx.url, rooms.origin) }
        try {
          await answer(ctx, frame)
        } catch (thrown) {
          showFault(ctx, frame, thrown)
        }
      })
    },
    purge: () => rooms.sessions.purge(),
    close: async () => {
      await verification.close()
      await login.openId.close()
    },
  }
}

async function show(ctx: HubContext, visit: Visit, path: string): Promise<void> {
  const found = pageAt(path)
  if (found === null) throw new Refused('notFound')
  const { page, parameters } = found
  ctx.state.measured = measuredAs(`portal ${page.name}`)
  if (!visit.may(page.name)) throw new Refused('right')
  const shown = await page.show({ ...visit, parameters })
  if ('file' in shown) {
    // A file to keep is no answer to an act.
    if (visit.failed !== null) throw new Refused('notFound')
    ctx.type = shown.file.type
    ctx.attachment(shown.file.name)
    ctx.body = shown.file.content
    return
  }
  const title = shown.title ?? visit.tongue.words.pages[page.name]
  ctx.type = 'html'
  ctx.body = pageFor(visit, { title, body: shown.body }, { page, pages: PAGES })
}

type Tried = { readonly act: ActName; readonly form: ReadonlyMap<string, string>; readonly thrown: unknown }

/** The page that an act came from, with what was said about the act, and everything in its form as it was typed. */
async function showAgain(ctx: HubContext, visit: Visit, { act, form, thrown }: Tried): Promise<void> {
  const fault = faultOf(ctx, visit.tongue, thrown)
  if (!fault.isTheirs) throw thrown
  const { pathname, searchParams } = new URL(visit.here, visit.rooms.origin)
  try {
    await show(ctx, { ...visit, query: searchParams, failed: { act, form, said: fault.said } }, pathname)
  } catch {
    // That page is none of theirs, or is there no more.
    throw thrown
  }
  ctx.state.measured = measuredAs(`portal ${act}`)
  ctx.status = fault.status
}

/** A person has the language of the cookie, else the browser's. */
const tongueOf = (ctx: HubContext): Tongue =>
  TONGUES[toLanguage(cookieOf(ctx, COOKIES.language)) ?? preferred(ctx.get('accept-language'))]

function answerLanguage(ctx: HubContext, origin: string): boolean {
  const language = toLanguage(/^\/language\/([a-z]{2})$/.exec(ctx.path)?.[1])
  if (language === null || ctx.method !== 'GET') return false
  setCookie(ctx, COOKIES.language, language, LANGUAGE_SECONDS)
  goOn(ctx, localPath(new URLSearchParams(ctx.querystring).get('back'), origin))
  return true
}

async function sessionOf(ctx: HubContext, { sessions }: Rooms): Promise<Session | null> {
  const id = cookieOf(ctx, COOKIES.session)
  return id === null ? null : sessions.find(id)
}

function loggedOut(ctx: HubContext): void {
  dropCookie(ctx, COOKIES.session)
  goOn(ctx, '/login?because=out')
}

/** And from there to the page again: of a form that was sent too late, the one on which it is. */
function toLogin(ctx: HubContext, origin: string): void {
  const because = cookieOf(ctx, COOKIES.session) === null ? '' : 'because=ended&'
  const back = ctx.method === 'GET' ? ctx.url : pathOfReferer(ctx, origin)
  goOn(ctx, `/login?${because}back=${encodeURIComponent(withoutDone(back, origin))}`)
}

function pathOfReferer(ctx: HubContext, origin: string): string {
  const page = URL.parse(ctx.get('referer'))
  return page?.origin === origin && pageAt(page.pathname) !== null ? `${page.pathname}${page.search}` : '/'
}

type Who = { readonly rooms: Rooms; readonly session: Session; readonly tongue: Tongue }

const visitOf = (ctx: HubContext, { rooms, session, tongue }: Who): Visit => ({
  rooms,
  session,
  tongue,
  here: withoutDone(ctx.url, rooms.origin),
  query: new URLSearchParams(ctx.querystring),
  parameters: {},
  failed: null,
  interactionId: ctx.state.correlationId,
  may: (what) => mayDo(session.person.roles, what),
})

/** What the last act left in it is said once. */
function withoutDone(path: string, origin: string): string {
  const url = new URL(localPath(path, origin), origin)
  url.searchParams.delete('done')
  return `${url.pathname}${url.search}`
}

function withDone(path: string, done: string): string {
  const [before = '/', query = ''] = path.split('?', 2)
  const search = new URLSearchParams(query)
  search.set('done', done)
  return `${before}?${search}`
}

function goOn(ctx: HubContext, path: string): void {
  ctx.status = 303
  ctx.redirect(path)
  ctx.body = ''
}

const actNamed = (text: string | undefined): ActName | null =>
  text !== undefined && Object.hasOwn(RIGHTS, text) && text.includes('.') ? (text as ActName) : null

function showFault(ctx: HubContext, frame: Frame, thrown: unknown): void {
  const { refused, back } = frame.tongue.words.shell
  const { status, said } = faultOf(ctx, frame.tongue, thrown)
  ctx.status = status
  if (ctx.status === 405) ctx.set('allow', 'GET, POST')
  ctx.type = 'html'
  ctx.body = barePage(frame, { title: refused.title, body: html`${said}<p><a href="/">${back}</a></p>` })
}
