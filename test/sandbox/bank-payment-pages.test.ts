/** The page on which a customer agrees to payments, in a real browser: what it says, and what the bank makes of a choice. */
import { createPublicKey, type JsonWebKey, randomUUID } from 'node:crypto'
import { CompactEncrypt, SignJWT } from 'jose'
import type { BrowserContext, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type Chromium, findChromium, startChromium } from '../support/chromium.ts'
import { BACK, consentRecord } from './bank-hub-stand-in.ts'
import { createSigningKey, type SigningKey } from './bank-rig.ts'
import { askedFor, CONFIRM, calls, FAIL, failure, hub, PATCH, plain, QUERY, rig, userWith } from './bank-visit.ts'

const browserPath = findChromium()
const title = browserPath === null ? 'payment pages (skipped: no Chromium on this machine)' : 'payment pages'
const BOOT_MS = 60_000
const JOURNEY_MS = 60_000
const SENDER = { orgId: randomUUID(), clientId: randomUUID() }
const aed = (Amount: string) => ({ Amount, Currency: 'AED' })

let chromium: Chromium
let tppKey: SigningKey
let context: BrowserContext
let page: Page
let faults: string[]

/** Signed by the TPP, encrypted for the bank, as the contract has it (tpp-api 2.7.3). */
async function personal(creditors: readonly { readonly name: string; readonly iban: string }[]): Promise<string> {
  const Creditor = creditors.map(({ name, iban }) => ({
    Creditor: { Name: name },
    CreditorAccount: { SchemeName: 'IBAN', Identification: iban, Name: { en: name } },
  }))
  const signed = await new SignJWT({ Initiation: { Creditor } })
    .setProtectedHeader({ alg: 'PS256', kid: tppKey.kid })
    .setIssuer(SENDER.clientId)
    .sign(tppKey.key)
  const forBank = createPublicKey({ key: rig.bankKey.jwk as JsonWebKey, format: 'jwk' })
  return new CompactEncrypt(Buffer.from(signed))
    .setProtectedHeader({ alg: 'RSA-OAEP-256', enc: 'A256GCM', kid: rig.bankKey.kid })
    .encrypt(forBank)
}

type Asked = { readonly control: object; readonly members?: object; readonly pii?: string }

async function asks({ control, members = {}, pii }: Asked): Promise<void> {
  const { tpp } = consentRecord()
  hub.consent = consentRecord(
    {
      consentType: 'cbuae-service-initiation-consents',
      tpp: { ...(tpp as object), ...SENDER },
      request: {
        consent: {
          ControlParameters: control,
          PersonalIdentifiableInformation: pii ?? (await personal([])),
          PaymentPurposeCode: 'ACM',
          ...members,
        },
      },
    },
    { Permissions: [], FromDate: undefined, ToDate: undefined },
  )
}

/** From the TPP's redirect to the page that asks for the decision. */
async function arrive(user: { readonly username: string; readonly password: string } = plain): Promise<void> {
  await page.goto(`${rig.bank.pagesUrl}/authorize?${QUERY}`)
  await page.fill('#username', user.username)
  await page.fill('#password', user.password)
  await page.click('#login')
}
const lines = (selector: string) => page.locator(`${selector} li`).allInnerTexts()

