/**
 * Each act of the portal and each role's refusals, in a real browser in which no script runs: what somebody finds on
 * the page, fills in and presses, what is said of it, and what has changed then; in both languages.
 */
import type { Locator, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { PORTAL_ROLES, type PortalRole } from '../../src/config.ts'
import { PAGES } from '../../src/portal/pages/index.ts'
import { type ActName, RIGHTS } from '../../src/portal/roles.ts'
import { LANGUAGES, type Language, TONGUES } from '../../src/portal/words/index.ts'
import { type Chromium, findChromium, startChromium } from '../support/chromium.ts'
import { enterPortal, findingsOf } from './support/browser.ts'
import { recordCall } from './support/calls.ts'
import { EVERY_ACT, type Filled, type Row } from './support/every-act.ts'
import { type Scene, sceneOf } from './support/scene.ts'
import { createStage, type Stage } from './support/stage.ts'
import { personNamed } from './support/world.ts'

const browserPath = findChromium()
const title = browserPath === null ? 'in a browser (skipped: no Chromium on this machine)' : 'in a browser'
const PHONE = { width: 360, height: 740 }
const SCREEN = { width: 1280, height: 800 }
/** One person who has this role and no other. */
const PERSON = { operator: 'jamal', business: 'bushra', security: 'saif', regulator: 'rashid' } as const
const NAMES = Object.keys(EVERY_ACT) as ActName[]
const isDecision = (name: ActName): boolean => name.startsWith('proposal.')
const isListedFor =
  (role: PortalRole) =>
  ({ name, isListed }: NamedPage): boolean =>
    isListed && RIGHTS[name].includes(role)
type NamedPage = (typeof PAGES)[number]
const subject = (username: string): string => personNamed(username).subject

describe.skipIf(browserPath === null)(title, () => {
  let stage: Stage
  let chromium: Chromium
  let callId: string
  let scenes: Readonly<Record<Language, Scene>>
  /** In which scripts run, for axe-core. */
  let reader: Page
  const pages = new Map<string, Page>()
  const judged = new Set<string>()
  const scripts: string[] = []

  beforeAll(async () => {
    if (browserPath === null) return
    stage = await createStage()
    callId = await recordCall(stage.world)
    chromium = await startChromium(browserPath)
    reader = await (await chromium.context()).newPage()
    scenes = { en: sceneOf(stage, 'en'), ar: sceneOf(stage, 'ar') }
    // Something for each act to be done to, at once.
    for (const name of NAMES) await EVERY_ACT[name](scenes.en).given?.()
    await stage.steps('inactive')
  }, 120_000)
  afterAll(async () => {
    await chromium?.close()
    await stage?.close()
  })

  const addressOf = (path: string): string =>
    path
      .replace('/calls/{id}', `/calls/${callId}`)
      .replace('{clientId}', stage.seeded.clientId)
      .replace('{id}', stage.seeded.authorized)

  /** Somebody at a page of theirs. */
  async function goTo(username: string, path: string, language: Language): Promise<Page> {
    const known = pages.get(username)
    const page = known ?? (await enter(username))
    await page.goto(`${stage.world.origin}${path}`)
    const other = page.locator(`a[hreflang=${language}]`)
    if ((await other.count()) === 1) await other.click()
    expect(await page.locator('html').getAttribute('dir')).toBe(TONGUES[language].direction)
    return page
  }
  async function enter(username: string): Promise<Page> {
    const context = await chromium.context({ javaScriptEnabled: false, locale: 'en-GB', viewport: SCREEN })
    const page = await enterPortal(context, { origin: stage.world.origin, username })
    page.on('request', (asked) => asked.resourceType() === 'script' && scripts.push(asked.url()))
    pages.set(username, page)
    return page
  }

  const alertOf = (page: Page): Locator => page.locator('[role=alert]')
  const isFocused = async (part: Locator): Promise<boolean> =>
    (await part.and(part.page().locator(':focus')).count()) === 1

  async function fill(form: Locator, filled: Filled): Promise<void> {
    for (const [label, value] of filled) {
      const field = form.getByLabel(label, { exact: true })
      if (await isChoice(field)) await field.selectOption({ label: value })
      else await field.fill(value)
    }
  }
  const isChoice = async (field: Locator): Promise<boolean> =>
    (await field.and(field.page().locator('select')).count()) === 1
  const shownIn = async (field: Locator): Promise<string> =>
    (await isChoice(field)) ? field.locator('option:checked').innerText() : field.inputValue()

  /** From the top of the page past the navigation to the button, in the order in which the page is read. */
  async function pressByKeyboard(button: Locator): Promise<void> {
    const page = button.page()
    await page.keyboard.press('Tab')
    await expect.poll(() => isFocused(page.locator('.skip'))).toBe(true)
    await page.keyboard.press('Enter')
    const places: number[] = []
    while (!(await isFocused(button))) {
      await page.keyboard.press('Tab')
      places.push(Number(await page.evaluate('[...document.querySelectorAll("*")].indexOf(document.activeElement)')))
      expect(places).toEqual([...new Set(places)].sort((one, other) => one - other))
    }
    expect(places.length).toBeGreaterThan(0)
    await page.keyboard.press('Enter')
    await page.waitForLoadState()
  }

  async function press(button: Locator, how: Row['how']): Promise<void> {
    if (how === 'keyboard') return pressByKeyboard(button)
    if (how === 'phone') {
      const { x, width, height } = (await button.boundingBox()) ?? expect.fail('it cannot be seen')
      // Wide enough for a finger (WCAG 2.2, 2.5.8), and nothing of it beside the screen.
      expect([x >= 0, x + width <= PHONE.width, width >= 24, height >= 24]).toEqual([true, true, true, true])
    }
    await button.click()
  }

  /** What is said after an act has the focus, and its page is one for everybody. */
  async function confirm(page: Page, said: string, language: Language): Promise<void> {
    const status = page.locator('[role=status]')
    expect(await status.innerText()).toBe(said)
    await expect.poll(() => isFocused(status)).toBe(true)
    // After other acts of a page only the words are others.
    const kind = `${language} ${new URL(page.url()).pathname} ${said === TONGUES[language].words.shell.proposed}`
    if (!judged.has(kind)) expect(await findingsOf(page, reader)).toEqual([])
    judged.add(kind)
  }

  describe.each(PORTAL_ROLES)('the role %s', (role) => {
    const language = role === 'operator' || role === 'security' ? 'en' : 'ar'
    const { words } = TONGUES[language]
    const username = PERSON[role]
    const mine = NAMES.filter((name) => RIGHTS[name].includes(role))
    const others = NAMES.filter((name) => !RIGHTS[name].includes(role))

    test('is shown what it may do, on each page, and nothing else', async () => {
      const page = await goTo(username, '/', language)
      const rows = mine.map((name) => [name, EVERY_ACT[name](scenes.en).at] as const)
      for (const { name, path } of PAGES) {
        const address = addressOf(path)
        const answer = await page.goto(`${stage.world.origin}${address}`)
        const forms = (await page.content()).matchAll(/action="\/acts\/([a-z.-]+)"/g)
        const shown = [...new Set([...forms].map(([, act]) => act))].sort()
        if (!RIGHTS[name].includes(role)) {
          expect([answer?.status(), await alertOf(page).innerText()]).toEqual([403, words.shell.refused.right])
          expect(await findingsOf(page, reader)).toEqual([])
          continue
        }
        // Whatever takes two is that of other roles: business has nothing to decide.
        const expected = rows.filter(([act, at]) => at === address && !(role === 'business' && isDecision(act)))
        expect([address, answer?.status(), shown]).toEqual([address, 200, expected.map(([act]) => act).sort()])
        expect(await page.locator('nav.pages a').count()).toBe(PAGES.filter(isListedFor(role)).length)
      }
    })

    test('is refused everything else, whatever its browser sends', async () => {
      const states = () => Promise.all(others.map((name) => EVERY_ACT[name](scenes.en).state()))
      const before = await states()
      const page = await goTo(username, '/account', language)
      for (const [at, name] of others.entries()) {
        // The form that is on every such page, of this session, sent as another act.
        await page.evaluate(`document.querySelector('main form').action = '/acts/${name}'`)
        const answered = page.waitForResponse((answer) => answer.url().endsWith(`/acts/${name}`))
        await page.locator('main form button').click()
        expect([name, (await answered).status(), await alertOf(page).innerText()]).toEqual([
          ...[name, 403],
          words.shell.refused.right,
        ])
        await expect.poll(() => isFocused(alertOf(page))).toBe(true)
        if (at === 0) expect(await findingsOf(page, reader)).toEqual([])
      }
      const told = { outcome: 'refused', actor: subject(username), before: null, after: null }
      expect(await stage.world.acts(others.length)).toMatchObject(others.map((act) => ({ act, ...told })))
      expect(await states()).toEqual(before)
    })
  })

  describe.each(LANGUAGES)('in %s', (language) => {
    const { words } = TONGUES[language]
    const sayDone = (name: ActName): string => `${words.shell.done}: ${words.acts[name]}`

    async function decide(row: Row, name: ActName, second: string): Promise<void> {
      const id = String(await stage.value('select max(id)::text from portal_proposal'))
      const about = `${words.acts[name]} ${id}`
      const asProposed = { act: name, proposal: id, target: row.log['target'], before: row.log['before'] }
      expect(await stage.world.acts(1)).toMatchObject([
        { ...asProposed, outcome: 'proposed', actor: subject(row.by), after: null },
      ])
      // Whoever proposed it may take it back; sent as an approval, that is refused.
      const own = await goTo(row.by, '/approvals', language)
      const reject = own.getByRole('button', { name: `${words.acts['proposal.reject']} ${about}`, exact: true })
      expect(await own.getByRole('button', { name: `${words.acts['proposal.approve']} ${about}` }).count()).toBe(0)
      expect(await own.getByText(words.approvals.own).count()).toBe(1)
      const form = `form[action="/acts/proposal.reject"]:has(input[name="id"][value="${id}"])`
      await own.evaluate(`document.querySelector('${form}').action = '/acts/proposal.approve'`)
      await reject.click()
      expect(await alertOf(own).innerText()).toBe(words.shell.refused.own)
      expect(await stage.world.acts(1)).toMatchObject([
        { act: name, proposal: id, outcome: 'refused', actor: subject(row.by) },
      ])
      expect(await row.state()).toEqual(row.from)
      const page = await goTo(second, '/approvals', language)
      await press(
        page.getByRole('button', { name: `${words.acts['proposal.approve']} ${about}`, exact: true }),
        row.how,
      )
      await confirm(page, sayDone('proposal.approve'), language)
      expect(await row.state()).toEqual(row.to)
      expect(await stage.world.acts(1)).toMatchObject([
        { act: name, proposal: id, outcome: 'approved', actor: subject(second), ...row.log },
      ])
    }

    test.each(NAMES)('%s', async (name) => {
      const row = EVERY_ACT[name](scenes[language])
      await row.given?.()
      const page = await goTo(row.by, row.at, language)
      expect(await row.state()).toEqual(row.from)
      if (row.how === 'phone') await page.setViewportSize(PHONE)
      const label = [words.acts[name], await row.about?.()].join(' ').trim()
      const button = page.getByRole('button', { name: label, exact: true })
      const form = page.locator('form').filter({ has: button })
      if (row.behind !== undefined) await page.getByText(row.behind, { exact: true }).click()
      await fill(form, row.filled ?? [])
      if (row.mistaken !== undefined) {
        await fill(form, row.mistaken.filled)
        await button.click()
        expect(await alertOf(page).innerText()).toMatch(row.mistaken.said)
        await expect.poll(() => isFocused(alertOf(page))).toBe(true)
        expect(await page.title()).toContain(words.shell.refused.title)
        expect(await findingsOf(page, reader)).toEqual([])
        const typed = new Map([...(row.filled ?? []), ...row.mistaken.filled])
        for (const [field, value] of typed) expect(await shownIn(form.getByLabel(field, { exact: true }))).toBe(value)
        expect(await row.state()).toEqual(row.from)
        await fill(form, row.filled ?? [])
      }
      await press(button, row.how)
      if (row.leavesOut === true) {
        expect(await page.locator('[role=status]').innerText()).toBe(words.shell.login.out)
        await page.context().close()
        pages.delete(row.by)
      } else await confirm(page, row.approvedBy === undefined ? sayDone(name) : words.shell.proposed, language)
      await page.setViewportSize(SCREEN).catch(() => undefined)
      if (row.approvedBy !== undefined) return decide(row, name, row.approvedBy)
      expect(await row.state()).toEqual(row.to)
      expect(await stage.world.acts(1)).toMatchObject([
        { act: name, outcome: 'done', actor: subject(row.by), proposal: null, ...row.log },
      ])
    })
  })

  test('and no script was even asked for', () => {
    expect(pages.size).toBeGreaterThan(0)
    expect(scripts).toEqual([])
  })
})
