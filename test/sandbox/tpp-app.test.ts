/** "Wadi Budget" in front of a stand-in LFI: what a browser gets, what it must not get, and what survives a restart. */
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { type Browser, createBrowser, type Exit, type Page } from '../../sandbox/demo/browser.ts'
import { type RunningTpp, startTpp } from '../../sandbox/tpp/app.ts'
import { type StandIn, startStandIn } from './tpp-stand-in.ts'

let standIn: StandIn
let dataDir: string
let tpp: RunningTpp
let origin: string
let browser: Browser

const start = async (port: number): Promise<RunningTpp> =>
  startTpp({
    listen: { port, server: standIn.server },
    publicUrl: port === 0 ? 'https://localhost' : `https://localhost:${port}`,
    trustFrameworkUrl: standIn.issuer,
    caFile: standIn.caFile,
    application: standIn.application,
    dataDir,
  })

beforeAll(async () => {
  standIn = await startStandIn()
  dataDir = mkdtempSync(join(tmpdir(), 'falaj-wadi-'))
  // The public address names the port, which is known once the first start has found a free one.
  const scout = await start(0)
  await scout.close()
  tpp = await start(scout.port)
  origin = tpp.url
})
afterAll(async () => {
  await tpp.close()
  await standIn.close()
  rmSync(dataDir, { recursive: true, force: true })
})
beforeEach(() => {
  standIn.misbehave({})
  browser = createBrowser({ ca: standIn.ca, exitAt: (url) => url.pathname === '/authorize' })
  return () => browser.close()
})

async function page(answer: Promise<Page | Exit>): Promise<Page> {
  const got = await answer
  if ('exit' in got) throw new Error(`left for ${got.exit.href}`)
  return got
}

async function press(on: Page, id: string): Promise<Page | Exit> {
  for (const form of on.forms) {
    const button = form.controls.find((one) => one.kind === 'button' && (one.id === id || one.value === id))
    if (button !== undefined) return browser.submit(on, form, { press: button })
  }
  throw new Error(`no button ${id} on ${on.url}`)
}

/** Connects and returns the dashboard, or whatever page the callback ends on. */
async function connect(edit: (query: URLSearchParams) => void = () => {}): Promise<Page> {
  const left = await press(await page(browser.open(`${origin}/`)), 'aurora')
  if (!('exit' in left)) throw new Error(`no redirect to the bank: ${left.html}`)
  const query = standIn.approve(left.exit.href)
  edit(query)
  return page(browser.open(`${origin}/callback?${query}`))
}

test('the first page offers the bank, and every page is locked down', async () => {
  const home = await page(browser.open(`${origin}/`))
  expect(home.html).toContain('data-lfi="aurora"')
  const policy = home.headers.get('content-security-policy') ?? ''
  expect(policy).toContain("default-src 'none'")
  expect(policy).toContain(`form-action 'self' ${standIn.issuer}`)
  expect(policy).not.toContain('script-src')
  expect(home.headers.get('cache-control')).toBe('no-store')
  const cookie = home.headers.get('set-cookie') ?? ''
  expect(cookie).toMatch(/^__Host-wadi=/)
  for (const word of ['secure', 'httponly', 'samesite=lax', 'path=/']) expect(cookie.toLowerCase()).toContain(word)
})

test('a connection shows accounts, escapes what the bank sent, lists the calls and survives a restart', async () => {
  const dashboard = await connect()
  expect(dashboard.html).toContain('data-account="acc-1"')
  expect(dashboard.html).toContain('&lt;script&gt;alert(1)&lt;/script&gt;')
  expect(dashboard.html).not.toContain('<script')
  expect(dashboard.html).toContain('/open-finance/account-information/v2.1/accounts')
  const { port } = new URL(origin)
  await tpp.close()
  tpp = await start(Number(port))
  const again = await page(browser.open(dashboard.url))
  expect(again.html).toContain('data-account="acc-1"')
})

test('state is for its owner alone, and no page shows a token', async () => {
  const dashboard = await connect()
  const file = join(dataDir, 'state.json')
  expect(statSync(file).mode & 0o777).toBe(0o600)
  const stored = readFileSync(file, 'utf8')
  const tokens = [...stored.matchAll(/"(?:accessToken|refreshToken)":"([^"]+)"/g)].map((found) => found[1] ?? '')
  expect(tokens.length).toBeGreaterThan(0)
  for (const token of tokens) expect(dashboard.html).not.toContain(token)
})

test('registers at the first use, remembers it, and again when the hub has forgotten', async () => {
  const before = standIn.seen.registration
  await connect()
  expect(standIn.seen.registration - before).toBeLessThanOrEqual(1)
  const settled = standIn.seen.registration
  await connect()
  expect(standIn.seen.registration).toBe(settled)
  standIn.misbehave({ parErrors: ['invalid_client'] })
  await connect()
  expect(standIn.seen.registration).toBe(settled + 1)
})

test('a hub that goes on refusing is told about, with its code and interaction id', async () => {
  standIn.misbehave({ parErrors: ['unauthorized_client', 'unauthorized_client'] })
  const answer = await press(await page(browser.open(`${origin}/`)), 'aurora')
  if ('exit' in answer) throw new Error('went on to the bank')
  expect(answer.html).toContain('data-code="unauthorized_client"')
  expect(answer.html).toMatch(/id="problem-interaction" class="id">[0-9a-f-]{36}</)
})

