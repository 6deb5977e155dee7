/** Who gets into the portal, how long they stay, and whose forms are listened to. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { createOpenId, ProviderUnreachable } from '../../src/portal/openid.ts'
import type { Seen, Visitor } from './support/visitor.ts'
import { createPortalWorld, type PortalWorld, personNamed } from './support/world.ts'

let world: PortalWorld
beforeAll(async () => {
  world = await createPortalWorld()
}, 60_000)
afterAll(() => world.close())
beforeEach(() => world.ahead(0))

const SESSION = '__Host-falaj-portal'
const KEPT = () => `${world.origin} __Host-falaj-login`
const at = (path: string): string => `${world.origin}${path}`
const wordsOf = ({ body }: Seen): string => body.replaceAll(/<[^>]*>/g, ' ').replaceAll(/\s+/g, ' ')
const sessionOf = (browser: Visitor): string | undefined => browser.cookies.get(`${world.origin} ${SESSION}`)
const isLogin = (seen: Seen): boolean => seen.status === 200 && new URL(seen.address).pathname === '/login'

describe('somebody with a role at this bank', () => {
  test('logs in, lands where they wanted to go, and logs out', async () => {
    const browser = world.visitor()
    expect(isLogin(await browser.go(at('/approvals')))).toBe(true)
    const page = await browser.logIn(world.origin, personNamed('jamal'), '/approvals')
    expect(page).toMatchObject({ status: 200, address: at('/approvals') })
    expect(wordsOf(page)).toContain('Jamal Al Hosani')
    expect(wordsOf(page)).toContain('Operator')
    const out = await browser.send(page, '/logout')
    expect(isLogin(out)).toBe(true)
    expect(sessionOf(browser)).toBeUndefined()
    const acts = await world.acts(2)
    expect(acts).toMatchObject([
      { act: 'login', outcome: 'done', actor: personNamed('jamal').subject, after: 'operator' },
      { act: 'logout', outcome: 'done', actor: personNamed('jamal').subject },
    ])
  })

  test('has a cookie of this host alone, that no script reads, and a new one with each login', async () => {
    const browser = world.visitor()
    const back = await browser.walkToReturn(world.origin, personNamed('jamal'))
    const entered = await browser.ask(back)
    const line = (entered.headers['set-cookie'] as readonly string[]).find((each) => each.startsWith(SESSION))
    expect(line).toMatch(/^__Host-falaj-portal=[\w-]{43}; Path=\/; Secure; HttpOnly; SameSite=Lax$/)
    const first = sessionOf(browser)
    const page = await browser.logIn(world.origin, personNamed('bushra'))
    expect([page.status, page.address]).toEqual([200, at('/')])
    expect(sessionOf(browser)).not.toBe(first)
    // The former session went with it: its id opens nothing any more.
    const other = world.visitor()
    other.cookies.set(`${world.origin} ${SESSION}`, first ?? '')
    expect(isLogin(await other.go(at('/')))).toBe(true)
    const { rows } = await world.database.db.raw('select encode(id_digest, ?) as digest from portal_session', [
      'escape',
    ])
    expect(JSON.stringify(rows)).not.toContain(sessionOf(browser))
  })

  test('reads in the language of the browser, or the one that was chosen', async () => {
    const browser = world.visitor()
    const page = await browser.go(at('/login'), { headers: { 'accept-language': 'ar-AE,en;q=0.5' } })
    expect(page.body).toContain('<html lang="ar" dir="rtl">')
    expect((await browser.go(at('/language/en?back=/login'))).body).toContain('<html lang="en" dir="ltr">')
    const again = await browser.go(at('/login'), { headers: { 'accept-language': 'ar' } })
    expect(again.body).toContain('<html lang="en" dir="ltr">')
  })

  test('is led nowhere else by what a link says', async () => {
    for (const back of ['https://evil.example/', '//evil.example/', '/\\evil.example', 'javascript:alert(1)']) {
      const page = await world.visitor().logIn(world.origin, personNamed('jamal'), back)
      expect([back, page.address]).toEqual([back, at('/')])
    }
  })

  test('of two roles may do what either may', async () => {
    const page = await (await world.loggedIn('sara')).go(at('/account'))
    expect(wordsOf(page)).toContain('Operator · Security')
  })
})

describe('is not let in:', () => {
  test.each([
    ['somebody of another bank', 'mansour', 'another organisation', 'login organisation'],
    ['somebody of this bank without a role', 'dina', 'no role', 'login role'],
  ])('%s', async (_who, username, says, act) => {
    const browser = world.visitor()
    const page = await browser.logIn(world.origin, personNamed(username))
    expect(page.status).toBe(403)
    expect(wordsOf(page)).toContain(says)
    expect(sessionOf(browser)).toBeUndefined()
    expect((await world.acts(1)).at(-1)).toMatchObject({
      act,
      outcome: 'refused',
      actor: personNamed(username).subject,
    })
  })

  test('the supervisor is, to read', async () => {
    expect(wordsOf(await (await world.loggedIn('rashid')).go(at('/account')))).toContain('Regulator (read only)')
  })

  test('whoever comes back a second time with the same answer', async () => {
    const browser = world.visitor()
    const back = await browser.walkToReturn(world.origin, personNamed('jamal'))
    const login = browser.cookies.get(KEPT()) ?? ''
    expect((await browser.ask(back)).status).toBe(303)
    browser.cookies.set(KEPT(), login)
    const again = await browser.ask(back)
    expect([again.status, wordsOf(again).includes('This login is over')]).toEqual([400, true])
  })

  test('another browser with the answer that was meant for this one', async () => {
    const back = await world.visitor().walkToReturn(world.origin, personNamed('jamal'))
    const thief = world.visitor()
    expect((await thief.ask(back)).status).toBe(400)
    await thief.ask(at('/login/begin'))
    expect((await thief.ask(back)).status).toBe(400)
    expect(sessionOf(thief)).toBeUndefined()
  })

  test.each<[string, (back: URL) => void, number]>([
    ['a code that is not the provider’s', (back) => back.searchParams.set('code', 'x'.repeat(43)), 400],
    ['a state that nobody began', (back) => back.searchParams.set('state', 'x'.repeat(43)), 400],
    ['no state', (back) => back.searchParams.delete('state'), 400],
    ['another issuer', (back) => back.searchParams.set('iss', 'https://evil.example'), 400],
    [
      'a refusal of the provider',
      (back) => {
        back.searchParams.delete('code')
        back.searchParams.set('error', 'access_denied')
      },
      400,
    ],
  ])('%s', async (_what, change, status) => {
    const browser = world.visitor()
    const back = new URL(await browser.walkToReturn(world.origin, personNamed('jamal')))
    change(back)
    const seen = await browser.ask(back.href)
    expect(seen.status).toBe(status)
    expect(sessionOf(browser)).toBeUndefined()
  })

  test('one of two who come back with the same answer at once, and whoever brings another login than the one that began', async () => {
    const browser = world.visitor()
    const back = await browser.walkToReturn(world.origin, personNamed('jamal'))
    const login = browser.cookies.get(KEPT()) ?? ''
    const withLogin = (value: string): Visitor => {
      const other = world.visitor()
      other.cookies.set(KEPT(), value)
      return other
    }
    const flipped = `${login.slice(0, 40)}${login[40] === 'A' ? 'B' : 'A'}${login.slice(41)}`
    const another = world.visitor()
    await another.ask(at('/login/begin'))
    for (const value of [flipped, login.slice(0, -4), '', 'x', another.cookies.get(KEPT()) ?? '']) {
      expect([value.length, (await withLogin(value).ask(back)).status]).toEqual([value.length, 400])
    }
    // Nothing of that has used it up, and then one of two is let in.
    const both = await Promise.all([withLogin(login).ask(back), withLogin(login).ask(back)])
    expect(both.map(({ status }) => status).sort()).toEqual([303, 400])
  })

  test('nobody because of a flood: a login that begins leaves nothing at the hub, in its own browser alone', async () => {
    const { rows: before } = await world.database.db.raw('select count(*)::int as n from portal_login')
    const flood = await Promise.all(Array.from({ length: 50 }, () => world.visitor().ask(at('/login/begin'))))
    expect([...new Set(flood.map(({ status }) => status))]).toEqual([303])
    const { rows: after } = await world.database.db.raw('select count(*)::int as n from portal_login')
    expect(after).toEqual(before)
    const [first, second] = flood.map(({ headers }) => String(headers['set-cookie']))
    const state = new URL(String(flood[0]?.headers['location'])).searchParams.get('state') ?? ''
    expect(first).toMatch(/^__Host-falaj-login=[\w-]{100,3900}; Path=\/; Secure; HttpOnly; SameSite=Lax; Max-Age=600$/)
    expect(first).not.toBe(second)
    const kept = Buffer.from(/=([^;]+);/.exec(first ?? '')?.[1] ?? '', 'base64url')
    expect([state.length, kept.length > 150, kept.includes(state)]).toEqual([43, true, false])
    // The longest way back that there is still fits.
    const long = `/${'x'.repeat(1_000)}`
    const browser = world.visitor()
    const page = await browser.logIn(world.origin, personNamed('jamal'), long)
    expect(page.address).toBe(at(long))
  })

  test('whoever takes longer than ten minutes at the trust framework', async () => {
    const browser = world.visitor()
    const back = await browser.walkToReturn(world.origin, personNamed('jamal'))
    world.ahead(11)
    expect((await browser.ask(back)).status).toBe(400)
  })
})

describe('a session ends', () => {
  test('after half an hour without a request, and not before', async () => {
    const browser = await world.loggedIn('jamal')
    world.ahead(29)
    expect((await browser.ask(at('/'))).status).toBe(200)
    world.ahead(58)
    expect((await browser.ask(at('/'))).status).toBe(200)
    world.ahead(89)
    const seen = await browser.go(at('/'))
    expect([isLogin(seen), wordsOf(seen).includes('Your session has ended')]).toEqual([true, true])
  })

  test('after eight hours, however busy somebody was', async () => {
    const browser = await world.loggedIn('jamal')
    for (let minutes = 25; minutes < 480; minutes += 25) {
      world.ahead(minutes)
      expect((await browser.ask(at('/account'))).status).toBe(200)
    }
    world.ahead(481)
    expect((await browser.ask(at('/'))).headers['location']).toBe('/login?because=ended&back=%2F')
  })

  test('everywhere at once, if they want it', async () => {
    const [one, two] = [await world.loggedIn('saif'), await world.loggedIn('saif')]
    const somebodyElse = await world.loggedIn('jamal')
    await one.send(await one.go(at('/account')), '/acts/session.end-mine')
    for (const browser of [one, two]) expect(isLogin(await browser.go(at('/')))).toBe(true)
    expect((await somebodyElse.ask(at('/'))).status).toBe(200)
    expect((await world.acts(1)).at(-1)).toMatchObject({
      act: 'session.end-mine',
      outcome: 'done',
      before: '2 sessions',
      after: '0 sessions',
    })
  })
})

describe('a form is refused, and nothing is done,', () => {
  const own = () => ({ origin: world.origin })
  test.each<[string, (csrf: string) => { form: Record<string, string>; headers?: Record<string, string> }]>([
    ['without a token', () => ({ form: {}, headers: own() })],
    ['with another token', (csrf) => ({ form: { csrf: `${csrf.slice(0, -1)}_` }, headers: own() })],
    ['without an origin', (csrf) => ({ form: { csrf }, headers: { origin: '' } })],
    ['of another origin', (csrf) => ({ form: { csrf }, headers: { origin: 'https://evil.example' } })],
    ['of an origin that may not be named', (csrf) => ({ form: { csrf }, headers: { origin: 'null' } })],
    ['of another site', (csrf) => ({ form: { csrf }, headers: { ...own(), 'sec-fetch-site': 'cross-site' } })],
    [
      'of another host of this site',
      (csrf) => ({ form: { csrf }, headers: { ...own(), 'sec-fetch-site': 'same-site' } }),
    ],
  ])('%s', async (_how, sentBy) => {
    const browser = await world.loggedIn('jamal')
    const page = await browser.go(at('/account'))
    const csrf = /name="csrf" value="([^"]+)"/.exec(page.body)?.[1] ?? ''
    expect(csrf).toHaveLength(43)
    for (const path of ['/logout', '/acts/session.end-mine']) {
      const seen = await browser.ask(at(path), sentBy(csrf))
      expect([seen.status, wordsOf(seen).includes('does not come from a page of your session')]).toEqual([403, true])
    }
    expect((await browser.ask(at('/'))).status).toBe(200)
  })

  test('with the token of somebody else’s session', async () => {
    const [jamal, saif] = [await world.loggedIn('jamal'), await world.loggedIn('saif')]
    const csrf = /name="csrf" value="([^"]+)"/.exec((await saif.go(at('/account'))).body)?.[1] ?? ''
    expect((await jamal.ask(at('/logout'), { form: { csrf } })).status).toBe(403)
  })

  test('that is none of ours, and no other method is', async () => {
    const browser = await world.loggedIn('jamal')
    const page = await browser.go(at('/account'))
    expect((await browser.send(page, '/acts/session.end-mine', { csrf: '' })).status).toBe(403)
    const csrf = /name="csrf" value="([^"]+)"/.exec(page.body)?.[1] ?? ''
    for (const act of ['dashboard', 'toString', 'session.end-yours']) {
      expect((await browser.ask(at(`/acts/${act}`), { form: { csrf } })).status).toBe(404)
    }
    expect((await browser.ask(at('/'), { method: 'PUT' })).status).toBe(405)
    expect((await browser.ask(at('/nothing-here'))).status).toBe(404)
  })
})

test('every answer carries the policy, whatever it is', async () => {
  const browser = await world.loggedIn('jamal')
  const asset = /href="(\/assets\/[^"]+css)"/.exec((await browser.go(at('/'))).body)?.[1] ?? ''
  for (const path of ['/', '/login', '/login/begin', '/login/callback', '/nothing-here', asset]) {
    const { headers, body } = await browser.ask(at(path))
    expect([path, headers]).toMatchObject([
      path,
      {
        'content-security-policy':
          "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
        'x-content-type-options': 'nosniff',
        'x-frame-options': 'DENY',
        'referrer-policy': 'same-origin',
        'strict-transport-security': 'max-age=31536000',
        'cache-control': path === asset ? 'public, max-age=31536000, immutable' : 'no-store',
      },
    ])
    expect(body).not.toMatch(/<style|<script(?! src)|style="|\son\w+=/)
  }
})

test('a provider that says less in the id_token is asked at userinfo', async () => {
  const { portal } = world.tenant
  if (portal === undefined) throw new Error('no portal')
  // No id_token has this claim, so whatever else is known of the person comes from userinfo as well.
  const openId = createOpenId({ ...portal, rolesClaim: 'groups' })
  const start = await openId.begin(at('/login/callback'))
  const back = await world.visitor().walkFrom(start.address, at('/login/callback'), personNamed('saif'))
  const claims = await openId.complete({ ...start, address: back })
  expect(claims).toMatchObject({ sub: personNamed('saif').subject, name: 'Saif Al Ketbi', roles: ['hub-security'] })
  await openId.close()
})

test('while the provider is away nobody logs in, and whoever is in stays in', async () => {
  const browser = await world.loggedIn('jamal')
  const late = world.visitor()
  const back = await late.walkToReturn(world.origin, personNamed('saif'))
  await world.framework.stop()
  const seen = await late.ask(back)
  expect([seen.status, wordsOf(seen).includes('The trust framework cannot be reached')]).toEqual([503, true])
  expect(sessionOf(late)).toBeUndefined()
  expect((await browser.ask(at('/'))).status).toBe(200)
  const { portal } = world.tenant
  const fresh = createOpenId(portal ?? expect.fail('no portal'))
  await expect(fresh.begin(at('/login/callback'))).rejects.toThrow(ProviderUnreachable)
  await fresh.close()
})
