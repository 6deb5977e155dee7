import { createLocalJWKSet, jwtVerify } from 'jose'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import { type BankUser, bankUsers } from '../../sandbox/bank/bank.ts'
import { type Browser, openBrowser } from './bank-browser.ts'
import { type Asked, BACK, CONSENT_ID, consentRecord, createStandIn } from './bank-hub-stand-in.ts'
import { AUDIENCE_OF_HUB, createRig, type Rig, withoutUuids } from './bank-rig.ts'

const QUERY = 'client_id=c-1&request_uri=urn%3Aietf%3Aparams%3Aoauth%3Arequest_uri%3A1'
const hub = createStandIn()
let rig: Rig
let browser: Browser
const browsers: Browser[] = []

beforeAll(async () => {
  rig = await createRig('aurora', hub.handle)
})
afterAll(async () => {
  for (const one of browsers) await one.close()
  await rig.close()
})
beforeEach(() => {
  hub.reset()
  browser = openBrowser(rig)
  browsers.push(browser)
})
afterEach(() => vi.useRealTimers())

const users = bankUsers('aurora')
const userWith = (words: string): BankUser => {
  const user = users.find(({ story }) => story.includes(words))
  if (user === undefined) throw new Error(`no user ${words}`)
  return user
}
const plain = userWith('credit card')
const newcomer = userWith('empty')
const [current, , card] = plain.accountIds
const calls = (): readonly string[] => hub.asked.map(({ method, path }) => `${method} ${path}`)
const askedFor = (call: string): Asked => {
  const found = hub.asked.find(({ method, path }) => `${method} ${path}` === call)
  if (found === undefined) throw new Error(`${call} was not asked; only ${calls().join(', ')}`)
  return found
}
const PATCH = `PATCH /consents/${CONSENT_ID}`
const CONFIRM = 'POST /auth/interaction-1/doConfirm'
const FAIL = 'POST /auth/interaction-1/doFail'
const failure = () => Object.fromEntries(new URLSearchParams(askedFor(FAIL).body))

async function arrive(): Promise<void> {
  expect((await browser.get(`/authorize?${QUERY}`)).location).toBe('/banks/aurora/login')
  expect((await browser.get('/login')).status).toBe(200)
}
const signIn = (user: Pick<BankUser, 'username' | 'password'>) =>
  browser.post('/login', { action: 'login', username: user.username, password: user.password })
async function arriveAndSignIn(user: BankUser = plain): Promise<string> {
  await arrive()
  expect((await signIn(user)).location).toBe('/banks/aurora/consent')
  return (await browser.get('/consent')).text
}