describe.skipIf(browserPath === null)(title, () => {
  beforeAll(async () => {
    chromium = await startChromium(browserPath ?? '')
    tppKey = await createSigningKey()
    rig.keystore.set(`/${SENDER.orgId}/${SENDER.clientId}`, [tppKey.jwk])
  }, BOOT_MS)
  afterAll(() => chromium.close())

  const open = async (javaScriptEnabled = true) => {
    context = await chromium.context({ javaScriptEnabled, viewport: { width: 390, height: 844 } })
    page = await context.newPage()
    page.setDefaultTimeout(15_000)
    faults = []
    // A page that breaks its own content security policy says so here.
    page.on('console', (message) => message.type() === 'error' && faults.push(message.text()))
    page.on('pageerror', (error) => faults.push(error.message))
    await page.route(`${new URL(BACK).origin}/**`, (route) =>
      route.fulfill({ contentType: 'text/html', body: '<title>back</title><p id="back">Back at the app</p>' }),
    )
  }
  beforeEach(() => open())
  afterEach(() => context.close())

  test.each([true, false])('an approved payment is the bank’s to tell the hub, with one account (JavaScript: %s)', {
    timeout: JOURNEY_MS,
  }, async (javaScriptEnabled) => {
    await context.close()
    await open(javaScriptEnabled)
    const hostile = '<img src=x onerror=alert(1)>'
    await asks({
      control: { ConsentSchedule: { SinglePayment: { Type: 'SingleInstantPayment', Amount: aed('25.00') } } },
      members: { DebtorReference: `${hostile} فاتورة` },
      pii: await personal([
        { name: 'مكتبة الوادي', iban: 'AE070331234567890123456' },
        { name: hostile, iban: 'AE460090000000123456789' },
      ]),
    })
    await arrive()
    expect(await lines('#payments')).toEqual(['One payment of AED 25.00, at once'])
    expect(await page.textContent('#payment-reference')).toBe(`${hostile} فاتورة`)
    expect(await lines('#payees')).toEqual([
      'مكتبة الوادي AE070331234567890123456',
      `${hostile} AE460090000000123456789`,
    ])
    expect(await page.textContent('#who')).toContain('Wadi Money')
    // One account pays; a second choice takes the place of the first.
    const accounts = page.locator('#accounts input')
    expect(await accounts.evaluateAll((all) => all.map((each) => each.getAttribute('type')))).toEqual(
      Array(await accounts.count()).fill('radio'),
    )
    expect(await page.evaluate('document.documentElement.scrollWidth <= innerWidth')).toBe(true)

    // Nothing chosen is told, and decides nothing.
    await page.click('#approve')
    await page.waitForSelector('#problem')
    expect(calls().some((call) => /^(PATCH|POST)/.test(call))).toBe(false)
    await accounts.first().check()
    const [chosen] = await accounts.evaluateAll((all) => all.map((each) => each.getAttribute('value')))
    await page.click('#approve')
    await page.waitForSelector('#back')
    expect(page.url()).toContain(`${BACK}?code=`)
    expect(JSON.parse(askedFor(PATCH).body)).toMatchObject({
      status: 'Authorized',
      psuIdentifiers: { userId: plain.userId },
      accountIds: [chosen],
    })
    expect(calls().at(-1)).toBe(CONFIRM)
    // The way back leads to no second decision. The refusal to submit a page with a fault is the only complaint.
    await page.goBack().catch(() => null)
    expect(calls().filter((call) => call === CONFIRM)).toHaveLength(1)
    expect(faults.filter((fault) => !/status of 4(22|03)/.test(fault))).toEqual([])
  })

  test('a refused one ends the consent, and the app hears of it', { timeout: JOURNEY_MS }, async () => {
    await asks({ control: { IsDelegatedAuthentication: true, ConsentSchedule: {} } })
    await arrive()
    expect(await lines('#payments')).toEqual(['Payments of any amount, each of which the app asks you to confirm'])
    expect(await page.textContent('#payees')).toContain('Whoever the app names when it pays')
    await page.click('#refuse')
    await page.waitForSelector('#back')
    expect(JSON.parse(askedFor(PATCH).body)).toMatchObject({ status: 'Rejected' })
    expect(failure()).toMatchObject({ error: 'access_denied' })
    expect(calls()).toContain(FAIL)
    expect(faults).toEqual([])
  })

  const PERIOD = { PeriodType: 'Month', PeriodStartDate: '2026-12-01' }
  const multi = (PeriodicSchedule: object, limits: object = {}) => ({
    ConsentSchedule: { MultiPayment: { ...limits, PeriodicSchedule } },
  })
  const SCHEDULES: readonly (readonly [object, readonly string[]])[] = [
    [
      multi(
        { ...PERIOD, Type: 'FixedPeriodicSchedule', Amount: aed('30.00') },
        { MaximumCumulativeNumberOfPayments: 12, MaximumCumulativeValueOfPayments: aed('360.00') },
      ),
      [
        'One payment of AED 30.00 every month',
        'From 2026-12-01',
        'In all no more than AED 360.00',
        'In all no more than 12 payments',
      ],
    ],
    [
      multi({ ...PERIOD, Type: 'VariablePeriodicSchedule', MaximumIndividualAmount: aed('40.00') }),
      ['One payment of up to AED 40.00 every month', 'From 2026-12-01'],
    ],
    [
      multi({
        ...PERIOD,
        Type: 'VariableOnDemand',
        Controls: {
          MaximumIndividualAmount: aed('60.00'),
          MaximumCumulativeValueOfPaymentsPerPeriod: aed('120.00'),
          MaximumCumulativeNumberOfPaymentsPerPeriod: 1,
        },
      }),
      [
        'Payments of up to AED 60.00 each, whenever the app asks',
        'From 2026-12-01',
        'In one month no more than AED 120.00',
        'In one month no more than 1 payment',
      ],
    ],
    [
      multi({
        Type: 'FixedDefinedSchedule',
        Schedule: [
          { PaymentExecutionDate: '2026-12-24', Amount: aed('15.00') },
          { PaymentExecutionDate: '2027-01-24', Amount: aed('16.00') },
        ],
      }),
      ['A payment of AED 15.00 on 2026-12-24', 'A payment of AED 16.00 on 2027-01-24'],
    ],
    [
      { ConsentSchedule: { FilePayment: { NumberOfTransactions: 2, ControlSum: '25.50' } } },
      ['A file of 2 payments, AED 25.50 in all'],
    ],
  ]
  test('each schedule is told in words that a customer understands', { timeout: JOURNEY_MS }, async () => {
    for (const [control, words] of SCHEDULES) {
      await asks({ control })
      await context.clearCookies()
      await arrive()
      await page.waitForSelector('#payments')
      expect(await lines('#payments')).toEqual(words)
    }
    expect(faults).toEqual([])
  })

  test('nobody is asked to pay a stranger: what cannot be read, or was signed by another, gets no page', {
    timeout: JOURNEY_MS,
  }, async () => {
    const control = { ConsentSchedule: { SinglePayment: { Type: 'SingleInstantPayment', Amount: aed('25.00') } } }
    const known = tppKey
    tppKey = await createSigningKey()
    const byAnother = await personal([{ name: 'Mallory', iban: 'AE070331234567890123456' }])
    tppKey = known
    for (const pii of [byAnother, 'eyJhbGciOiJSU0EtT0FFUC0yNTYifQ.a.b.c.d']) {
      hub.asked.length = 0
      await context.clearCookies()
      await asks({ control, pii })
      // Sent back to the app at once, where nobody lives: a redirect is not the test's to answer.
      await expect(page.goto(`${rig.bank.pagesUrl}/authorize?${QUERY}`)).rejects.toThrow(/net::ERR_/)
      expect(JSON.parse(askedFor(PATCH).body)).toMatchObject({ status: 'Rejected' })
      expect(failure()).toEqual({ error: 'access_denied', error_description: 'consent_not_supported' })
      expect(calls()).not.toContain(CONFIRM)
    }
  })

  test('an account of two is offered where both may be asked, and the second is told to be waited for', {
    timeout: JOURNEY_MS,
  }, async () => {
    const holder = userWith('First holder of a joint account')
    const control = { ConsentSchedule: { SinglePayment: { Type: 'SingleInstantPayment', Amount: aed('25.00') } } }
    const offered = async (several: boolean) => {
      await context.clearCookies()
      await asks({ control, members: { IsSingleAuthorization: !several } })
      await arrive(holder)
      await page.waitForSelector('#accounts')
      return page.locator('#accounts input').evaluateAll((all) => all.map((each) => each.getAttribute('value') ?? ''))
    }
    const alone = await offered(false)
    const together = await offered(true)
    const [joint, another] = together.filter((id) => !alone.includes(id))
    expect([typeof joint, another]).toEqual(['string', undefined])
    await page.check(`#account-${joint}`)
    await page.click('#approve')
    await page.waitForSelector('#back')
    const patch = JSON.parse(askedFor(PATCH).body) as Record<string, unknown>
    expect(patch['accountIds']).toEqual([joint])
    expect(patch).not.toHaveProperty('status')
    expect(JSON.stringify(patch)).toMatch(
      /"TotalRequired":2.*"Approved".*"Pending"|"Approved".*"Pending".*"TotalRequired":2/,
    )
    expect(patch).toMatchObject({ psuIdentifiers: { userId: holder.userId } })
    expect(faults).toEqual([])
  })
})
