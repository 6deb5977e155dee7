import { beforeEach, describe, expect, test } from 'vitest'
import { STAFF } from '../../sandbox/bank/staff.ts'
import { consentRecord } from './bank-hub-stand-in.ts'
import { askedFor, browser, calls, hub, newcomer, plain, signIn } from './bank-visit.ts'

const [ACTIVE, PAUSED, ENDED] = [
  '11111111-aaaa-4aaa-8aaa-aaaaaaaaaaaa',
  '22222222-aaaa-4aaa-8aaa-aaaaaaaaaaaa',
  '33333333-aaaa-4aaa-8aaa-aaaaaaaaaaaa',
]
const address = (id: string, act = '') => `/staff/consents/${id}${act === '' ? '' : `/${act}`}`
const changing = () => calls().filter((call) => !call.startsWith('GET '))

async function enter(): Promise<string> {
  expect((await browser.get('/staff')).text).toContain('id="login"')
  expect((await browser.post('/staff/login', STAFF)).location).toBe('/banks/aurora/staff')
  return (await browser.get('/staff')).text
}

beforeEach(() => {
  const of = (id: string, status: string, userId: string) => consentRecord({ id, status, psuIdentifiers: { userId } })
  hub.consents = [
    of(ACTIVE, 'Authorized', plain.userId),
    of(PAUSED, 'Suspended', newcomer.userId),
    of(ENDED, 'Revoked', plain.userId),
  ]
})

describe('the bank’s own people', () => {
  test('see the consents of all customers, and those of one state', async () => {
    const page = await enter()
    for (const id of [ACTIVE, PAUSED, ENDED]) expect(page).toContain(`id="consent-${id}"`)
    const { text } = await browser.get('/staff?state=Suspended')
    expect(text).toContain(`id="consent-${PAUSED}"`)
    expect(text).not.toContain(`id="consent-${ACTIVE}"`)
  })

  test('see as many pages as there are, a page at a time', async () => {
    const id = (number: number) => `44444444-aaaa-4aaa-8aaa-${String(number).padStart(12, '0')}`
    hub.consents = Array.from({ length: 1_260 }, (_, number) => consentRecord({ id: id(number), status: 'Authorized' }))
    const first = await enter()
    expect(first).toContain('1,260 consents, page 1 of 51')
    expect(first.match(/id="consent-/g)).toHaveLength(25)
    const last = /id="last" href="\/banks\/aurora([^"]+)"/.exec(first)?.[1]?.replaceAll('&amp;', '&') ?? ''
    const { text } = await browser.get(last)
    expect(text).toContain('page 51 of 51')
    expect(text.match(/id="consent-/g)).toHaveLength(10)
    expect(text).toContain(`id="consent-${id(1_259)}"`)
    expect(text).not.toContain('id="next"')
  })

  test('narrow the list as far as the hub can, and keep that from page to page', async () => {
    await enter()
    const seen = async (query: string): Promise<string> => {
      const { text } = await browser.get(`/staff?${query}`)
      expect(text).toContain('id="found"')
      const { path, query: asked } = hub.asked.at(-1) ?? { path: '', query: '' }
      return `${path}?${asked}`
    }
    expect(await seen('')).toBe('/consents?page=1&pageSize=25')
    expect(await seen('state=Revoked&kind=payments&page=3')).toBe(
      '/consents?page=3&pageSize=25&status=Revoked&consentType=cbuae-service-initiation-consents',
    )
    expect(await seen('kind=insurance&since=2026-11-02')).toBe(
      `/consents?page=1&pageSize=25&consentType=cbuae-insurance-consents&updatedAt=${Date.UTC(2026, 10, 1, 20)}`,
    )
    expect(await seen('customer=u%2F1&since=2026-11-02&state=Authorized')).toBe(
      '/psu/u%2F1/consents?page=1&pageSize=25&status=Authorized',
    )
    // What the form cannot have sent is not passed on.
    expect(await seen('kind=all&since=2026-11-99&page=-1')).toBe('/consents?page=1&pageSize=25')
    hub.consents = Array.from({ length: 60 }, (_, number) => consentRecord({ id: `c-${number}`, status: 'Revoked' }))
    const { text } = await browser.get('/staff?state=Revoked&customer=u-1&page=2')
    expect(text).toContain('href="/banks/aurora/staff?state=Revoked&amp;customer=u-1&amp;page=3"')
  })

  test('tell data, insurance and payments apart', async () => {
    hub.consents = [
      consentRecord({ id: ACTIVE }),
      consentRecord({ id: PAUSED, consentType: 'cbuae-insurance-consents' }),
      consentRecord({ id: ENDED, consentType: 'cbuae-service-initiation-consents' }),
    ]
    const kinds = [...(await enter()).matchAll(/class="kind">([^<]*)</g)].map(([, words]) => words)
    expect(kinds).toEqual(['Sharing of data', 'Sharing of insurance policies', 'Payments'])
  })

  for (const [act, id, status] of [
    ['suspend', ACTIVE, 'Suspended'],
    ['resume', PAUSED, 'Authorized'],
  ] as const) {
    test(`${act}`, async () => {
      await enter()
      expect((await browser.get(address(id))).text).toContain(`id="${act}"`)
      expect((await browser.post(address(id, act), {})).location).toBe(`/banks/aurora${address(id)}`)
      expect(JSON.parse(askedFor(`PATCH /consents/${id}`).body)).toEqual({
        status,
        'consentBody.Data.Status': status,
        authorizationChannel: 'Web',
      })
    })
  }

  test('end a consent in the bank’s own name', async () => {
    await enter()
    await browser.post(address(PAUSED, 'revoke'), {})
    expect(JSON.parse(askedFor(`POST /consents/${PAUSED}/action/revoke`).body)).toEqual({ revokedBy: 'LFI' })
  })

  test.each([
    ['suspend', PAUSED],
    ['resume', ACTIVE],
    ['suspend', ENDED],
    ['revoke', ENDED],
  ])('cannot %s a consent whose state does not admit it', async (act, id) => {
    await enter()
    expect((await browser.post(address(id, act), {})).status).toBe(409)
    expect(changing()).toEqual([])
  })

  test('know no other act', async () => {
    await enter()
    expect((await browser.post(address(ACTIVE, 'delete'), {})).status).toBe(404)
    expect(changing()).toEqual([])
  })
})

describe('nobody else', () => {
  test('a customer sees no staff page and changes nothing there', async () => {
    await browser.get('/consents')
    await signIn(plain)
    await browser.get('/consents')
    expect((await browser.post(address(ACTIVE, 'suspend'), {})).status).toBe(403)
    expect((await browser.get(address(ACTIVE))).status).toBe(403)
    expect((await browser.get('/staff')).text).toContain('id="login"')
    expect(calls()).not.toContain('GET /consents')
    expect(changing()).toEqual([])
  })

  test('a customer’s password opens no staff page, and the staff’s none of a customer', async () => {
    await browser.get('/staff')
    expect((await browser.post('/staff/login', { username: plain.username, password: plain.password })).status).toBe(
      422,
    )
    await browser.get('/consents')
    expect((await signIn(STAFF)).status).toBe(422)
  })

  test('somebody of the staff is no customer', async () => {
    await enter()
    expect((await browser.post(`/consents/${ACTIVE}/revoke`, {})).status).toBe(403)
    expect(changing()).toEqual([])
  })

  test('a form of another site changes nothing', async () => {
    await enter()
    expect((await browser.post(address(ACTIVE, 'suspend'), { csrf: 'guessed' })).status).toBe(403)
    expect(changing()).toEqual([])
  })
})