describe('an authorization', () => {
  test('goes from the TPP through login and consent back to the TPP', async () => {
    const page = await arriveAndSignIn()
    for (const words of [
      'Wadi Money',
      'Wadi Budget',
      'Corner Ledger',
      'To help you budget',
      'Your balances and credit lines',
      'From 1 January 2026 to 31 December 2026',
      '1 March 2027',
      'Layla Haddad',
      CONSENT_ID,
    ]) {
      expect(page).toContain(words)
    }
    for (const id of plain.accountIds) expect(page).toContain(`id="account-${id}"`)
    const done = await browser.post('/consent', { action: 'approve', account: [current ?? '', card ?? ''] })
    expect([done.status, done.location]).toEqual([303, `${BACK}?code=c%2B1&state=s%20t&iss=https%3A%2F%2Fauth1`])
    expect(calls()).toEqual(['GET /auth', `GET /consents/${CONSENT_ID}`, PATCH, CONFIRM])
    expect(JSON.parse(askedFor(PATCH).body)).toEqual({
      status: 'Authorized',
      'consentBody.Data.Status': 'Authorized',
      psuIdentifiers: { userId: plain.userId },
      accountIds: [current, card],
      authorizationChannel: 'Web',
    })
    expect(askedFor(CONFIRM).contentType).toBe('application/x-www-form-urlencoded')
    expect(browser.cookie).toBeNull()
  })

  test('every call to the hub is made with our certificate and a fresh token of its own', async () => {
    await arriveAndSignIn()
    await browser.post('/consent', { action: 'approve', account: current ?? '' })
    const keys = createLocalJWKSet({ keys: [rig.bankKey.jwk] })
    const seen = new Set<unknown>()
    for (const { authorization, caller } of hub.asked) {
      expect(caller).toBe('aurora-organisation')
      const { payload, protectedHeader } = await jwtVerify(authorization.replace('Bearer ', ''), keys, {
        algorithms: ['PS256'],
        issuer: 'Aurora Bank PJSC',
        subject: 'aurora-organisation',
        audience: AUDIENCE_OF_HUB,
        requiredClaims: ['jti', 'iat', 'exp'],
      })
      expect(protectedHeader).toMatchObject({ typ: 'JOSE', cty: 'json' })
      expect((payload.exp ?? 0) - (payload.iat ?? 0)).toBeLessThanOrEqual(30)
      seen.add(payload.jti)
    }
    expect(seen.size).toBe(4)
  })

  test('hands every parameter on as it came', async () => {
    const odd = `${QUERY}&response_type=code&scope=openid+accounts&unknown=%7e%2F+a&empty=&x=1&x=2`
    await browser.get(`/authorize?${odd}`)
    expect(askedFor('GET /auth').query).toBe(odd)
  })

  test('leads to the address of a 303 without altering it, and opens no session', async () => {
    const location = `${BACK}?error=invalid_request&error_description=a%20b|c&state=%7B"x"%7D`
    hub.answers.set('GET /auth', { status: 303, location })
    const reply = await browser.get(`/authorize?${QUERY}`)
    expect([reply.status, reply.location, browser.setCookie]).toEqual([303, location, ''])
  })

  test('is not begun by a mere look', async () => {
    expect((await browser.head(`/authorize?${QUERY}`)).status).toBe(405)
    expect(calls()).toEqual([])
  })

  test('stops on a page, never with a redirect, when the client cannot be trusted', async () => {
    hub.answers.set('GET /auth', {
      status: 400,
      location: BACK,
      body: { error: 'invalid_client', error_description: 'unknown <client>', interactionId: 'int-77' },
    })
    const reply = await browser.get(`/authorize?${QUERY}`)
    expect([reply.status, reply.location]).toEqual([400, null])
    expect(reply.text).toContain('unknown &lt;client&gt; (invalid_client)')
    expect(reply.text).toContain('<code id="interaction-id">int-77</code>')
  })

  test.each([500, 401, 204, 200])('stops on a page when the hub answers %s without sense', async (status) => {
    hub.answers.set('GET /auth', { status, ...(status === 200 ? { body: { interaction: {} } } : {}) })
    const reply = await browser.get(`/authorize?${QUERY}`)
    expect([reply.status, reply.location]).toEqual([502, null])
  })

  test('offers only accounts that the consent’s filters admit', async () => {
    hub.consent = consentRecord({}, { AccountType: ['Retail'], AccountSubType: ['CreditCard'] })
    const page = await arriveAndSignIn()
    expect(page.match(/name="account"/g)).toHaveLength(1)
    expect(page).toContain(`id="account-${card}"`)
    expect(page).not.toContain(`id="account-${current}"`)
  })

  test('does not offer a closed account, and says that a frozen one is frozen', async () => {
    const frozen = userWith('frozen')
    const page = await arriveAndSignIn(frozen)
    expect(page).toContain(`id="account-${frozen.accountIds[0]}"`)
    expect(page).toContain('frozen at present')
    expect(page).not.toContain(`id="account-${frozen.accountIds[2]}"`)
  })

  test('asks again when no account is chosen', async () => {
    await arriveAndSignIn()
    const reply = await browser.post('/consent', { action: 'approve' })
    expect(reply.status).toBe(422)
    expect(reply.text).toContain('Choose at least one account')
    expect(calls()).not.toContain(PATCH)
    expect((await browser.post('/consent', { action: 'approve', account: current ?? '' })).status).toBe(303)
  })

  test('refuses an account of somebody else, or one that the filters exclude', async () => {
    hub.consent = consentRecord({}, { AccountSubType: ['CreditCard'] })
    await arriveAndSignIn()
    for (const account of [newcomer.accountIds[0] ?? '', current ?? '', [card ?? '', 'acc-0']]) {
      expect((await browser.post('/consent', { action: 'approve', account })).status).toBe(403)
    }
    expect(calls()).not.toContain(PATCH)
  })

  test('is decided once, however often the button is pressed', async () => {
    await arriveAndSignIn()
    const { cookie } = browser
    const press = () => browser.post('/consent', { action: 'approve', account: current ?? '' })
    const first = press()
    browser.cookie = cookie
    const second = press()
    expect([(await first).status, (await second).status].toSorted()).toEqual([303, 403])
    browser.cookie = cookie
    expect((await press()).status).toBe(403)
    expect(calls().filter((call) => call === PATCH)).toHaveLength(1)
  })
})

