/** The API log: one call among many is found, and says how far it came and why it was refused. */
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createAuditReader } from '../../src/audit/index.ts'
import { toInstant } from '../../src/clock.ts'
import type { ClientId, ConsentId, CorrelationId } from '../../src/ids.ts'
import { createCallLog } from '../../src/reports/call-log.ts'
import { CALLS_PER_PAGE, CALLS_READ_MAX, type CallFilter } from '../../src/reports/index.ts'
import { type Chromium, findChromium, startChromium } from '../support/chromium.ts'
import { enterPortal, findings } from './support/browser.ts'
import { CLIENT, recordCall, recordRefusal } from './support/calls.ts'
import { createPortalWorld, type PortalWorld } from './support/world.ts'

const OTHER = 'c5d3e4f6-7b80-4192-8c13-d4e5f6071829' as ClientId
const CONSENT = 'd6e4f507-8c91-42a3-9d24-e5f607182930' as ConsentId
const ALL: CallFilter = { clientId: null, operation: null, status: null, isRefused: false, from: null, to: null }

let world: PortalWorld
let refused: CorrelationId
let failed: CorrelationId
let foreign: CorrelationId
beforeAll(async () => {
  world = await createPortalWorld()
  for (let each = 0; each < CALLS_PER_PAGE + 5; each += 1) await recordCall(world)
  refused = await recordRefusal(world)
  failed = await recordCall(world, {
    operationId: 'GetBalances',
    consentId: CONSENT,
    status: 500,
    lfiStatus: null,
    lfiOutcome: 'timeout',
    records: null,
    errorCode: 'GenericRecoverableError',
  })
  foreign = await recordCall(world, { clientId: OTHER, operationId: 'PostPayments' })
}, 120_000)
afterAll(() => world.close())

describe('a search', () => {
  const log = () => createCallLog(createAuditReader({ db: world.database.db }))
  const found = async (filter: Partial<CallFilter>) =>
    (await log().search({ ...ALL, ...filter }, null)).calls.map(({ interactionId }) => interactionId)

  test('finds by client, operation, path, status, and what went wrong', async () => {
    expect(await found({ clientId: OTHER })).toEqual([foreign])
    expect(await found({ operation: 'GetBalances' })).toEqual([failed])
    expect(await found({ operation: '/accounts', isRefused: true })).toEqual([failed, refused])
    expect(await found({ status: '4xx' })).toEqual([refused])
    expect(await found({ status: '500' })).toEqual([failed])
    expect(await found({ clientId: CLIENT, operation: 'PostPayments' })).toEqual([])
  })

  test('goes on from page to page without leaving one out or showing one twice', async () => {
    const first = await log().search(ALL, null)
    expect([first.calls.length, first.isCut]).toEqual([CALLS_PER_PAGE, false])
    const second = await log().search(ALL, first.next)
    expect(second.next).toBeNull()
    const ids = [...first.calls, ...second.calls].map(({ entryId }) => Number(entryId))
    expect(new Set(ids).size).toBe(CALLS_PER_PAGE + 8)
    expect(ids).toEqual([...ids].sort((one, other) => other - one))
  })

  test('begins at a moment without reading what came later, and ends at one', async () => {
    const everything = await log().search(ALL, null)
    const [newest, middle] = [everything.calls[0], everything.calls[20]]
    if (newest === undefined || middle === undefined) throw new Error('too few calls')
    const earlier = await log().search({ ...ALL, to: middle.recordedAt }, null)
    expect(earlier.calls.every(({ recordedAt }) => recordedAt < middle.recordedAt)).toBe(true)
    const later = await log().search({ ...ALL, from: middle.recordedAt }, null)
    expect(later.calls.map(({ entryId }) => entryId)).toEqual(
      everything.calls.filter(({ recordedAt }) => recordedAt >= middle.recordedAt).map(({ entryId }) => entryId),
    )
    expect(await found({ from: toInstant(newest.recordedAt + 60_000) })).toEqual([])
  })

  test('finds the first entry since a moment as if all had been looked at', async () => {
    const reader = createAuditReader({ db: world.database.db })
    const entries = [...(await reader.before(null, 1_000))].reverse()
    for (const { acceptedAt } of entries) {
      const expected = entries.find((each) => each.acceptedAt >= acceptedAt)?.entryId
      expect(await reader.firstSince(acceptedAt)).toBe(expected)
    }
    expect(await reader.firstSince(new Date(0))).toBe(entries[0]?.entryId)
    expect(await reader.firstSince(new Date(Date.now() + 3_600_000))).toBeNull()
  })

  test('stops when it has read enough, and says from where it would go on', async () => {
    const from = createAuditReader({ db: world.database.db })
    const [sample] = (await from.before(null, 1_000)).filter(({ entry }) => entry?.kind === 'system')
    if (sample === undefined) throw new Error('the hub recorded its start')
    let asked = 0
    // A log of nothing but other entries, without an end.
    const endless = createCallLog({
      ...from,
      before: async (_id, limit) => {
        asked += limit
        return Array.from({ length: limit }, () => sample)
      },
    })
    expect(await endless.search(ALL, null)).toMatchObject({ calls: [], isCut: true, next: sample.entryId })
    expect(asked).toBe(CALLS_READ_MAX)
  })
})

