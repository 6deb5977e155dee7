/** A step for each family that needs no consent (tpp-api 5.4 to 5.8). Counts and codes only: nobody's name is printed. */
import { randomUUID } from 'node:crypto'
import type { LfiConnection } from '../tpp/client.ts'
import { dataOf, sizeOf } from './reads.ts'
import type { Recorder } from './recorder.ts'

/** An account that the customer shares, to ask whose it is. */
export type Payee = { readonly iban: string; readonly name: string }

const CUSTOMER = { ipAddress: '192.0.2.10', userAgent: 'falaj-demo', since: new Date() }

export async function serviceSteps(recorder: Recorder, bank: LfiConnection, payee: Payee): Promise<void> {
  recorder.part('Without a consent')
  await confirmationOfPayee(recorder, bank, payee)
  await openData(recorder, bank)
  await quote(recorder, bank)
  await opening(recorder, bank)
}

async function confirmationOfPayee(recorder: Recorder, bank: LfiConnection, { iban, name }: Payee): Promise<void> {
  const account = { SchemeName: 'IBAN', Identification: iban }
  const ask = (path: string, Data: object) =>
    bank.service({ family: 'confirmation', path, method: 'POST', signed: true, body: { Data } })
  await recorder.check('Whose hub to ask', 'POST /discovery, signed', async () => {
    const answer = await ask('/discovery', account)
    return { value: null, saw: `${answer.status}, ${new URL(String(dataOf(answer.body, 'ResourceServerUrl'))).host}` }
  })
  await recorder.check('Payee confirmed', 'POST /confirmation, signed, with the name and with another', async () => {
    const right = await ask('/confirmation', { ...account, Name: { FullName: name.toUpperCase() } })
    const wrong = await ask('/confirmation', { ...account, Name: { FullName: 'Somebody Quite Different' } })
    const indicators = [right, wrong].map(({ body }) => String(dataOf(body, 'NameMatchIndicator')))
    if (indicators.join() !== 'ConfirmationOfPayee.Yes,ConfirmationOfPayee.No') throw new Error(indicators.join(', '))
    return { value: null, saw: `${right.status}, ${indicators.join(' and ')}` }
  })
}

async function openData(recorder: Recorder, bank: LfiConnection): Promise<void> {
  const data = (body: unknown): unknown => (body as { readonly Data?: unknown } | null)?.Data
  await recorder.check('Cash machines', 'GET /atms', async () => {
    const answer = await bank.service({ family: 'atm', path: '/atms' })
    return { value: null, saw: `${answer.status}, ${sizeOf(data(answer.body))}` }
  })
  await recorder.check('Products, and interest in one', 'GET /products, POST /leads', async () => {
    const answer = await bank.service({ family: 'product', path: '/products', customer: CUSTOMER })
    const lead = await bank.service({
      family: 'product',
      path: '/leads',
      method: 'POST',
      customer: CUSTOMER,
      body: { Data: LEAD },
    })
    if (typeof dataOf(lead.body, 'LeadId') !== 'string') throw new Error('the lead has no id')
    return { value: null, saw: `${answer.status}, ${sizeOf(data(answer.body))}; the lead ${lead.status}` }
  })
}

const LEAD = {
  Email: 'someone@example.org',
  Name: { GivenName: 'Some', LastName: 'One' },
  EmiratesId: '784-0000-0000000-0',
  MarketingOptOut: true,
  ProductCategories: ['SavingsAccount'],
}

async function quote(recorder: Recorder, bank: LfiConnection): Promise<void> {
  const money = (Amount: string, Currency: string) => ({ Amount, Currency })
  await recorder.check('A rate quoted and accepted', 'POST /fx-quotes, GET and PATCH of the quote', async () => {
    const QuoteReference = randomUUID()
    const asked = await bank.service({
      family: 'fx',
      path: '/fx-quotes',
      method: 'POST',
      body: {
        Data: {
          QuoteReference,
          TransactionType: 'Spot',
          UnitCurrency: 'USD',
          QuotedCurrency: 'AED',
          TradeAmount: money('100.00', 'USD'),
        },
      },
    })
    const path = `/fx-quotes/${encodeURIComponent(String(dataOf(asked.body, 'FxQuoteId')))}`
    const Trade = { SellAmount: dataOf(asked.body, 'SellAmount'), BuyAmount: dataOf(asked.body, 'BuyAmount') }
    const Data = { QuoteReference, QuoteStatus: 'Accepted', Trade, Commission: dataOf(asked.body, 'Commission') }
    const accepted = await bank.service({ family: 'fx', path, method: 'PATCH', signed: true, body: { Data } })
    const now = await bank.service({ family: 'fx', path })
    return { value: null, saw: `${asked.status}, ${accepted.status}, now ${String(dataOf(now.body, 'QuoteStatus'))}` }
  })
}

async function opening(recorder: Recorder, bank: LfiConnection): Promise<void> {
  await recorder.check('An account opened', 'POST /accounts, signed; GET its status', async () => {
    const family = 'account-opening'
    const asked = await bank.service({
      family,
      path: '/accounts',
      method: 'POST',
      signed: true,
      body: { Data: OPENING },
    })
    const path = `/accounts/${encodeURIComponent(String(dataOf(asked.body, 'AccountId')))}/status`
    const now = await bank.service({ family, path })
    return {
      value: null,
      saw: `${asked.status}, ${String(dataOf(asked.body, 'OpeningStatus'))}, now ${String(dataOf(now.body, 'OpeningStatus'))}`,
    }
  })
}

const OPENING = {
  Account: { Name: 'Some One' },
  Party: {
    Claims: {
      IdentityType: 'Person',
      FullName: 'Some One',
      GivenName: 'Some',
      Surname: 'One',
      EmiratesId: '784-0000-0000000-0',
      EmiratesIdExpiryDate: '2030-01-01',
      ResidentialAddress: { AddressType: 'Residential', AddressLine: ['1 Example Street'], Country: 'AE' },
    },
  },
}
