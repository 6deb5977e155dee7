/** A person's way through the sandbox in a real browser: the TPP's pages, the bank's pages, and back. */
import type { BrowserContext, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { Manifest } from '../../sandbox/manifest.ts'
import { type Chromium, findChromium, startChromium } from '../support/chromium.ts'
import { pushMany } from '../support/push-consents.ts'
import { startTestSandbox } from '../support/sandbox.ts'
import { visitOpenData } from './open-data.ts'

const browserPath = findChromium()
const title = browserPath === null ? 'browser (skipped: no Chromium on this machine)' : 'browser'
const BOOT_MS = 180_000
const JOURNEY_MS = 60_000
type Preset = 'all' | 'basic' | 'pay-once' | 'pay-often' | 'insurance'

describe.skipIf(browserPath === null)(title, () => {
  let manifest: Manifest
  let chromium: Chromium
  let close = async (): Promise<void> => {}

  beforeAll(async () => {
    if (browserPath === null) return
    const sandbox = await startTestSandbox()
    manifest = sandbox.manifest
    chromium = await startChromium(browserPath)
    close = async () => {
      await chromium.close()
      await sandbox.close()
    }
  }, BOOT_MS)
  afterAll(() => close(), BOOT_MS)

  const customer = (code: keyof Manifest['lfis'] = 'aurora') => {
    const [first] = manifest.lfis[code].users
    if (first === undefined) throw new Error(`${code} has no customers`)
    return first
  }

  /** From the TPP's first page to the bank's sign-in page. */
  async function goToBank(page: Page, preset: Preset = 'all', lfi = 'aurora'): Promise<void> {
    await page.goto(manifest.edge)
    await page.check(`#preset-${preset}`)
    await page.click(`button[data-lfi=${lfi}]`)
    await page.waitForSelector('#login')
    expect(new URL(page.url()).pathname.startsWith(`/banks/${lfi}/`)).toBe(true)
  }

  async function signIn(page: Page, user: { readonly username: string; readonly password: string }): Promise<void> {
    await page.fill('#username', user.username)
    await page.fill('#password', user.password)
    await page.click('#login')
  }

  async function approveAll(page: Page): Promise<number> {
    await page.waitForSelector('#approve')
    const boxes = await page.locator('#accounts input[type=checkbox]').all()
    for (const box of boxes) await box.check()
    await page.click('#approve')
    await page.waitForSelector('#consent')
    return boxes.length
  }

  const texts = (page: Page, selector: string): Promise<string[]> => page.locator(selector).allInnerTexts()

  for (const javaScriptEnabled of [true, false]) {
    describe(javaScriptEnabled ? 'with JavaScript' : 'without JavaScript', () => {
      let context: BrowserContext
      let page: Page
      let faults: string[]

      beforeEach(async () => {
        context = await chromium.context({ javaScriptEnabled, viewport: { width: 390, height: 844 } })
        page = await context.newPage()
        page.setDefaultTimeout(15_000)
        faults = []
        // A page that breaks its own content security policy says so here.
        page.on('console', (message) => message.type() === 'error' && faults.push(message.text()))
        page.on('pageerror', (error) => faults.push(error.message))
      })
      afterEach(async () => {
        await context.close()
      })

      test('connect, see accounts, balances and transactions, refresh, revoke, and see nothing more', {
        timeout: JOURNEY_MS,
      }, async () => {
        await goToBank(page)
        await signIn(page, customer())
        const shared = await approveAll(page)
        expect(await page.textContent('#consent-status')).toBe('Authorized')
        expect(await page.locator('.account').count()).toBe(shared)
        const balances = await texts(page, '.account .balance')
        expect(balances.length).toBeGreaterThan(0)
        for (const balance of balances) expect(balance).toMatch(/\d\.\d{2}\s+[A-Z]{3}/)
        expect(await page.evaluate('document.documentElement.scrollWidth <= innerWidth')).toBe(true)

        await page.click('.account h2 a')
        await page.waitForSelector('#transactions .transaction')
        const firstPage = await texts(page, '.transaction')
        expect(firstPage.length).toBeGreaterThan(0)
        if ((await page.locator('#next').count()) > 0) {
          await page.click('#next')
          await page.waitForSelector('#transactions .transaction')
          expect(await texts(page, '.transaction')).not.toEqual(firstPage)
        }
        for (const tab of ['balances', 'statements', 'standing-orders', 'beneficiaries', 'product', 'parties']) {
          await page.click(`#tabs a[data-tab=${tab}]`)
          await page.waitForSelector(`#tabs a[data-tab=${tab}][aria-current]`)
          expect(await page.locator('#problem').count()).toBe(0)
        }
        await page.click('#ask-signed')
        expect(await page.textContent('#signed')).toContain('verified')
        await page.click('.crumbs a >> nth=1')

        await page.click('#refresh')
        await page.waitForSelector('#refreshed')
        expect(await page.locator('.account').count()).toBe(shared)

        await page.click('#revoke')
        await page.waitForSelector('#data-refused')
        expect(await page.textContent('#consent-status')).toBe('Revoked')
        expect(await page.locator('.account').count()).toBe(0)
        expect(await page.textContent('#problem-interaction')).toMatch(/^[0-9a-f-]{36}$/)
        expect(faults).toEqual([])
      })

      test('what a bank tells everybody, and whose account it is', { timeout: JOURNEY_MS }, async () => {
        await visitOpenData(page, manifest.edge)
        expect(faults).toEqual([])
      })

      test('a refusal at the bank comes back as one, and shares nothing', { timeout: JOURNEY_MS }, async () => {
        await goToBank(page)
        await signIn(page, customer())
        await page.click('#refuse')
        await page.waitForSelector('#problem[data-code=access_denied]')
        expect(new URL(page.url()).pathname).toBe('/callback')
        await page.click('#start-again')
        expect(await page.locator('#connections').count()).toBe(0)
        expect(faults).toEqual([])
      })

      test('a wrong password stays at the bank, and the right one still works', { timeout: JOURNEY_MS }, async () => {
        await goToBank(page)
        await signIn(page, { username: customer().username, password: 'not-the-password' })
        await page.waitForSelector('#problem')
        expect(new URL(page.url()).pathname.startsWith('/banks/aurora/')).toBe(true)
        await signIn(page, customer())
        expect(await approveAll(page)).toBeGreaterThan(0)
      })
    })
  }

  test('the bank’s staff pause and resume, the customer ends it, and the TPP shows each', {
    timeout: JOURNEY_MS,
  }, async () => {
    const context = await chromium.context({ javaScriptEnabled: false })
    const page = await context.newPage()
    page.setDefaultTimeout(15_000)
    await goToBank(page)
    await signIn(page, customer())
    await approveAll(page)
    const consentId = await page.textContent('#consent-id')
    const tpp = page.url()
    const statusAtTpp = async (): Promise<string | null> => {
      await page.goto(tpp)
      return page.textContent('#consent-status')
    }
    const bank = `${manifest.edge}banks/aurora`

    const staff = await (await chromium.context({ javaScriptEnabled: false })).newPage()
    staff.setDefaultTimeout(15_000)
    await staff.goto(`${bank}/staff`)
    await signIn(staff, manifest.lfis.aurora.staff)
    await staff.click(`#open-${consentId}`)
    await staff.focus('#suspend')
    await staff.keyboard.press('Enter')
    await staff.waitForSelector('#resume')
    expect(await statusAtTpp()).toBe('Suspended')
    expect(await page.textContent('#data-refused')).toContain('suspended')
    await staff.click('#resume')
    await staff.waitForSelector('#suspend')
    expect(await statusAtTpp()).toBe('Authorized')
    expect(await page.locator('.account').count()).toBeGreaterThan(0)

    await page.goto(`${bank}/consents`)
    await signIn(page, customer())
    await page.click(`#open-${consentId}`)
    expect((await texts(page, '#history li'))[0]).toContain('Asked for by')
    expect(await page.textContent('#history')).toMatch(/Paused by the bank[\s\S]*Resumed by the bank/)
    await page.click(`#revoke-${consentId}`)
    await page.waitForSelector('#logout')
    expect(await statusAtTpp()).toBe('Revoked')
    expect(await page.textContent('#revoked-by')).toBe('by LFI.InitiatedByUser')
    await context.close()
    await staff.context().close()
  })

  const visitor = async (): Promise<Page> => {
    const page = await (await chromium.context({ javaScriptEnabled: false })).newPage()
    page.setDefaultTimeout(15_000)
    return page
  }
  const cardOf = async (page: Page, consentId: string) => {
    await page.goto(`${manifest.edge}consents`)
    const card = page.locator(`#consent-${consentId}`)
    return { status: await card.getAttribute('data-status'), words: (await card.innerText()).replaceAll(/\s+/g, ' ') }
  }

  test('renewed from the TPP’s page: the new one continues the old one, which ends, and the bank tells of both', {
    timeout: JOURNEY_MS,
  }, async () => {
    const page = await visitor()
    await goToBank(page, 'basic')
    await signIn(page, customer())
    await approveAll(page)
    const root = (await page.textContent('#consent-id')) ?? ''
    await page.click('#renew')
    await page.waitForSelector('#login')
    await signIn(page, customer())
    await approveAll(page)
    const renewal = (await page.textContent('#consent-id')) ?? ''
    expect(renewal).not.toBe(root)
    const [fresh, old] = [await cardOf(page, renewal), await cardOf(page, root)]
    expect(fresh.status).toBe('Authorized')
    expect(fresh.words).toContain(`Continues ${root}`)
    expect(fresh.words).toContain('How much is on them')
    expect(old.status).toBe('Revoked')
    expect(old.words).toContain('Ended by TPP')
    await expect.poll(async () => (await cardOf(page, root)).words, { timeout: 15_000 }).toContain('Bank: now Revoked')

    // The renewal of a renewal names the root as well; a person who does not agree keeps what there is.
    await page.click(`#renew-${renewal}`)
    await page.waitForSelector('#login')
    await signIn(page, customer())
    await page.click('#refuse')
    await page.waitForSelector('#problem[data-code=access_denied]')
    expect((await cardOf(page, renewal)).status).toBe('Authorized')
    await page.click(`#revoke-${renewal}`)
    expect((await cardOf(page, renewal)).status).toBe('Revoked')
    await page.context().close()
  })

  test('an account of two: nothing is paid until both have agreed in their own browsers', {
    timeout: JOURNEY_MS,
  }, async () => {
    const { users } = manifest.lfis.aurora
    const pairs = users.flatMap((one) =>
      users.flatMap((other) =>
        one === other
          ? []
          : one.accountIds.filter((id) => other.accountIds.includes(id)).map((id) => ({ one, other, id })),
      ),
    )
    const [pair] = pairs
    if (pair === undefined) throw new Error('nobody holds an account together with somebody else')
    const page = await visitor()
    await goToBank(page, 'pay-once')
    await signIn(page, pair.one)
    await page.check(`#account-${pair.id}`)
    await page.click('#approve')
    await page.waitForSelector('.consent')
    const consentId = new URL(page.url()).pathname.split('/').at(-1) ?? ''
    const waiting = await cardOf(page, consentId)
    expect(waiting.status).toBe('AwaitingAuthorization')
    expect(waiting.words).toContain('One payment of AED 25.00, at once')
    expect(waiting.words).toContain('1 of 2 have agreed')
    expect(await page.locator(`#pay-${consentId}`).count()).toBe(0)

    const second = await visitor()
    await second.goto(`${manifest.edge}banks/aurora/consents`)
    await signIn(second, pair.other)
    expect(await second.textContent(`#waiting-${consentId}`)).toContain('One payment of AED 25.00, at once')
    await second.click(`#agree-${consentId}`)
    await second.waitForSelector('#logout')
    expect(await second.locator(`#waiting-${consentId}`).count()).toBe(0)
    await second.context().close()

    const both = await cardOf(page, consentId)
    expect([both.status, both.words.includes('2 of 2 have agreed')]).toEqual(['Authorized', true])
    expect(both.words).toContain('Used up nothing yet')
    await page.click(`#pay-${consentId}`)
    await page.waitForSelector('.consent[data-status=Consumed]')
    expect((await cardOf(page, consentId)).words).toContain('Used up 1 payment, AED 25.00')
    await page.context().close()
  })

  test('payments under limits show what is left, and insurance is shared as such', {
    timeout: JOURNEY_MS,
  }, async () => {
    const page = await visitor()
    await goToBank(page, 'pay-often')
    await signIn(page, customer())
    await page.locator('#accounts input').first().check()
    await page.click('#approve')
    await page.waitForSelector('.consent[data-status=Authorized]')
    const payments = new URL(page.url()).pathname.split('/').at(-1) ?? ''
    for (const used of ['1 payment, AED 50.00', '2 payments, AED 100.00']) {
      await page.click(`#pay-${payments}`)
      await page.waitForSelector('.consent')
      expect(await page.textContent('.used')).toContain(used)
    }
    expect(await page.textContent('.allows')).toContain('No more than AED 120.00 a month')
    await page.click(`#pay-${payments}`)
    await page.waitForSelector('#problem[data-code="Consent.FailsControlParameters"]')

    await goToBank(page, 'insurance')
    await signIn(page, customer())
    await page.locator('#accounts input').first().check()
    await page.click('#approve')
    await page.waitForSelector('.consent[data-kind=insurance][data-status=Authorized]')
    const insurance = new URL(page.url()).pathname.split('/').at(-1) ?? ''
    expect((await cardOf(page, payments)).status).toBe('Authorized')
    await page.goto(`${manifest.edge}banks/aurora/consents`)
    await signIn(page, customer())
    expect(await page.textContent(`#consent-${insurance}`)).toContain('Sharing of insurance policies')
    await page.goto(`${manifest.edge}consents`)
    await page.click(`#revoke-${insurance}`)
    expect((await cardOf(page, insurance)).status).toBe('Revoked')
    await page.context().close()
  })

  test('the staff turn pages and narrow them, and every consent is on one of them', {
    timeout: JOURNEY_MS,
  }, async () => {
    const pushed = await pushMany(manifest, 'aurora', 30)
    const staff = await visitor()
    await staff.goto(`${manifest.edge}banks/aurora/staff`)
    await signIn(staff, manifest.lfis.aurora.staff)
    const turn = async (): Promise<readonly string[]> => {
      const seen: string[] = []
      for (;;) {
        const found = (await staff.content()).matchAll(/<section class="consent" id="consent-([^"]+)"/g)
        seen.push(...[...found].map(([, id = '']) => id))
        if ((await staff.locator('#next').count()) === 0) return seen
        await staff.click('#next')
      }
    }
    const all = await turn()
    const [, total = ''] = /^(\d+) consents/.exec((await staff.textContent('#found')) ?? '') ?? []
    expect([new Set(all).size, all.length]).toEqual([Number(total), Number(total)])
    expect(pushed.filter((id) => !all.includes(id))).toEqual([])
    const agreed = async (): Promise<readonly string[]> =>
      (await texts(staff, 'section.consent p')).flatMap((line) => /customer (\S+)$/.exec(line)?.[1] ?? [])
    const someone = (await agreed())[0] ?? ''
    await staff.selectOption('#state', 'AwaitingAuthorization')
    await staff.selectOption('#kind', 'data')
    await staff.click('#filter')
    const waiting = await turn()
    expect(pushed.filter((id) => !waiting.includes(id))).toEqual([])
    expect(new Set(await texts(staff, '.kind'))).toEqual(new Set(['Sharing of data']))
    expect(await staff.inputValue('#state')).toBe('AwaitingAuthorization')
    await staff.fill('#customer', someone)
    await staff.click('#filter')
    expect(await staff.textContent('#found')).toBe('There are none.')
    await staff.selectOption('#state', '')
    await staff.selectOption('#kind', '')
    await staff.click('#filter')
    expect(new Set(await agreed())).toEqual(new Set([someone]))
    await staff.context().close()
  })

  test('the basics only: balances yes, statements no, with the code that says why', {
    timeout: JOURNEY_MS,
  }, async () => {
    const context = await chromium.context()
    const page = await context.newPage()
    page.setDefaultTimeout(15_000)
    await goToBank(page, 'basic', 'meridian')
    await signIn(page, customer('meridian'))
    await approveAll(page)
    expect(await page.locator('.account .balance').count()).toBeGreaterThan(0)
    await page.click('.account h2 a')
    await page.click('#tabs a[data-tab=statements]')
    await page.waitForSelector('#problem')
    expect(await page.textContent('#problem-status')).toBe('403')
    expect(await page.textContent('#problem-code')).toBe('AccessToken.InvalidScope')
    await context.close()
  })

  test('some accounts chosen: only those are shown', { timeout: JOURNEY_MS }, async () => {
    const context = await chromium.context()
    const page = await context.newPage()
    page.setDefaultTimeout(15_000)
    await goToBank(page)
    await signIn(page, customer())
    await page.locator('#accounts input[type=checkbox]').first().check()
    await page.click('#approve')
    await page.waitForSelector('#consent')
    expect(await page.locator('.account').count()).toBe(1)
    await context.close()
  })

  test('the bank’s people find in the portal what a customer has just shared, and end it for them', {
    timeout: JOURNEY_MS,
  }, async () => {
    const customers = await visitor()
    await goToBank(customers, 'basic')
    await signIn(customers, customer())
    await approveAll(customers)
    const consentId = (await customers.textContent('#consent-id')) ?? ''

    const { portal, people } = manifest.lfis.aurora
    const clerk = people.find(({ roles }) => roles.includes('hub-business'))
    const page = await visitor()
    await page.goto(portal)
    await page.click('#login')
    await page.fill('#username', clerk?.username ?? '')
    await page.fill('#password', clerk?.password ?? '')
    await page.click('#enter')
    await page.goto(`${portal}tpps`)
    expect(await texts(page, 'tbody tr')).toEqual([expect.stringMatching(/Wadi Budget[\s\S]*active/)])
    await page.goto(`${portal}consents`)
    await page.fill('#id', consentId)
    await page.click('form[role=search] button')
    await page.click(`a[href="/consents/${consentId}"]`)
    await page.waitForSelector('dl')
    expect(await page.innerText('main')).toContain('How much is in your accounts')
    await page.click('summary')
    await page.selectOption('#revokedBy', 'LFI.InitiatedByUser')
    await page.click('form[action="/acts/consent.revoke"] button')
    await page.waitForSelector('[role=status]')
    expect((await cardOf(customers, consentId)).status).toBe('Revoked')
  })
})
