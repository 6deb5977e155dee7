import { createLocalJWKSet, jwtVerify } from 'jose'
import { describe, expect, test, vi } from 'vitest'
import type { BankUser } from '../../sandbox/bank/bank.ts'
import { policiesOf } from '../../sandbox/bank/data/policies.ts'
import { BACK, CONSENT_ID, consentRecord } from './bank-hub-stand-in.ts'
import { AUDIENCE_OF_HUB, withoutUuids } from './bank-rig.ts'
import {
  arrive,
  arriveAndSignIn,
  askedFor,
  browser,
  CONFIRM,
  calls,
  card,
  current,
  FAIL,
  failure,
  hub,
  newcomer,
  PATCH,
  plain,
  QUERY,
  rig,
  signIn,
  userWith,
} from './bank-visit.ts'

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

  test('about insurance is about policies of the kinds that were asked for', async () => {
    const [motor, home] = policiesOf(plain)
    const asked = [{ InsuranceType: 'Motor', Permissions: ['ReadInsurancePremium'] }]
    hub.consent = consentRecord({
      ...consentRecord({}, { Permissions: asked }),
      consentType: 'cbuae-insurance-consents',
    })
    const page = await arriveAndSignIn()
    expect(page).toContain('What they cost')
    expect(page).toContain(`id="policy-${motor?.id}"`)
    for (const other of [home?.id, current]) {
      expect(page).not.toContain(`value="${other}"`)
      expect((await browser.post('/consent', { action: 'approve', account: other ?? '' })).status).toBe(403)
    }
    const none = await browser.post('/consent', { action: 'approve' })
    expect([none.status, none.text.includes('Choose at least one policy')]).toEqual([422, true])
    expect(calls()).not.toContain(PATCH)
    expect((await browser.post('/consent', { action: 'approve', account: motor?.id ?? '' })).status).toBe(303)
    expect(JSON.parse(askedFor(PATCH).body)).toEqual({
      status: 'Authorized',
      'consentBody.Data.Status': 'Authorized',
      psuIdentifiers: { userId: plain.userId },
      insurancePolicyIds: [motor?.id],
      authorizationChannel: 'Web',
    })
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

test('the log names no user, account, consent or token', () => {
  const lines = rig.logged.join('\n')
  expect(lines).toContain('"route":"/banks/aurora/consent"')
  expect(withoutUuids(lines)).not.toMatch(/acc-1/)
  expect(lines).not.toMatch(/u-1001|eyJ|layla|6f9619ff|interaction-1|Wadi/)
})
