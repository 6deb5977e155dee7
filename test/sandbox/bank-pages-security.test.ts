import { describe, expect, test, vi } from 'vitest'
import { BACK, CONSENT_ID, consentRecord } from './bank-hub-stand-in.ts'
import {
  anotherBrowser,
  arrive,
  arriveAndSignIn,
  browser,
  calls,
  current,
  failure,
  hub,
  PATCH,
  plain,
  QUERY,
  signIn,
  startOver,
  users,
} from './bank-visit.ts'

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
    startOver()
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
    const thief = anotherBrowser()
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