describe('an authorization that ends without consent', () => {
  const rejected = (user: BankUser | null) => ({
    status: 'Rejected',
    'consentBody.Data.Status': 'Rejected',
    ...(user === null ? {} : { psuIdentifiers: { userId: user.userId } }),
    authorizationChannel: 'Web',
  })

  test('refused by the user', async () => {
    await arriveAndSignIn()
    const reply = await browser.post('/consent', { action: 'refuse' })
    expect([reply.status, reply.location]).toEqual([303, `${BACK}?error=some&state=s%20t`])
    expect(JSON.parse(askedFor(PATCH).body)).toEqual(rejected(plain))
    expect(failure()).toEqual({ error: 'access_denied', error_description: 'user_rejected_consent' })
    expect(calls().indexOf(PATCH)).toBeLessThan(calls().indexOf(FAIL))
  })

  test('cancelled before signing in: the consent stays as it is', async () => {
    await arrive()
    expect((await browser.post('/login', { action: 'cancel' })).status).toBe(303)
    expect(failure()).toEqual({ error: 'access_denied', error_description: 'user_failed_to_authenticate' })
    expect(calls()).not.toContain(PATCH)
  })

  test('no eligible account', async () => {
    hub.consent = consentRecord({}, { AccountType: ['Corporate'] })
    await arrive()
    await signIn(plain)
    expect((await browser.get('/consent')).location).toBe(`${BACK}?error=some&state=s%20t`)
    expect(JSON.parse(askedFor(PATCH).body)).toEqual(rejected(plain))
    expect(failure()).toEqual({ error: 'invalid_request', error_description: 'user_lacks_eligible_accounts' })
  })

  test.each([
    ['a consent of another type', { consentType: 'cbuae-service-initiation-consents' }],
    ['a consent that was decided before', { status: 'Authorized' }],
  ])('%s is not supported', async (_, change) => {
    hub.consent = consentRecord(change)
    expect((await browser.get(`/authorize?${QUERY}`)).location).toBe(`${BACK}?error=some&state=s%20t`)
    expect(JSON.parse(askedFor(PATCH).body)).toEqual(rejected(null))
    expect(failure()).toEqual({ error: 'access_denied', error_description: 'consent_not_supported' })
  })

  test.each([
    ['the consent cannot be read', 'GET'],
    ['the approval cannot be stored', 'PATCH'],
  ])('%s', async (_, method) => {
    hub.answers.set(`${method} /consents/${CONSENT_ID}`, { status: 400, body: { errorCode: 'Consent.Invalid' } })
    if (method === 'GET') await browser.get(`/authorize?${QUERY}`)
    else {
      await arriveAndSignIn()
      const reply = await browser.post('/consent', { action: 'approve', account: current ?? '' })
      expect(reply.location).toBe(`${BACK}?error=some&state=s%20t`)
    }
    expect(failure()).toEqual({ error: 'server_error', error_description: 'api_hub_communication_error' })
    expect(calls()).not.toContain(CONFIRM)
  })

  test('the refusal cannot be stored: the TPP is not told that the user refused', async () => {
    hub.answers.set(PATCH, { status: 500 })
    await arriveAndSignIn()
    expect((await browser.post('/consent', { action: 'refuse' })).status).toBe(303)
    expect(failure()).toEqual({ error: 'server_error', error_description: 'api_hub_communication_error' })
  })

  test('doFail itself fails: a page, not a redirect', async () => {
    hub.answers.set(FAIL, { status: 500 })
    await arriveAndSignIn()
    const reply = await browser.post('/consent', { action: 'refuse' })
    expect([reply.status, reply.location]).toEqual([502, null])
  })

  test('the time runs out', async () => {
    await arriveAndSignIn()
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 11 * 60_000 })
    const reply = await browser.post('/consent', { action: 'approve', account: current ?? '' })
    expect(reply.status).toBe(303)
    expect(JSON.parse(askedFor(PATCH).body)).toEqual(rejected(plain))
    expect(failure()).toEqual({ error: 'access_denied', error_description: 'session_expired' })
    vi.setSystemTime(Date.now() + 3_600_000)
    expect((await browser.get('/consent')).status).toBe(403)
  })
})

