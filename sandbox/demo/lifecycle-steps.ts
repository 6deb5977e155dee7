/** A consent that is renewed, paused by the bank, resumed, and ended by the bank. */
import type { Tokens } from '../tpp/authorization.ts'
import type { LfiConnection } from '../tpp/client.ts'
import { LfiFault } from '../tpp/errors.ts'
import { type Customer, goOn } from './bank-journey.ts'
import { type Browser, createBrowser, type Exit, type Page } from './browser.ts'
import { dataOf } from './reads.ts'
import type { Recorder } from './recorder.ts'

export type LifecycleAsk = {
  readonly bank: LfiConnection
  readonly ca: string
  /** The page of the bank's own people. */
  readonly staffUrl: string
  readonly staff: Customer
  readonly rootId: string
  /** The customer agrees to a consent that continues the root. */
  readonly renew: () => Promise<Tokens>
}

type Act = 'suspend' | 'resume' | 'revoke'

export async function lifecycleSteps(recorder: Recorder, ask: LifecycleAsk): Promise<void> {
  const { bank, rootId } = ask
  recorder.part('A consent renewed')
  const tokens = await ask.renew()
  const consentId = tokens.consentId ?? ''
  await recorder.check('Both in one list', 'GET /account-access-consents?baseConsentId=…', async () => {
    const { body } = await bank.consents(rootId)
    const ids = (body as readonly unknown[]).map((each) => dataOf(each, 'ConsentId'))
    if (!ids.includes(rootId) || !ids.includes(consentId)) throw new Error(`the list holds ${ids.join(', ')}`)
    return { value: null, saw: `${ids.length} consents: the first ${rootId} and its renewal ${consentId}` }
  })

  recorder.part('What the bank’s own people can do')
  const browser = createBrowser({ ca: ask.ca })
  const act = (name: Act): Promise<void> => press(browser, ask, consentId, name)
  const read = () => bank.read('/accounts', { accessToken: tokens.accessToken })
  try {
    await recorder.step('Paused at the bank', 'the staff’s page, «Pause»; then GET /accounts', async () => {
      await act('suspend')
      const told = await refused(read())
      const status = await statusOf(bank, consentId, 'Suspended')
      return { value: null, saw: `${told}; the consent says ${status}` }
    })
    await recorder.step('Resumed at the bank', 'the staff’s page, «Resume»; then GET /accounts', async () => {
      await act('resume')
      const { status } = await read()
      return { value: null, saw: `${status}; the consent says ${await statusOf(bank, consentId, 'Authorized')}` }
    })
    await recorder.step('Ended by the bank', 'the staff’s page, «End for the bank»; then its consent', async () => {
      await act('revoke')
      const by = dataOf((await bank.consent(consentId)).body, 'RevokedBy')
      if (by !== 'LFI') throw new Error(`the consent says that ${String(by)} ended it`)
      return { value: null, saw: `the consent says ${await statusOf(bank, consentId, 'Revoked')}, by LFI` }
    })
  } finally {
    await browser.close()
  }
}

async function press(browser: Browser, { staffUrl, staff }: LifecycleAsk, consentId: string, act: Act): Promise<void> {
  const first = shown(await browser.open(staffUrl))
  if (first.html.includes('id="login"')) shown(await goOn(browser, first, staff))
  const page = shown(await browser.open(`${staffUrl}/consents/${consentId}`))
  const form = page.forms.find(({ controls }) => controls.some(({ id }) => id === act))
  if (form === undefined) throw new Error(`the bank’s page has no button ${act}`)
  const after = shown(await browser.submit(page, form, { press: form.controls.find(({ id }) => id === act) }))
  if (after.status !== 200) throw new Error(`the bank’s page answered ${after.status}`)
}

async function statusOf(bank: LfiConnection, consentId: string, expected: string): Promise<string> {
  const status = String(dataOf((await bank.consent(consentId)).body, 'Status'))
  if (status !== expected) throw new Error(`the consent says ${status}`)
  return status
}

async function refused(work: Promise<unknown>): Promise<string> {
  const error = await work.then(
    () => new Error('it was allowed'),
    (reason: unknown) => reason,
  )
  if (!(error instanceof LfiFault) || !/suspended/i.test(error.message)) throw error
  return `refused: ${error.status} ${error.code}, “${error.message}”`
}

function shown(at: Page | Exit): Page {
  if ('exit' in at) throw new Error(`the browser was sent to ${at.exit.origin}`)
  return at
}
