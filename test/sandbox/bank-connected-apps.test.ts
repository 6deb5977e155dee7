import { beforeEach, describe, expect, test } from 'vitest'
import { policiesOf } from '../../sandbox/bank/data/policies.ts'
import { consentRecord } from './bank-hub-stand-in.ts'
import { arriveAndSignIn, askedFor, browser, calls, current, hub, newcomer, plain, signIn } from './bank-visit.ts'

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

  test('are shown by state where one is chosen', async () => {
    await visit()
    const { text } = await browser.get('/consents?state=Revoked')
    expect(text).toContain(`id="consent-${SECOND}"`)
    expect(text).not.toContain(`id="consent-${FIRST}"`)
  })

  test('about payments say what is paid', async () => {
    const Amount = { Amount: '25.00', Currency: 'AED' }
    const request = { consent: { ControlParameters: { ConsentSchedule: { SinglePayment: { Amount } } } } }
    hub.consents = [mine(FIRST, { consentType: 'cbuae-service-initiation-consents', request })]
    const page = await visit()
    expect(page).toContain('One payment of AED 25.00, at once')
    expect(page).toContain('Stop these payments')
  })

  test('about insurance name the policies and what of them is seen', async () => {
    const [motor] = policiesOf(plain)
    const Permissions = [{ InsuranceType: 'Motor', Permissions: ['ReadInsurancePolicies', 'ReadTheFuture'] }]
    const record = consentRecord({}, { Permissions })
    hub.consents = [
      mine(FIRST, {
        consentType: 'cbuae-insurance-consents',
        consentBody: record['consentBody'],
        accountIds: [motor?.id],
        insurancePolicyIds: [motor?.id],
      }),
    ]
    const page = await visit()
    expect(page).toContain('Sharing of insurance policies')
    expect(page).not.toContain('Sharing of data')
    expect(page).toMatch(/Motor insurance<\/h3><ul><li>Your policies, [^<]*<\/li><li>ReadTheFuture/)
    expect(page).toContain(`${motor?.name} <small>${motor?.number}`)
  })

  test('one by one tell what happened and who did it', async () => {
    const row = (timestamp: number, patch: object) => ({ timestamp, patch: JSON.stringify(patch) })
    hub.trail = [
      row(1_800_000_002_000, {
        by: 'lfi',
        from: 'Authorized',
        to: 'Revoked',
        set: { 'consentBody.Data.RevokedBy': 'LFI.InitiatedByUser' },
      }),
      row(1_800_000_000_000, { by: 'tpp', from: null, to: 'AwaitingAuthorization', set: {} }),
      row(1_800_000_001_000, { by: 'lfi', from: 'Suspended', to: 'Authorized', set: {} }),
      { timestamp: 'never', patch: 'not JSON' },
    ]
    await visit()
    const { status, text } = await browser.get(`/consents/${FIRST}`)
    expect(status).toBe(200)
    const told = [...text.matchAll(/<li>([^<]*) <small>/g)].map(([, words]) => words)
    expect(told.slice(-3)).toEqual([
      'Asked for by the app',
      'Resumed by the bank',
      'Stopped by the customer, at the bank',
    ])
  })

  test('one by one are for their user only', async () => {
    expect((await browser.get(`/consents/${FIRST}`)).status).toBe(403)
    await visit()
    expect((await browser.get(`/consents/${FOREIGN}`)).status).toBe(403)
    expect(calls().filter((call) => call.endsWith('/audit'))).toEqual([])
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
