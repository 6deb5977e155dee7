/** A payment from an account that two people hold: the first agrees, the second does, and then it is paid. */
import type { Tokens } from '../tpp/authorization.ts'
import { LfiFault } from '../tpp/errors.ts'
import { approveAtBank, type Customer, goOn } from './bank-journey.ts'
import { createBrowser, type Exit, type Page } from './browser.ts'
import { aed, askFor, key, type PaymentSetting, pay } from './payment-steps.ts'
import type { Recorder } from './recorder.ts'

const AMOUNT = '12.00'

export type JointAsk = PaymentSetting & {
  /** The other holder of the first one's account. */
  readonly second: Customer
  /** Where customers of the bank see what they have agreed to, and what waits for them. */
  readonly consentsUrl: string
}

export async function jointSteps(recorder: Recorder, ask: JointAsk): Promise<void> {
  const { bank } = ask
  recorder.part('An account of two')
  const tokens = await recorder.step('The first agrees', 'POST /par, the bank’s pages, POST /token', async () => {
    const control = { ConsentSchedule: { SinglePayment: { Type: 'SingleInstantPayment', Amount: aed(AMOUNT) } } }
    const { pending, url } = await bank.requestPayment({ ...askFor(control), allowsSeveral: true })
    const { query } = await approveAtBank(url, ask)
    const redeemed = await bank.redeem(query, pending)
    return {
      value: redeemed,
      saw: `a code and tokens; the consent says ${expectStatus(redeemed, 'AwaitingAuthorization')}`,
    }
  })
  await recorder.check('Not yet', 'POST /payments, before the second has agreed', async () => {
    const error = await pay(ask, tokens, AMOUNT, key()).then(
      () => new Error('it was paid'),
      (reason: unknown) => reason,
    )
    if (!(error instanceof LfiFault) || error.code !== 'Consent.Invalid') throw error
    return { value: null, saw: `refused: ${error.status} ${error.code}, “${error.message}”` }
  })
  await recorder.step('The second agrees', 'the bank’s page of the other holder, «Agree»; then a refresh', async () => {
    await agreeAsSecond(ask, tokens.consentId ?? '')
    const refreshed = await bank.refresh(tokens)
    return { value: null, saw: `the consent says ${expectStatus(refreshed, 'Authorized')}` }
  })
  await recorder.check('Paid', 'POST /payments', async () => {
    const { status } = await pay(ask, await bank.refresh(tokens), AMOUNT, key())
    return { value: null, saw: `${status}` }
  })
}

async function agreeAsSecond({ ca, consentsUrl, second }: JointAsk, consentId: string): Promise<void> {
  const browser = createBrowser({ ca })
  try {
    shown(await goOn(browser, shown(await browser.open(consentsUrl)), second))
    const page = shown(await browser.open(consentsUrl))
    const form = page.forms.find(({ controls }) => controls.some(({ id }) => id === `agree-${consentId}`))
    if (form === undefined) throw new Error('the bank’s page does not show the second holder what waits')
    const press = form.controls.find(({ id }) => id === `agree-${consentId}`)
    const after = shown(await browser.submit(page, form, { press }))
    if (after.status !== 200) throw new Error(`the bank’s page answered ${after.status}`)
  } finally {
    await browser.close()
  }
}

function expectStatus({ consentStatus }: Tokens, expected: string): string {
  if (consentStatus !== expected) throw new Error(`the consent says ${consentStatus ?? 'nothing'}`)
  return consentStatus
}

function shown(at: Page | Exit): Page {
  if ('exit' in at) throw new Error(`the browser was sent to ${at.exit.origin}`)
  return at
}
