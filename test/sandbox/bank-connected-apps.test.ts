import { beforeEach, describe, expect, test } from 'vitest'
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