const browserPath = findChromium()
const title = browserPath === null ? 'in a browser (skipped: no Chromium on this machine)' : 'in a browser'
describe.skipIf(browserPath === null)(title, () => {
  let chromium: Chromium
  let page: Page
  beforeAll(async () => {
    if (browserPath === null) return
    chromium = await startChromium(browserPath)
    page = await enterPortal(await chromium.context({ locale: 'en-GB' }), { origin: world.origin, username: 'rashid' })
  }, 60_000)
  afterAll(() => chromium?.close())

  test('somebody finds out why a call was refused', async () => {
    await page.getByRole('link', { name: 'API log' }).click()
    await page.getByLabel('Which').selectOption('yes')
    await page.getByRole('button', { name: 'Search' }).click()
    expect(await page.locator('tbody tr').count()).toBe(2)
    expect(await findings(page)).toEqual([])
    await page.locator('tbody tr', { hasText: 'consent.usable' }).getByRole('link').click()
    const why = page.locator('section.fault')
    for (const text of ['consent.usable', 'tpp-api 4.9', 'a consent that is Suspended', '400 Consent.Invalid']) {
      expect(await why.innerText()).toContain(text)
    }
    const stages = await page.locator('table', { hasText: 'The six stages' }).locator('tbody tr').allInnerTexts()
    expect(stages.map((row) => row.replaceAll(/\s+/g, ' '))).toMatchObject([
      expect.stringMatching(/^1. Arrived done/),
      expect.stringMatching(/^2. Identified done/),
      expect.stringMatching(/^3. Permitted it ended here 3 ms/),
      expect.stringMatching(/^4. LFI asked not reached/),
      expect.stringMatching(/^5. Answered not reached/),
      expect.stringMatching(/^6. Recorded done/),
    ])
  })

  test('and how long each part of one took that failed at the LFI, by its id', async () => {
    await page.goto(`${world.origin}/calls`)
    await page.getByLabel('Interaction id').fill(failed)
    await page.getByRole('button', { name: 'Search' }).click()
    expect(await page.locator('section.fault').count()).toBe(0)
    const stages = await page.locator('table', { hasText: 'The six stages' }).innerText()
    for (const text of ['4.2 ms', '81.5 ms', 'timeout', '2.1 ms']) expect(stages).toContain(text)
    expect(stages).toMatch(/LFI asked\s+it ended here/)
    expect(await page.getByRole('link', { name: CONSENT }).getAttribute('href')).toBe(`/consents/${CONSENT}`)
  })

  test('the view of now renews itself, and older pages stand still', async () => {
    await page.goto(`${world.origin}/calls?operation=GetTransactions`)
    const rows = page.locator('#found tbody tr')
    expect(await rows.count()).toBe(0)
    await recordCall(world, { operationId: 'GetTransactions' })
    await rows.first().waitFor()
    expect(await rows.count()).toBe(1)
    await page.goto(`${world.origin}/calls`)
    await page.getByRole('link', { name: 'Older calls' }).click()
    expect(await page.locator('[data-live]').count()).toBe(0)
  })

  test('an id that nobody has leads nowhere', async () => {
    for (const id of ['7d4a1f0e-6f5a-4b1c-8f35-0a1b2c3d4e5f', "x'--"]) {
      const answer = await page.goto(`${world.origin}/calls/${encodeURIComponent(id)}`)
      expect([id, answer?.status()]).toEqual([id, 404])
    }
  })
})
