/** Somebody of the bank in a real browser, past the login; and what axe-core says of a page. */
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import type { BrowserContext, Page } from 'playwright-core'
import { personNamed } from './world.ts'

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

export async function enterPortal(
  context: BrowserContext,
  portal: { readonly origin: string; readonly username: string; readonly back?: string },
): Promise<Page> {
  const page = await context.newPage()
  page.setDefaultTimeout(20_000)
  await page.goto(`${portal.origin}${portal.back ?? '/'}`)
  await page.click('#login')
  await page.fill('#username', portal.username)
  await page.fill('#password', personNamed(portal.username).password)
  await page.click('#enter')
  await page.waitForSelector('.who')
  return page
}

export type Finding = { readonly id: string; readonly impact: string; readonly where: readonly string[] }

/** What axe-core finds that keeps somebody out. Run from outside of the page, whose policy would refuse it. */
export async function findings(page: Page): Promise<readonly Finding[]> {
  const session = await page.context().newCDPSession(page)
  const run = `${AXE}; axe.run(document, { resultTypes: ['violations'] }).then(({ violations }) => JSON.stringify(
    violations.map(({ id, impact, nodes }) => ({ id, impact, where: nodes.map(({ target }) => target.join(' ')) }))))`
  const { result } = await session.send('Runtime.evaluate', { expression: run, awaitPromise: true })
  await session.detach()
  const all = JSON.parse(String(result.value)) as readonly Finding[]
  return all.filter(({ impact }) => impact === 'serious' || impact === 'critical')
}

/** The same of a page in a browser that runs no script, and so no axe-core: looked at in `reader`, which does. */
export async function findingsOf(page: Page, reader: Page): Promise<readonly Finding[]> {
  const [address, body] = [page.url(), await page.content()]
  await reader.setViewportSize(page.viewportSize() ?? { width: 1280, height: 800 })
  await reader.route(address, (route) => route.fulfill({ body, contentType: 'text/html; charset=utf-8' }), { times: 1 })
  await reader.goto(address)
  return findings(reader)
}
