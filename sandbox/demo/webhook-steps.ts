/** A customer who stops sharing at the bank, and the TPP's page that knows of it without having asked. */
import { setTimeout as pause } from 'node:timers/promises'
import type { Manifest } from '../manifest.ts'
import type { Customer } from './bank-journey.ts'
import { goOn } from './bank-journey.ts'
import { type Browser, createBrowser, type Exit, type Page } from './browser.ts'
import type { Recorder } from './recorder.ts'

const PAGES_MAX = 8
const TOLD_WITHIN_MS = 30_000
const LOOK_EVERY_MS = 250

export async function webhookSteps(
  recorder: Recorder,
  setting: { readonly manifest: Manifest; readonly lfi: 'aurora'; readonly ca: string; readonly customer: Customer },
): Promise<void> {
  const { manifest, lfi, customer } = setting
  const browser = createBrowser({ ca: setting.ca })
  recorder.part('The bank tells the TPP')
  try {
    const consentId = await recorder.step(
      'Connected in the TPP’s own pages',
      'the pages of Wadi Budget and the bank',
      async () => {
        const id = await connect(browser, manifest.edge, lfi, customer)
        return { value: id, saw: `consent ${id}, with a webhook at ${manifest.tpp.clients[0]?.webhookUris[0] ?? ''}` }
      },
    )
    await recorder.step('Sharing stopped at the bank', 'the bank’s own page, «Stop sharing»', async () => {
      await stopSharing(browser, `${manifest.edge}banks/${lfi}/consents`, consentId, customer)
      return { value: null, saw: 'the customer pressed it; the TPP was not asked' }
    })
    await recorder.check(
      'The TPP has been told',
      'POST to the webhook, signed and encrypted; «What happened»',
      async () => {
        const startedAt = Date.now()
        while (!(await hasBeenTold(browser, manifest.edge, consentId))) {
          if (Date.now() - startedAt > TOLD_WITHIN_MS) throw new Error('the TPP’s page says nothing of it')
          await pause(LOOK_EVERY_MS)
        }
        return { value: null, saw: 'decrypted, signature verified, and shown: the consent is now Revoked' }
      },
    )
  } finally {
    await browser.close()
  }
}

async function connect(browser: Browser, edge: string, lfi: string, customer: Customer): Promise<string> {
  let at = shown(await browser.open(edge))
  const form = at.forms.find(({ action }) => action === '/connect')
  const press = form?.controls.find(({ kind, value }) => kind === 'button' && value === lfi)
  if (form === undefined || press === undefined) throw new Error('the TPP’s page offers no such bank')
  at = shown(await browser.submit(at, form, { press }))
  for (let pages = 0; consentOn(at) === null; pages += 1) {
    if (pages === PAGES_MAX) throw new Error(`more than ${PAGES_MAX} pages on the way back to the TPP`)
    at = shown(await goOn(browser, at, customer))
  }
  return consentOn(at) ?? ''
}

const consentOn = ({ html }: Page): string | null => /id="consent-id"[^>]*>([0-9a-f-]{36})</.exec(html)?.[1] ?? null

async function stopSharing(browser: Browser, url: string, consentId: string, customer: Customer): Promise<void> {
  const button = `revoke-${consentId}`
  let at = shown(await browser.open(url))
  if (!at.html.includes(button)) at = shown(await goOn(browser, at, customer))
  const form = at.forms.find(({ controls }) => controls.some(({ id }) => id === button))
  if (form === undefined) throw new Error('the bank shows no such consent')
  await browser.submit(at, form, { press: form.controls.find(({ id }) => id === button) })
}

async function hasBeenTold(browser: Browser, edge: string, consentId: string): Promise<boolean> {
  const { html } = shown(await browser.open(edge))
  return new RegExp(`data-consent="${consentId}"\\s+data-status="Revoked"`).test(html)
}

function shown(at: Page | Exit): Page {
  if ('exit' in at) throw new Error(`the browser was sent to ${at.exit.origin}`)
  return at
}