test('a refused consent is explained', async () => {
  const refused = await connect((query) => {
    query.delete('code')
    query.set('error', 'access_denied')
    query.set('error_description', 'user_rejected_consent')
  })
  expect(refused.html).toContain('data-code="access_denied"')
  expect(refused.html).toContain('Nothing was shared')
  expect(refused.html).toContain('user_rejected_consent')
})

test('a callback works once, and only in the browser that started', async () => {
  const left = await press(await page(browser.open(`${origin}/`)), 'aurora')
  if (!('exit' in left)) throw new Error('no redirect to the bank')
  const query = standIn.approve(left.exit.href)
  const stranger = createBrowser({ ca: standIn.ca })
  const tokensBefore = standIn.seen.token
  const stolen = await page(stranger.open(`${origin}/callback?${query}`))
  await stranger.close()
  expect(stolen.status).toBe(400)
  expect(standIn.seen.token).toBe(tokensBefore)
  await page(browser.open(`${origin}/callback?${query}`))
  const replayed = await page(browser.open(`${origin}/callback?${query}`))
  expect(replayed.status).toBe(400)
  expect(standIn.seen.token).toBe(tokensBefore + 1)
})

test('a form from elsewhere changes nothing', async () => {
  const home = await page(browser.open(`${origin}/`))
  const [form] = home.forms
  if (form === undefined) throw new Error('no form')
  const pushedBefore = standIn.seen.par
  const press = form.controls.find((one) => one.kind === 'button')
  const wrong = await page(browser.submit(home, form, { press, fields: { csrf: 'x'.repeat(43) } }))
  expect(wrong.status).toBe(403)
  const elsewhere = await page(
    browser.submit({ ...home, url: 'https://evil.example/' }, { ...form, action: `${origin}/connect` }, { press }),
  )
  expect(elsewhere.status).toBe(403)
  expect(standIn.seen.par).toBe(pushedBefore)
})

test("another browser's connection does not exist", async () => {
  const dashboard = await connect()
  const stranger = createBrowser({ ca: standIn.ca })
  const answer = await page(stranger.open(dashboard.url))
  await stranger.close()
  expect(answer.status).toBe(404)
})

test('a renewal names the root of its chain, and ends the consent before it', async () => {
  const first = await connect()
  const idOf = ({ url }: Page): string => new URL(url).pathname.split('/').at(-1) ?? ''
  const renew = async (from: Page, button: string): Promise<Page> => {
    expect(from.headers.get('content-security-policy')).toContain(`form-action 'self' ${standIn.issuer}`)
    const left = await press(from, button)
    if (!('exit' in left)) throw new Error(`no redirect to the bank: ${left.html}`)
    const asked = standIn.pushed(left.exit.href) as { readonly consent: { readonly BaseConsentId?: string } }
    expect(asked.consent.BaseConsentId).toBe(idOf(first))
    return page(browser.open(`${origin}/callback?${standIn.approve(left.exit.href)}`))
  }
  const second = await renew(first, 'renew')
  const list = await page(browser.open(`${origin}/consents`))
  const third = await renew(list, `renew-${idOf(second)}`)
  expect([...standIn.ended].slice(-2)).toEqual([
    [idOf(first), 'TPP'],
    [idOf(second), 'TPP'],
  ])
  const shown = (await page(browser.open(`${origin}/consents`))).html
  const told = [...shown.matchAll(/id="consent-([^"]+)" data-kind="accounts" data-status="(\w+)"/g)]
  expect(told.map(([, id, status]) => [id, status])).toEqual([
    [idOf(third), 'Authorized'],
    [idOf(second), 'Revoked'],
    [idOf(first), 'Revoked'],
  ])
  expect(shown).not.toContain(`id="revoke-${idOf(first)}"`)
})

test('a renewal that is not agreed to leaves the consent as it is', async () => {
  const first = await connect()
  const left = await press(first, 'renew')
  if (!('exit' in left)) throw new Error('no redirect to the bank')
  const query = standIn.approve(left.exit.href)
  query.delete('code')
  query.set('error', 'access_denied')
  await page(browser.open(`${origin}/callback?${query}`))
  expect(standIn.ended.has(new URL(first.url).pathname.split('/').at(-1) ?? '')).toBe(false)
})

test('nothing is paid under a consent of accounts, and nobody acts on a consent of another browser', async () => {
  const mine = await connect()
  const consentId = new URL(mine.url).pathname.split('/').at(-1) ?? ''
  const [form] = mine.forms
  if (form === undefined) throw new Error('no form')
  const act = (on: Page, by: Browser, name: string) =>
    page(by.submit(on, { ...form, action: `${origin}/consents/${consentId}/${name}` }, {}))
  expect((await act(mine, browser, 'pay')).status).toBe(400)
  const stranger = createBrowser({ ca: standIn.ca })
  const theirs = await page(stranger.open(`${origin}/`))
  const field = theirs.forms[0]?.controls.find(({ name }) => name === 'csrf')
  const statuses = []
  for (const name of ['renew', 'pay', 'revoke', 'forget']) {
    const forged = { ...form, action: `${origin}/consents/${consentId}/${name}` }
    statuses.push((await page(stranger.submit(theirs, forged, { fields: { csrf: field?.value ?? '' } }))).status)
  }
  await stranger.close()
  expect(statuses).toEqual([404, 404, 404, 404])
  expect(standIn.ended.has(consentId)).toBe(false)
})
