/** The way in and out: to the trust framework, back with a code, and a session for whoever may enter. */
import { html } from '../html.ts'
import type { HubContext } from '../listener.ts'
import { note } from './acts/desk.ts'
import { COOKIES, cookieOf, dropCookie, setCookie } from './cookies.ts'
import { localPath } from './guard.ts'
import { barePage, type Frame } from './layout.ts'
import { LOGIN_SECONDS, type Logins } from './logins.ts'
import { LoginRefused, type OpenId, ProviderUnreachable } from './openid.ts'
import { judgePerson } from './person.ts'
import { Refused } from './refused.ts'
import type { Rooms } from './rooms.ts'

export type LoginDeps = { readonly rooms: Rooms; readonly logins: Logins; readonly openId: OpenId }

const CALLBACK_PATH = '/login/callback'

/** False: the request is about something else. */
export async function answerLogin(ctx: HubContext, deps: LoginDeps, frame: Frame): Promise<boolean> {
  if (ctx.method !== 'GET') return false
  if (ctx.path === '/login') {
    ctx.type = 'html'
    ctx.body = loginPage(ctx, frame, deps.rooms.origin)
  } else if (ctx.path === '/login/begin') await begin(ctx, deps)
  else if (ctx.path === CALLBACK_PATH) await complete(ctx, deps)
  else return false
  return true
}

function loginPage(ctx: HubContext, frame: Frame, origin: string): string {
  const { login, portal } = frame.tongue.words.shell
  const query = new URLSearchParams(ctx.querystring)
  const said = { out: login.out, ended: login.ended }[query.get('because') ?? '']
  const begin = `/login/begin?back=${encodeURIComponent(localPath(query.get('back'), origin))}`
  return barePage(frame, {
    title: portal,
    body: html`${said === undefined ? null : html`<p class="note" role="status">${said}</p>`}
<p>${login.why}</p>
<p><a class="button" id="login" href="${begin}">${login.begin}</a></p>`,
  })
}

async function begin(ctx: HubContext, { rooms, logins, openId }: LoginDeps): Promise<void> {
  const start = await openId.begin(`${rooms.origin}${CALLBACK_PATH}`).catch((cause: unknown) => {
    throw cause instanceof ProviderUnreachable ? new Refused('provider', { cause }) : cause
  })
  const back = localPath(new URLSearchParams(ctx.querystring).get('back'), rooms.origin)
  setCookie(ctx, COOKIES.login, logins.begin(start, back), LOGIN_SECONDS)
  ctx.status = 303
  ctx.redirect(start.address)
}

/** RFC 6749 4.1.2 and 10.12, OIDC Core 3.1.3.7: what the library does not hold together is the browser and its state. */
async function complete(ctx: HubContext, { rooms, logins, openId }: LoginDeps): Promise<void> {
  const state = new URLSearchParams(ctx.querystring).get('state')
  const kept = cookieOf(ctx, COOKIES.login)
  dropCookie(ctx, COOKIES.login)
  const begun = state === null || kept === null ? null : await logins.find(kept, state)
  if (begun === null) throw new Refused('state')
  const address = `${rooms.origin}${ctx.url}`
  const claims = await openId.complete({ ...begun, address }).catch((cause: unknown) => {
    if (cause instanceof LoginRefused) throw new Refused('login', { cause })
    throw cause instanceof ProviderUnreachable ? new Refused('provider', { cause }) : cause
  })
  if (!(await logins.useUp(begun))) throw new Refused('state')
  const judged = judgePerson(claims, rooms.tenant, rooms.portal)
  const { correlationId: interactionId } = ctx.state
  const by = (actor: string) => ({ operator: { actor, interactionId } })
  if ('refused' in judged) {
    await note(rooms, by(judged.subject), { act: `login ${judged.refused}`, outcome: 'refused', target: null })
    throw new Refused(judged.refused)
  }
  const { person } = judged
  // Whatever this browser was before, it is somebody new under a new id (session fixation).
  const former = cookieOf(ctx, COOKIES.session)
  if (former !== null) await rooms.sessions.end(former)
  const id = await rooms.sessions.open(person)
  await note(rooms, by(person.subject), { act: 'login', outcome: 'done', target: null, after: person.roles.join(' ') })
  setCookie(ctx, COOKIES.session, id, null)
  ctx.status = 303
  ctx.redirect(begun.back)
}