describe('signing in', () => {
  test('a wrong password shows the same page with a message', async () => {
    await arrive()
    const reply = await signIn({ ...plain, password: 'wrong' })
    expect(reply.status).toBe(422)
    expect(reply.text).toContain('role="alert"')
    for (const id of ['username', 'password', 'login', 'cancel']) expect(reply.text).toContain(`id="${id}"`)
    expect((await browser.get('/consent')).location).toBe('/banks/aurora/login')
    expect((await signIn(plain)).location).toBe('/banks/aurora/consent')
  })

  test.each([
    ['of a user', 'omar'],
    ['of nobody', 'nobody-here'],
  ])('five wrong passwords %s block the name, also for the right one and another browser', async (_, username) => {
    await arrive()
    for (let failures = 1; failures <= 4; failures++)
      expect((await signIn({ username, password: 'x' })).status).toBe(422)
    expect((await signIn({ username, password: 'x' })).location).toBe(`${BACK}?error=some&state=s%20t`)
    expect(failure()).toEqual({ error: 'access_denied', error_description: 'user_account_blocked' })
    expect(calls()).not.toContain(PATCH)
    hub.reset()
    browser = openBrowser(rig)
    browsers.push(browser)
    await arrive()
    const right = users.find((user) => user.username === username)?.password ?? 'x'
    await signIn({ username, password: right })
    expect(failure()).toMatchObject({ error_description: 'user_account_blocked' })
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 6 * 60_000 })
    await arrive()
    expect((await signIn({ username, password: right })).status).toBe(username === 'omar' ? 303 : 422)
  })

  test('five wrong passwords of five names end the visit', async () => {
    await arrive()
    for (const username of ['a1', 'a2', 'a3', 'a4'])
      expect((await signIn({ username, password: 'x' })).status).toBe(422)
    expect((await signIn({ username: 'a5', password: 'x' })).status).toBe(303)
    expect(failure()).toMatchObject({ error_description: 'user_account_blocked' })
  })

  test('the session gets a new name: one planted before the login is worth nothing after it', async () => {
    await arrive()
    const planted = browser.cookie
    expect(planted).not.toBeNull()
    await signIn(plain)
    expect(browser.cookie).not.toBe(planted)
    const thief = openBrowser(rig)
    browsers.push(thief)
    thief.cookie = planted
    expect((await thief.get('/consent')).status).toBe(403)
    // A name of the attacker's own making is never taken over.
    browser.cookie = '__Secure-aurora-session=AAAAAAAAAAAAAAAAAAAAAA'
    await arrive()
    expect(browser.cookie).not.toContain('AAAAAAAAAAAAAAAAAAAAAA')
  })

  test('the cookie is random, secure, out of reach for scripts, and for our path only', async () => {
    await arrive()
    expect(browser.setCookie).toMatch(
      /^__Secure-aurora-session=[A-Za-z0-9_-]{22}; Path=\/banks\/aurora; Secure; HttpOnly; SameSite=Lax$/,
    )
  })
})

