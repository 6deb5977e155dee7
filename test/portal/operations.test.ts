/** The pages for whoever runs the hub: what each says, and what can be done on it. Who may not: every-act.test.ts. */
import { readFileSync } from 'node:fs'
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { auditLogOf, auditPublicKey, verifierMain } from '../../src/audit/index.ts'
import type { CorrelationId } from '../../src/ids.ts'
import { TONGUES } from '../../src/portal/words/index.ts'
import { type Chromium, findChromium, startChromium } from '../support/chromium.ts'
import { enterPortal, findings } from './support/browser.ts'
import { recordCall } from './support/calls.ts'
import { createPortalWorld, type PortalWorld } from './support/world.ts'

const { words } = TONGUES.en
let world: PortalWorld
let called: CorrelationId
let deadLetter: string
beforeAll(async () => {
  world = await createPortalWorld({}, { keys: 'stored' })
  called = await recordCall(world)
  deadLetter = await givenUp(world)
}, 120_000)
afterAll(() => world.close())

/** An event about an account opening that no TPP took; settled later than anything is that is cleared away. */
async function givenUp({ database: { db } }: PortalWorld): Promise<string> {
  const { rows } = await db.raw(
    `insert into outbox (at, kind, event, revision, resource, resource_id, client_id, url, body, state, attempts, settled_at, outcome)
     values (now(), 'tpp-webhook', 'moved', 2, 'account-opening', 'opening-1', 'client-1', 'https://tpp.example/events', '{}', 'dead', 7, now() + interval '1 day', 'answered 503')
     returning id`,
  )
  return String(rows[0].id)
}

const publicKey = (): string => {
  const { tenantId, key, origin } = auditLogOf(world.tenant)
  return auditPublicKey(tenantId, key, origin)
}
/** Processes look at the keys every other second. */
const SOON = { timeout: 15_000 }
const lastAct = async () => (await world.acts(1)).at(-1)

