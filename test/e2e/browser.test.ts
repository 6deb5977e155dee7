/** A person's way through the sandbox in a real browser: the TPP's pages, the bank's pages, and back. */
import type { BrowserContext, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { Manifest } from '../../sandbox/manifest.ts'
import { type Chromium, findChromium, startChromium } from '../support/chromium.ts'
import { startTestSandbox } from '../support/sandbox.ts'

const browserPath = findChromium()
const title = browserPath === null ? 'browser (skipped: no Chromium on this machine)' : 'browser'
const BOOT_MS = 180_000
const JOURNEY_MS = 60_000

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
  async function goToBank(page: Page, preset: 'all' | 'basic' = 'all', lfi = 'aurora'): Promise<void> {
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
})