describe('forms of others', () => {
  test.each([
    ['without the token', { csrf: null }],
    ['with a wrong token', { csrf: 'AAAAAAAAAAAAAAAAAAAAAA' }],
    ['with two tokens', { csrf: ['a', 'b'] }],
  ])('%s are refused on every page', async (_, fields) => {
    await arriveAndSignIn()
    const forged = {
      action: 'approve',
      account: current ?? '',
      username: plain.username,
      password: plain.password,
      ...fields,
    }
    for (const path of ['/consent', '/login', `/consents/${CONSENT_ID}/revoke`, '/logout']) {
      expect((await browser.post(path, forged)).status).toBe(403)
    }
    expect(calls()).not.toContain(PATCH)
  })

  test('without our cookie are refused', async () => {
    await arriveAndSignIn()
    browser.cookie = null
    expect((await browser.post('/consent', { action: 'approve', account: current ?? '' })).status).toBe(403)
  })

  test('a page of an older request cannot decide on a newer one', async () => {
    await arriveAndSignIn()
    const reply = await browser.post('/consent', {
      action: 'approve',
      account: current ?? '',
      interaction: 'interaction-0',
    })
    expect([reply.status, calls().includes(PATCH)]).toEqual([409, false])
  })

  test('too large or of another kind are refused', async () => {
    await arriveAndSignIn()
    expect((await browser.post('/consent', { action: 'approve', account: 'x'.repeat(20_000) })).status).toBe(415)
  })

  test('one may not decide before signing in', async () => {
    await arrive()
    expect((await browser.post('/consent', { action: 'approve', account: current ?? '' })).status).toBe(403)
    expect((await browser.get('/consents')).text).toContain('id="login"')
    expect(calls()).not.toContain(PATCH)
  })
})

describe('what is shown', () => {
  const EVIL = `<script>alert(1)</script>"'><img src=x onerror=alert(2)>&amp;`

  test('a TPP’s name, purpose and permissions are text, whatever they contain', async () => {
    hub.consent = consentRecord(
      {
        tpp: {
          tppName: EVIL,
          decodedSsa: { client_name: EVIL.toUpperCase(), redirect_uris: ["https://x.example/';script-src *"] },
        },
      },
      {
        OnBehalfOf: { TradingName: EVIL },
        Permissions: ['ReadBalances', EVIL],
        OpenFinanceBilling: { Purpose: EVIL },
        FromDate: EVIL,
        ExpirationDateTime: EVIL,
      },
    )
    await browser.get(`/authorize?${QUERY}`)
    const login = await browser.get('/login')
    await signIn(plain)
    const consent = await browser.get('/consent')
    for (const { text, headers } of [login, consent]) {
      expect(text).not.toMatch(/<script|<img|onerror=alert\(2\)>&amp;[^a]/i)
      expect(text).toContain(
        '&lt;script&gt;alert(1)&lt;/script&gt;&quot;&#39;&gt;&lt;img src=x onerror=alert(2)&gt;&amp;amp;',
      )
      expect(headers['content-security-policy']).not.toContain('script-src')
    }
  })

  test('every permission of the contract has words, and one without is shown by its code', async () => {
    const every = [
      'ReadAccountsBasic ReadAccountsDetail ReadBalances ReadBeneficiariesBasic ReadBeneficiariesDetail',
      'ReadFXTransactionsBasic ReadFXTransactionsDetail ReadFXRemittanceCharges ReadTransactionsBasic',
      'ReadTransactionsDetail ReadProduct ReadScheduledPaymentsBasic ReadScheduledPaymentsDetail ReadDirectDebits',
      'ReadStandingOrdersBasic ReadStandingOrdersDetail ReadStatements ReadPartyUser ReadPartyUserIdentity ReadParty',
      'ReadProductFinanceRates ReadConsents',
    ].flatMap((line) => line.split(' '))
    hub.consent = consentRecord({}, { Permissions: [...every, 'ReadTheFuture'] })
    const page = await arriveAndSignIn()
    const section = page.slice(page.indexOf('id="permissions"'), page.indexOf('id="accounts"'))
    expect(section.match(/<li>/g)).toHaveLength(every.length + 1)
    expect(section.match(/Read[A-Z]\w+/g)).toEqual(['ReadTheFuture'])
  })

  test('the history window is said only where something reaches back', async () => {
    hub.consent = consentRecord({}, { Permissions: ['ReadBalances'] })
    expect(await arriveAndSignIn()).not.toContain('How far back')
  })

  test('every answer carries the protecting headers, and no page carries a script', async () => {
    await arriveAndSignIn()
    for (const path of ['/consent', '/consents', '/style.css', '/nothing-here', '/login']) {
      const { headers, text } = await browser.get(path)
      expect(headers).toMatchObject({
        'referrer-policy': 'no-referrer',
        'cache-control': 'no-store',
        'x-frame-options': 'DENY',
        'x-content-type-options': 'nosniff',
      })
      expect(headers['content-security-policy']).toMatch(
        /^default-src 'none'; style-src 'self'; form-action 'self'( https:\/\/tpp\.example:9443)?; frame-ancestors 'none'; base-uri 'none'$/,
      )
      expect(text).not.toMatch(/<script|style="|\son[a-z]+="/)
    }
  })

  test('the way back to the TPP is open for forms, and only that one', async () => {
    await arriveAndSignIn()
    const { headers } = await browser.get('/consent')
    expect(headers['content-security-policy']).toContain("form-action 'self' https://tpp.example:9443;")
  })
})

