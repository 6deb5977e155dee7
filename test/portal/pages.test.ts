/** Every page in a real browser, in both languages: what it says, that it can be used without sight, and keeps its policy. */
import type { BrowserContext, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { PAGES } from '../../src/portal/pages/index.ts'
import { TONGUES } from '../../src/portal/words/index.ts'
import { type Chromium, findChromium, startChromium } from '../support/chromium.ts'
import { findings } from './support/browser.ts'
import { recordRefusal } from './support/calls.ts'
import { type Seeded, seed, seedTraffic } from './support/seed.ts'
import { createPortalWorld, type PortalWorld, personNamed } from './support/world.ts'

const browserPath = findChromium()
const title = browserPath === null ? 'portal (skipped: no Chromium on this machine)' : 'portal'

/** Both languages, and both colour schemes with them. */
const LOOKS = {
  en: { locale: 'en-GB', colorScheme: 'light' },
  ar: { locale: 'ar-AE', colorScheme: 'dark' },
} as const

/** What stands for the placeholders of a page's path. */
const addressOf = (path: string, { clientId, authorized, refused }: Seeded & { readonly refused: string }): string =>
  path.replace('/calls/{id}', `/calls/${refused}`).replace('{clientId}', clientId).replace('{id}', authorized)

describe.skipIf(browserPath === null)(title, () => {
  let world: PortalWorld
  let chromium: Chromium
  let seeded: Seeded & { readonly refused: string }
  const faults: string[] = []

  beforeAll(async () => {
    if (browserPath === null) return
    world = await createPortalWorld()
    seeded = { ...(await seed(world)), refused: await recordRefusal(world) }
    await seedTraffic(world, 30)
    chromium = await startChromium(browserPath)
  }, 120_000)
  afterAll(async () => {
    await chromium?.close()
    await world?.close()
  })

  async function enter(context: BrowserContext, username: string, back = '/'): Promise<Page> {
    const page = await context.newPage()
    page.setDefaultTimeout(20_000)
    // A page that breaks its own policy says so here.
    page.on('console', (message) => message.type() === 'error' && faults.push(`${page.url()}: ${message.text()}`))
    page.on('pageerror', (error) => faults.push(`${page.url()}: ${error.message}`))
    await page.goto(`${world.origin}${back}`)
    await page.click('#login')
    const { password } = personNamed(username)
    await page.fill('#username', username)
    await page.fill('#password', password)
    await page.click('#enter')
    await page.waitForSelector('.who')
    return page
  }

  describe.each(['en', 'ar'] as const)('in %s', (language) => {
    const { words, direction } = TONGUES[language]
    let context: BrowserContext
    let page: Page
    beforeAll(async () => {
      if (browserPath === null) return
      context = await chromium.context(LOOKS[language])
      page = await enter(context, 'olfa')
    }, 60_000)
    afterAll(() => context?.close())

    test.each(PAGES)('$path', async ({ name, path }) => {
      await page.goto(`${world.origin}${addressOf(path, seeded)}`)
      expect(await page.locator('html').getAttribute('dir')).toBe(direction)
      expect(await page.locator('h1').allInnerTexts()).toEqual([
        path.includes('{') ? expect.stringMatching(/\S/) : words.pages[name],
      ])
      expect(await findings(page)).toEqual([])
      expect(await page.evaluate('document.documentElement.scrollWidth <= innerWidth')).toBe(true)
      // On a phone nothing is cut off, and nothing has to be pushed sideways.
      await page.setViewportSize({ width: 360, height: 740 })
      expect(await page.evaluate('document.documentElement.scrollWidth <= innerWidth')).toBe(true)
      expect(await findings(page)).toEqual([])
      await page.setViewportSize({ width: 1280, height: 800 })
    })

    test('a report that is wider than the screen is pushed sideways by itself, also by keyboard', async () => {
      await page.goto(`${world.origin}/reports?report=consents`)
      const region = page.getByRole('region', { name: words.reports.kinds.consents, exact: true })
      expect(await page.evaluate('document.documentElement.scrollWidth <= innerWidth')).toBe(true)
      await region.focus()
      const focused = await page.evaluate(
        '[document.activeElement.className, document.activeElement.scrollWidth > innerWidth]',
      )
      expect(focused).toEqual(['sideways', true])
      expect(await findings(page)).toEqual([])
    })

    test('the login and a refusal', async () => {
      const outside = await chromium.context(LOOKS[language])
      const nobody = await outside.newPage()
      await nobody.goto(`${world.origin}/login`)
      expect(await findings(nobody)).toEqual([])
      await outside.close()
      await page.goto(`${world.origin}/nothing-here`)
      expect(await page.locator('[role=alert]').innerText()).toBe(words.shell.refused.notFound)
      expect(await findings(page)).toEqual([])
    })
  })

  test('everything can be done without a script, by keyboard', async () => {
    const context = await chromium.context({ javaScriptEnabled: false })
    const page = await enter(context, 'olfa', '/account')
    await page.keyboard.press('Tab')
    expect(await page.locator('.skip').evaluate('document.activeElement.className')).toBe('skip')
    await page.click('text=العربية')
    await page.waitForSelector('html[lang=ar]')
    expect(await page.locator('h1').innerText()).toBe(TONGUES.ar.words.pages.account)
    await page.getByRole('button', { name: TONGUES.ar.words.shell.logout, exact: true }).click()
    await page.waitForSelector('#login')
    expect(await page.locator('[role=status]').innerText()).toBe(TONGUES.ar.words.shell.login.out)
    await context.close()
  })

  test('a live view renews itself, and the rest of its page stays', async () => {
    const context = await chromium.context({})
    const page = await enter(context, 'olfa')
    await page.clock.install()
    await page.goto(world.origin)
    const figure = page.locator('#queues .figure').first()
    await figure.evaluate("document.querySelector('#queues .figure').textContent = 'stale'")
    await page.clock.runFor(10_000)
    await expect.poll(() => figure.innerText(), { timeout: 15_000 }).toMatch(/^\d+$/)
    await context.close()
  })

  test('and no page broke its policy', () => {
    // The browser reports every answer that is a refusal as well.
    expect(faults.filter((each) => !/nothing-here.*404/.test(each))).toEqual([])
  })
})
