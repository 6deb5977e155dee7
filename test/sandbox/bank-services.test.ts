/** The bank's operations without a consent, as the hub calls them. */
import { createHash, randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { BankCode } from '../../sandbox/bank/bank.ts'
import { BANKS } from '../../sandbox/bank/data/book.ts'
import { accountNumbers } from '../../sandbox/bank/data/identifiers.ts'
import { loadSchemas } from '../../src/schema-registry.ts'
import { createCaller, createRig, hubToken, o3Headers, type Reply, type Rig } from './bank-rig.ts'

const registry = loadSchemas()
const PAGE = 'page=1&page-size=100'

describe.each<BankCode>(['aurora', 'meridian'])('%s', (code) => {
  let rig: Rig
  let caller: ReturnType<typeof createCaller>
  beforeAll(async () => {
    rig = await createRig(code)
    caller = createCaller(rig, rig.hub)
  })
  afterAll(async () => {
    await caller.close()
    await rig.close()
  })

  const client = randomUUID()
  const headersFor = async (method: string, more: Readonly<Record<string, string>> = {}) => {
    const { 'o3-consent-id': _, 'o3-psu-identifier': __, ...headers } = o3Headers(code, 'nobody')
    return {
      ...headers,
      'o3-api-operation': method,
      'o3-caller-client-id': client,
      'x-fapi-customer-ip-address': '192.0.2.1',
      authorization: `Bearer ${await hubToken(rig.hubKey, { aud: code })}`,
      ...more,
    }
  }
  const get = async (path: string, more = {}): Promise<Reply> => caller.get(path, await headersFor('GET', more))
  const send = async (method: 'POST' | 'PATCH', path: string, body: unknown, more = {}): Promise<Reply> =>
    caller.send(method, path, await headersFor(method, more), body)
  const data = (reply: Reply): Record<string, unknown> => (reply.body as { data: Record<string, unknown> }).data

  test('takes the consent of a file, then the file that belongs to it, and no other', async () => {
    const consentId = randomUUID()
    const file = { salaries: [1, 2, 3] }
    const described = {
      FileType: 'json',
      FileHash: createHash('sha256').update(JSON.stringify(file)).digest('base64'),
      NumberOfTransactions: 3,
      ControlSum: '6.00',
    }
    const about = { 'o3-consent-id': consentId }
    const announce = (change: object = {}, id = consentId) =>
      send('POST', '/payment-consents', { consentId: id, request: { ...described, ...change } }, about)
    const handOver = (body: object) => send('POST', `/payment-consents/${consentId}/file`, body, about)
    const said = ({ status, body }: Reply) => [status, (body as { errorCode?: string } | null)?.errorCode]

    expect(said(await handOver(file))).toEqual([400, 'Consent.Invalid'])
    expect(said(await announce({ NumberOfTransactions: 1_001 }))).toEqual([400, 'Consent.BusinessRuleViolation'])
    expect(said(await announce({ FileHash: 7 }))).toEqual([400, 'Resource.InvalidFormat'])
    expect(said(await announce({}, randomUUID()))).toEqual([400, 'Resource.InvalidFormat'])
    expect((await announce()).status).toBe(201)
    expect((await announce()).status).toBe(201)
    expect(said(await handOver({ salaries: [1, 2, 4] }))).toEqual([400, 'Consent.Invalid'])
    expect((await handOver(file)).status).toBe(204)
  })

  test('shows its cash machines', async () => {
    const reply = await get('/atm')
    expect(reply.status).toBe(200)
    expect(registry.response('open-data', 'ReadAtmData_read', 200)?.(reply.body)).toEqual([])
    // What the TPP's document wants beyond the bank's.
    const { data: Data, meta: Meta } = reply.body as Record<string, unknown>
    expect(registry.response('atm', 'getAtms', 200)?.({ Data, Meta })).toEqual([])
  })

  test('shows its products, chosen and sorted as asked', async () => {
    const all = await get(`/products?${PAGE}`)
    expect(registry.response('products-data', 'GetProducts', 200)?.(all.body)).toEqual([])
    const names = async (query: string): Promise<unknown[]> => {
      const { body } = await get(`/products?${PAGE}&${query}`)
      return (body as { data: { Products: { ProductId: string }[] }[] }).data.flatMap(({ Products }) =>
        Products.map(({ ProductId }) => ProductId),
      )
    }
    expect(await names('ProductCategory=Mortgage')).toEqual([`${code}-home`])
    expect(await names(`IsShariaCompliant=${code === 'aurora'}`)).toEqual([])
    const sorted = await names('SortField=ProductId')
    expect(sorted).toEqual(sorted.toSorted())
    expect(await names('SortField=ProductId&SortOrder=desc')).toEqual(sorted.toReversed())
  })

  test('takes a lead', async () => {
    const lead = {
      Email: 'a@b.example',
      Name: { FullName: 'Some One' },
      EmiratesId: '784',
      MarketingOptOut: true,
      ProductCategories: ['Mortgage'],
    }
    const reply = await send('POST', '/leads', { data: lead })
    expect(reply.status).toBe(201)
    expect(registry.response('products-data', 'CreateLead', 201)?.(reply.body)).toEqual([])
  })

  test('names the owners of an account, and nobody for a number that it does not know', async () => {
    const bank = BANKS[code]
    const statuses = new Set<number>()
    for (const account of bank.accounts) {
      const [{ schemeName, identification }] = accountNumbers(account, bank)
      if (schemeName !== 'IBAN') continue
      const reply = await send('POST', `/customers/action/cop-query?${PAGE}`, {
        data: { account: { schemeName, identification, name: { fullName: 'Anybody' } } },
      })
      statuses.add(reply.status)
      expect(registry.response('data-sharing', 'findCustomerForCop', reply.status)?.(reply.body)).toEqual([])
      if (reply.status === 200) expect((reply.body as { data: unknown[] }).data.length).toBeGreaterThan(0)
    }
    expect([...statuses].toSorted()).toEqual([200, 403])
    const unknown = await send('POST', `/customers/action/cop-query?${PAGE}`, {
      data: {
        account: { schemeName: 'IBAN', identification: 'AE070331234567890123456', name: { fullName: 'Anybody' } },
      },
    })
    expect(unknown).toMatchObject({ status: 200, body: { data: [] } })
  })

  const QUOTE = {
    QuoteReference: 'q-1',
    TransactionType: 'Spot',
    UnitCurrency: 'USD',
    QuotedCurrency: 'AED',
    TradeAmount: { Amount: '100.00', Currency: 'USD' },
  }
  test('quotes a rate, for the client that asked', async () => {
    const asked = await send('POST', '/fx-quotes', { data: QUOTE })
    expect(asked.status).toBe(201)
    expect(registry.response('fx-and-account-opening', 'CreateFxQuote_create', 201)?.(asked.body)).toEqual([])
    const path = `/fx-quotes/${data(asked)['FxQuoteId']}`
    expect(await send('PATCH', path, { data: {} })).toMatchObject({ status: 204, body: null })
    const now = await get(path)
    expect(registry.response('fx-and-account-opening', 'FxQuote_read', 200)?.(now.body)).toEqual([])
    expect(data(now)['QuoteStatus']).toBe('Accepted')
    expect((await get(path, { 'o3-caller-client-id': randomUUID() })).status).toBe(404)
  })
  test('has no rate for a currency that it does not trade', async () => {
    expect(await send('POST', '/fx-quotes', { data: { ...QUOTE, UnitCurrency: 'JPY' } })).toMatchObject({
      status: 204,
      body: null,
    })
  })

  test('opens an account, for the client that asked', async () => {
    const asked = await send('POST', '/accounts', { data: { Account: { Name: 'Some One' } } })
    expect(asked.status).toBe(200)
    expect(registry.response('fx-and-account-opening', 'CreateAccount_create', 200)?.(asked.body)).toEqual([])
    const path = `/accounts/${data(asked)['AccountId']}/status`
    const now = await get(path)
    expect(registry.response('fx-and-account-opening', 'Account_read', 200)?.(now.body)).toEqual([])
    expect(data(now)['OpeningStatus']).toBe('Completed')
    expect((await get(path, { 'o3-caller-client-id': randomUUID() })).status).toBe(404)
  })

  test.each([
    ['without a token', { authorization: '' }, 401],
    ['for another bank', { 'o3-provider-id': 'other' }, 400],
    ['without a client', { 'o3-caller-client-id': '' }, 400],
    ['with another method in its header', { 'o3-api-operation': 'PUT' }, 400],
  ])('refuses a call %s', async (_what, more, status) => {
    expect((await get('/atm', more)).status).toBe(status)
  })
  test('refuses a body that is none', async () => {
    for (const body of ['', '[', '{}', '{"data":7}']) expect((await send('POST', '/leads', body)).status).toBe(400)
  })
  test('wants the address of the customer where the contract says so', async () => {
    expect((await get(`/products?${PAGE}`, { 'x-fapi-customer-ip-address': '' })).status).toBe(400)
  })
})