describe('connected apps', () => {
  const mine = (id: string, change: object = {}) =>
    consentRecord({
      id,
      status: 'Authorized',
      psuIdentifiers: { userId: plain.userId },
      accountIds: [current],
      ...change,
    })
  const [FIRST, SECOND, FOREIGN] = [
    '11111111-aaaa-4aaa-8aaa-aaaaaaaaaaaa',
    '22222222-aaaa-4aaa-8aaa-aaaaaaaaaaaa',
    '33333333-aaaa-4aaa-8aaa-aaaaaaaaaaaa',
  ]
  const REVOKE = `POST /consents/${FIRST}/action/revoke`

  async function visit(): Promise<string> {
    expect((await browser.get('/consents')).text).toContain('id="login"')
    expect((await signIn(plain)).location).toBe('/banks/aurora/consents')
    return (await browser.get('/consents')).text
  }

  beforeEach(() => {
    hub.consents = [
      mine(FIRST),
      mine(SECOND, { status: 'Revoked' }),
      mine(FOREIGN, { psuIdentifiers: { userId: newcomer.userId } }),
    ]
  })

  test('are listed for their user, with what they see and a way to end it where there is one', async () => {
    const page = await visit()
    expect(calls()).toContain(`GET /psu/${plain.userId}/consents`)
    expect(page).toContain('Your balances and credit lines')
    expect(page).toContain(`id="revoke-${FIRST}"`)
    expect(page).not.toContain(`id="revoke-${SECOND}"`)
    // The stand-in lets a consent of somebody else slip in.
    expect(page).not.toContain(FOREIGN)
  })

  test('are ended by the user', async () => {
    await visit()
    expect((await browser.post(`/consents/${FIRST}/revoke`, {})).location).toBe('/banks/aurora/consents')
    expect(JSON.parse(askedFor(REVOKE).body)).toEqual({
      revokedBy: 'LFI.InitiatedByUser',
      revokedByPsu: { userId: plain.userId },
    })
  })

  test('of somebody else, and unknown ones, cannot be ended', async () => {
    await visit()
    expect((await browser.post(`/consents/${FOREIGN}/revoke`, {})).status).toBe(403)
    expect((await browser.post('/consents/44444444-aaaa-4aaa-8aaa-aaaaaaaaaaaa/revoke', {})).status).toBe(502)
    expect(calls().filter((call) => call.endsWith('/revoke'))).toEqual([])
  })

  test('cannot be ended by a login that was made for an authorization', async () => {
    await arriveAndSignIn()
    expect((await browser.post(`/consents/${FIRST}/revoke`, {})).status).toBe(403)
  })

  test('are gone from the browser after signing out', async () => {
    await visit()
    const { cookie } = browser
    await browser.post('/logout', {})
    browser.cookie = cookie
    expect((await browser.get('/consents')).text).toContain('id="login"')
  })

  test('none: a sentence instead of a list', async () => {
    hub.consents = []
    expect(await visit()).toContain('id="no-consents"')
  })
})

test('the log names no user, account, consent or token', () => {
  const lines = rig.logged.join('\n')
  expect(lines).toContain('"route":"/banks/aurora/consent"')
  expect(withoutUuids(lines)).not.toMatch(/acc-1/)
  expect(lines).not.toMatch(/u-1001|eyJ|layla|6f9619ff|interaction-1|Wadi/)
})
