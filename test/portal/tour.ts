/**
 * `npm run tour`: the ten things that people do most in the portal, in a browser, against a sandbox of its own in which
 * the demo has been. Prints how many steps each took: a click, a field or a choice is one. The logins are not counted.
 *
 * `npm run tour -- --at .falaj/sandbox` goes to the sandbox that runs from this folder instead, and leaves there what
 * anybody would who did these things: a consent ended, an outage announced, a key rotated where the hub keeps its keys.
 */
import { parseArgs } from 'node:util'
import type { Page } from 'playwright-core'
import { runningIn } from '../../sandbox/data-folder.ts'
import { runDemo } from '../../sandbox/demo/demo.ts'
import type { Manifest, ManifestLfi } from '../../sandbox/manifest.ts'
import { writtenMoment } from '../../src/portal/moments.ts'
import { TONGUES } from '../../src/portal/words/index.ts'
import { type Chromium, findChromium, startChromium } from '../support/chromium.ts'
import { startTestSandbox } from '../support/sandbox.ts'

const { words } = TONGUES.en
const DAY_MS = 86_400_000

/** Somebody at a browser, whose steps are counted. */
type Operator = {
  readonly page: Page
  readonly steps: () => number
  click(role: 'link' | 'button', name: string | RegExp): Promise<void>
  press(selector: string): Promise<void>
  fill(selector: string, value: string): Promise<void>
  choose(selector: string, value: string): Promise<void>
  /** What stands in the first row of a table, or all of a part. */
  read(selector: string): Promise<string>
}
type Task = {
  readonly name: string
  readonly who: readonly string[]
  /** What this sandbox is not made for, or is in the middle of; null: nothing. */
  whyNot?(one: Operator): Promise<string | null>
  run(...people: Operator[]): Promise<string>
}

async function logIn(chromium: Chromium, lfi: ManifestLfi, username: string): Promise<Operator> {
  const person = lfi.people.find((each) => each.username === username)
  if (person === undefined) throw new Error(`nobody is called ${username}`)
  const page = await (await chromium.context({ locale: 'en-GB', acceptDownloads: true })).newPage()
  page.setDefaultTimeout(20_000)
  await page.goto(lfi.portal)
  await page.click('#login')
  await page.fill('#username', username)
  await page.fill('#password', person.password)
  await page.click('#enter')
  await page.waitForSelector('.who')
  let steps = 0
  const step = async (work: Promise<unknown>): Promise<void> => {
    steps += 1
    await work
    await page.waitForLoadState()
  }
  return {
    page,
    steps: () => steps,
    click: (role, name) =>
      step(
        page
          .getByRole(role, { name, exact: typeof name === 'string' })
          .first()
          .click(),
      ),
    press: (selector) => step(page.locator(selector).first().click()),
    fill: (selector, value) => step(page.fill(selector, value)),
    choose: (selector, value) => step(page.selectOption(selector, value)),
    read: async (selector) => (await page.locator(selector).first().innerText()).replaceAll(/\s+/g, ' ').trim(),
  }
}

const said = '[role=status]'
const firstRow = (caption: string): string => `table:has(caption:text-is("${caption}")) tbody tr`