const browserPath = findChromium()
const title = browserPath === null ? 'in a browser (skipped: no Chromium on this machine)' : 'in a browser'
describe.skipIf(browserPath === null)(title, () => {
  let chromium: Chromium
  let page: Page
  const goTo = (path: string) => page.goto(`${world.origin}${path}`)
  const press = (name: string) => page.getByRole('button', { name }).click()
  const rowsOf = async (caption: string): Promise<readonly string[]> => {
    const rows = await page
      .locator('table')
      .filter({ has: page.locator('caption', { hasText: caption }) })
      .locator('tbody tr')
      .allInnerTexts()
    return rows.map((row) => row.replaceAll(/\s+/g, ' ').trim())
  }

  beforeAll(async () => {
    if (browserPath === null) return
    chromium = await startChromium(browserPath)
    const context = await chromium.context({ locale: 'en-GB', acceptDownloads: true })
    page = await enterPortal(context, { origin: world.origin, username: 'sara' })
  }, 60_000)
  afterAll(() => chromium?.close())

  describe('the audit log', () => {
    test('stands with checkpoints, without lag and without a missed hour', async () => {
      await goTo('/audit')
      expect((await rowsOf(words.audit.checkpoints)).length).toBeGreaterThan(0)
      const text = await page.locator('main').innerText()
      expect(text).toContain(`falaj/${world.tenant.id}+`)
      expect(text).toContain(words.audit.noneMissed)
      expect(text).toContain(words.audit.noWitness)
    })

    test('is verified in the background, and says by whom and with what result', async () => {
      await press(words.acts['audit.verify'])
      expect(await lastAct()).toMatchObject({ act: 'audit.verify', outcome: 'done', before: 'never verified' })
      const verdict = page.locator('table', { hasText: words.audit.verifications }).locator('tbody tr').first()
      await verdict.getByText(words.audit.verifies, { exact: true }).waitFor()
      expect(await verdict.innerText()).toContain('Sara Iqbal')
      expect(await findings(page)).toEqual([])
    })

    test('gives a receipt that holds without it', async () => {
      await goTo(`/calls/${called}`)
      await page.getByRole('link', { name: words.call.receipt }).click()
      const download = page.waitForEvent('download')
      await page.getByRole('link', { name: words.audit.download }).first().click()
      const file = await (await download).path()
      expect(readFileSync(file, 'utf8')).toMatch(/^c2sp.org\/tlog-proof@v1\n/)
      const said: string[] = []
      expect(verifierMain(['receipt', file, '--key', publicKey()], (line) => said.push(line))).toBe(0)
      expect(said.join('\n')).toContain(world.tenant.id)
    })

    test('is exported by a command, which the page makes', async () => {
      await goTo('/audit')
      await page.getByLabel(words.audit.firstDay).fill('2026-03-01')
      await press(words.audit.makeCommand)
      expect(await page.locator('main').innerText()).toContain(
        `falaj audit export --config deployment.json --tenant ${world.tenant.id} --out ${world.tenant.id}-audit --from 2026-03-01T00:00+04:00`,
      )
    })
  })

  describe('a key', () => {
    /** One proposes on the page of keys, with the page as it is; another approves in a browser of their own. */
    const approved = async (act: 'keys.rotate' | 'keys.retire'): Promise<void> => {
      expect(await page.locator('[role=status]').innerText()).toBe(words.shell.proposed)
      expect(await lastAct()).toMatchObject({ act, outcome: 'proposed' })
      const other = await enterPortal(await chromium.context({ locale: 'en-GB' }), {
        origin: world.origin,
        username: 'saif',
        back: '/approvals',
      })
      const label = `${words.acts['proposal.approve']} ${words.acts[act]}`
      await other.getByRole('button', { name: new RegExp(`^${label}`) }).click()
      await other.locator('[role=status]').waitFor()
      expect(await lastAct()).toMatchObject({ act, outcome: 'approved' })
      await other.context().close()
    }
    /** Kids by where they are in their life, as the page says it. */
    const states = async () => {
      await goTo('/keys')
      const rows = (await rowsOf(words.keys.uses.sig)).map((row) => row.split(' '))
      const of = (state: string) => rows.flatMap(([kid = '', each]) => (each === state ? [kid] : []))
      return { next: of('next'), active: of('active'), retired: of('retired'), ended: of('ended') }
    }
    const published = async (): Promise<readonly string[]> => {
      const { body, status } = await world.visitor().ask(`${world.tenant.listeners.auth.origin}/jwks`)
      // A hub whose clock has leapt further than keys are published ahead waits until it has read them again.
      if (status !== 200) return []
      return (JSON.parse(body) as { keys: { kid: string; use: string }[] }).keys.flatMap(({ kid, use }) =>
        use === 'sig' ? [kid] : [],
      )
    }
    const rotate = () => press(`${words.acts['keys.rotate']} ${words.keys.uses.sig}`)
    const retire = (kid: string) => press(`${words.acts['keys.retire']} ${kid}`)

    test('is rotated by two: nothing happens before another one approves, and then the next is published ahead', async () => {
      const before = await states()
      expect(await findings(page)).toEqual([])
      await rotate()
      expect(await states()).toEqual(before)
      await goTo('/keys?done=proposed')
      await approved('keys.rotate')
      const after = await states()
      expect(after).toEqual({ ...before, next: [expect.any(String)] })
      await expect.poll(published, SOON).toEqual(expect.arrayContaining([...before.active, ...after.next]))
    })

    test('that is next is refused another, at once; it is forgotten again by two', async () => {
      const [kid = ''] = (await states()).next
      await rotate()
      expect(await page.locator('[role=alert]').innerText()).toContain(`key ${kid} is next already`)
      expect(await lastAct()).toMatchObject({ act: 'keys.rotate', outcome: 'refused' })
      await goTo('/keys')
      await retire(kid)
      await approved('keys.retire')
      expect((await states()).next).toEqual([])
      await expect.poll(published, SOON).not.toContain(kid)
    })

    test('signs when clients had time to see it; the one before verifies on, until two people end it', async () => {
      const [former = ''] = (await states()).active
      await rotate()
      await approved('keys.rotate')
      const [kid = ''] = (await states()).next
      world.ahead(19)
      expect((await states()).active).toEqual([former])
      world.ahead(21)
      expect(await states()).toMatchObject({ active: [kid], retired: expect.arrayContaining([former]) })
      await expect.poll(published, SOON).toEqual(expect.arrayContaining([kid, former]))
      await retire(former)
      await approved('keys.retire')
      expect(await states()).toMatchObject({ active: [kid], ended: expect.arrayContaining([former]) })
      await expect.poll(published, SOON).not.toContain(former)
      world.ahead(0)
    })

    test('and each certificate is there with what is left of it, and each authority', async () => {
      await goTo('/keys')
      expect(await rowsOf(words.keys.authorities)).toContainEqual(
        expect.stringMatching(/^lfi\.caFile\.0 .* good \d[\d,]* days$/),
      )
      const rows = await rowsOf(words.keys.certificates)
      for (const name of ['listeners.portal', 'listeners.admin', 'lfi', 'trustFramework']) {
        expect(rows).toContainEqual(expect.stringMatching(new RegExp(`^${name} .*\\d+ days$`)))
      }
    })
  })

  test('a report is shown for some days, and kept as CSV', async () => {
    await goTo('/reports')
    await page.getByLabel(words.reports.report).selectOption('volume')
    await press(words.reports.show)
    await expect.poll(() => rowsOf(words.reports.kinds.volume)).toContainEqual(expect.stringContaining('/accounts'))
    expect(await findings(page)).toEqual([])
    const download = page.waitForEvent('download')
    await page.getByRole('link', { name: words.reports.download }).click()
    const csv = readFileSync(await (await download).path(), 'utf8').split('\r\n')
    expect(csv[0]).toBe('Type,ReportingPeriodDate,LfiId,LfiName,ApiSet,HttpMethod,Url,HttpResponseCodeGroup,TotalCalls')
    expect(csv[1]).toContain(`API Call Volume,`)
    for (const kind of Object.keys(words.reports.kinds)) {
      const answer = await goTo(`/reports?report=${kind}&from=2026-03-01&to=2026-03-02`)
      expect([kind, answer?.status()]).toEqual([kind, 200])
    }
    const wrong = ['from=2026-03-02&to=2026-03-01', 'from=x&to=2026-03-01', 'from=2026-03-01&to=2026-03-04']
    for (const days of wrong) expect((await goTo(`/reports?report=hourly&${days}`))?.status()).toBe(400)
  })

  describe('the bank', () => {
    test('is shown as it is configured, is probed, and does not answer', async () => {
      await goTo('/lfi')
      const text = await page.locator('main').innerText()
      for (const told of ['https://bank.example', world.tenant.authorizationEndpoint, words.lfi.breakers.closed]) {
        expect(text).toContain(told)
      }
      await press(words.acts['lfi.probe'])
      expect(await rowsOf(words.lfi.probes)).toEqual([
        expect.stringMatching(/^\/hello does not answer/),
        expect.stringMatching(/^\/hello-mtls does not answer/),
      ])
      expect(await lastAct()).toMatchObject({
        act: 'lfi.probe',
        outcome: 'done',
        before: 'never probed',
        after: '/hello does not answer, /hello-mtls does not answer',
      })
    })

    test('has answers that break the contract, until somebody resets the list', async () => {
      await world.database.db.raw(
        `insert into deviation values ('findAccounts', '$.data[*].currency', 'pattern', 12, now(), now())`,
      )
      await goTo('/lfi')
      expect(await rowsOf(words.lfi.deviations)).toEqual([expect.stringMatching(/^findAccounts .* pattern 12 /)])
      expect(await findings(page)).toEqual([])
      await press(words.acts['deviations.clear'])
      expect(await lastAct()).toMatchObject({ act: 'deviations.clear', before: '1 lines', after: '0 lines' })
      expect(await page.locator('main').innerText()).toContain(words.lfi.noDeviation)
    })
  })

  test('the settings are shown with their meaning, without a secret, and the roles with what they may do', async () => {
    await goTo('/settings')
    expect(await rowsOf(words.settings.flags)).toContainEqual(expect.stringMatching(/^activation manual /))
    expect(await rowsOf(words.settings.flags)).toContainEqual(expect.stringMatching(/^keys.source stored /))
    expect(await rowsOf(words.settings.settings)).toContainEqual(expect.stringMatching(/^lfi.timeoutMs 1000 /))
    expect(await rowsOf(words.settings.rights)).toContainEqual(`Do: ${words.acts['keys.rotate']} two – – yes –`)
    const text = await page.content()
    const { databaseUrl, keys, portal, lfi } = world.tenant
    const secrets = [databaseUrl, keys.audit, ...keys.signing.map(({ key }) => key), lfi.key, portal?.key.key]
    for (const secret of secrets) expect(text).not.toContain(secret?.reveal().split('\n').at(-2) ?? secret?.reveal())
    expect(text).not.toContain(new URL(databaseUrl.reveal()).password)
    expect(text).not.toContain('-----BEGIN')
    expect(await findings(page)).toEqual([])
  })

  test('an event that nobody took is sent again', async () => {
    await page.goto(`${world.origin}/webhooks`)
    expect(await rowsOf(words.webhooks.states.dead)).toEqual([expect.stringContaining('answered 503')])
    expect(await findings(page)).toEqual([])
    await press(`${words.acts['webhook.redeliver']} ${deadLetter}`)
    expect(await page.locator('[role=status]').innerText()).toContain(words.acts['webhook.redeliver'])
    expect(await lastAct()).toMatchObject({ act: 'webhook.redeliver', target: deadLetter, before: 'dead' })
    const { rows } = await world.database.db.raw('select attempts from outbox where id = ?', [deadLetter])
    expect(rows).toEqual([{ attempts: 0 }])
  })
})