function tasks(application: string, consents: readonly string[]): readonly Task[] {
  const [looked = '', ended = ''] = consents
  const findConsent = async (one: Operator, id: string): Promise<void> => {
    await one.click('link', words.pages.consents)
    await one.fill('#id', id)
    await one.click('button', words.shell.search)
    await one.press(`${firstRow(words.consents.found)} a`)
  }
  return [
    {
      name: 'activate a TPP in its three steps',
      who: ['jamal'],
      run: async (one) => {
        await one.click('link', words.pages.tpps)
        await one.click('link', application)
        for (const act of ['tpp.activate', 'statement.activate', 'client.activate'] as const) {
          await one.click('button', words.acts[act])
        }
        return one.read(said)
      },
    },
    {
      name: 'find out why a call failed',
      who: ['jamal'],
      run: async (one) => {
        await one.click('link', words.pages.calls)
        await one.choose('#status', '4xx')
        await one.click('button', words.shell.search)
        await one.press(`${firstRow(words.calls.found)}:has-text("consent.") a`)
        return one.read('section.fault dd')
      },
    },
    {
      name: '95th percentile of the operations',
      who: ['jamal'],
      run: async (one) => {
        await one.click('link', words.pages.dashboard)
        return one.read(firstRow(words.dashboard.operations))
      },
    },
    {
      name: 'look up a consent',
      who: ['bushra'],
      run: async (one) => {
        await findConsent(one, looked)
        return one.read('main p:not(.hint)')
      },
    },
    {
      name: 'end a consent for a customer who asks',
      who: ['bushra'],
      run: async (one) => {
        await findConsent(one, ended)
        await one.press('summary')
        await one.choose('#revokedBy', 'LFI.InitiatedByUser')
        await one.click('button', words.acts['consent.revoke'])
        return one.read(said)
      },
    },
    {
      name: 'announce an outage',
      who: ['bushra'],
      run: async (one) => {
        const day = writtenMoment(Date.now() + 5 * DAY_MS).slice(0, 10)
        await one.click('link', words.pages.outages)
        await one.fill('#startsAt', `${day}T02:30`)
        await one.fill('#endsAt', `${day}T04:30`)
        await one.fill('#plan-reason', 'Upgrade of the core system')
        await one.click('button', words.acts['outage.plan'])
        return one.read(said)
      },
    },
    {
      name: 'send an event to a TPP again',
      who: ['jamal'],
      run: async (one) => {
        await one.click('link', words.pages.webhooks)
        await one.choose('#state', 'delivered')
        await one.click('button', words.shell.search)
        await one.click('button', new RegExp(`^${words.acts['webhook.redeliver']}`))
        return one.read(said)
      },
    },
    {
      name: 'rotate a key, with two people',
      who: ['saif', 'sara'],
      whyNot: async ({ page }) => {
        await page.goto(new URL('/keys', page.url()).href)
        const rotates = await page.getByRole('button', { name: words.acts['keys.rotate'] }).count()
        const next = await page.locator(firstRow(words.keys.uses.sig)).getByText(words.keys.states.next).count()
        return rotates === 0 ? 'the keys of this hub are files' : next > 0 ? 'the last rotation is not over' : null
      },
      run: async (one, other) => {
        await one.click('link', words.pages.keys)
        await one.click('button', new RegExp(`^${words.acts['keys.rotate']} ${words.keys.uses.sig}`))
        await other.click('link', words.pages.approvals)
        await other.click('button', new RegExp(`^${words.acts['proposal.approve']}`))
        return other.read(said)
      },
    },
    {
      name: 'download a report',
      who: ['bushra'],
      run: async (one) => {
        await one.click('link', words.pages.reports)
        await one.choose('#report', 'volume')
        await one.click('button', words.reports.show)
        const download = one.page.waitForEvent('download')
        await one.click('link', words.reports.download)
        return (await download).suggestedFilename()
      },
    },
    {
      name: 'verify the audit log',
      who: ['jamal'],
      run: async (one) => {
        await one.click('link', words.pages.audit)
        await one.click('button', words.acts['audit.verify'])
        // There may be verdicts of others below.
        const latest = one.page.locator(firstRow(words.audit.verifications)).first()
        await latest.getByText(words.audit.verifies, { exact: true }).waitFor()
        return one.read(firstRow(words.audit.verifications))
      },
    },
  ]
}

/** What has to be so before the first task: the TPP is blocked, and there are consents to look for. */
async function prepare(one: Operator, portal: string, application: string): Promise<readonly string[]> {
  const { page } = one
  await page.goto(`${portal}consents?state=Authorized`)
  const ids = await page.locator(`${firstRow(words.consents.found)} a`).allInnerTexts()
  await page.goto(`${portal}tpps`)
  await page.getByRole('link', { name: application, exact: true }).click()
  for (const act of ['client.block', 'statement.block', 'tpp.block'] as const) {
    await page.getByRole('button', { name: words.acts[act], exact: true }).click()
    await page.waitForSelector(said)
  }
  await page.goto(portal)
  return ids
}

async function tour(browserPath: string, { manifest, close }: Place): Promise<boolean> {
  const chromium = await startChromium(browserPath)
  try {
    const lfi = manifest.lfis.aurora
    const application = manifest.tpp.clients[0]?.name ?? ''
    await runDemo(manifest, () => undefined)
    const people = new Map<string, Operator>()
    for (const name of ['jamal', 'bushra', 'saif', 'sara']) people.set(name, await logIn(chromium, lfi, name))
    const operator = people.get('sara')
    if (operator === undefined) throw new Error('nobody prepares the tour')
    const consents = await prepare(operator, lfi.portal, application)
    let failed = 0
    for (const { name, who, whyNot, run } of tasks(application, consents)) {
      const those = who.flatMap((each) => people.get(each) ?? [])
      const reason = (await whyNot?.(operator)) ?? null
      if (reason !== null) {
        console.log(`  - skipped  ${name.padEnd(40)}  ${reason}`)
        continue
      }
      const count = (): number => those.reduce((sum, { steps }) => sum + steps(), 0)
      const before = count()
      const seen = await run(...those).catch((thrown: unknown) => {
        failed += 1
        return `FAILED: ${thrown instanceof Error ? thrown.message.split('\n')[0] : String(thrown)}`
      })
      console.log(`${String(count() - before).padStart(3)} steps  ${name.padEnd(40)}  ${seen.slice(0, 100)}`)
    }
    return failed === 0
  } finally {
    await chromium.close()
    await close()
  }
}

type Place = { readonly manifest: Manifest; close(): Promise<void> }

/** null: no sandbox runs from this folder. */
async function placeAt(folder: string | undefined): Promise<Place | null> {
  if (folder === undefined) {
    console.log('A sandbox is started, and the demo walks through it …')
    return startTestSandbox({ storedKeys: true })
  }
  const manifest = await runningIn(folder)
  if (manifest === null) return null
  console.log(`The demo walks through the sandbox of ${folder} …`)
  return { manifest, close: async () => {} }
}

const { at } = parseArgs({ options: { at: { type: 'string' } } }).values
const browserPath = findChromium()
if (browserPath === null) {
  console.error('the tour needs Chromium, and there is none on this machine')
  process.exit(2)
}
const place = await placeAt(at)
if (place === null) {
  console.error(`no sandbox is running from ${at}: npm start`)
  process.exit(2)
}
process.exit((await tour(browserPath, place)) ? 0 : 1)
