import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { HubError } from '../../../src/errors.ts'
import { type ReadRoute, ROUTES } from '../../../src/gateway/routes.ts'
import { createTranslator, type Viewer } from '../../../src/gateway/transform/index.ts'
import { parsePath } from '../../../src/gateway/transform/repair.ts'
import type { ResourceName } from '../../../src/gateway/transform/resources.ts'
import type { AccountId } from '../../../src/ids.ts'
import { loadSchemas } from '../../../src/schema-registry.ts'
import { SAMPLES } from './samples.ts'

const reads = ROUTES.filter((route): route is ReadRoute => route.follows === 'read-resource')
const translator = createTranslator(reads, loadSchemas(), () => undefined)
const routeOf = (resource: ResourceName): ReadRoute => {
  const route = reads.find((each) => each.resource === resource)
  if (route === undefined) throw new Error(`no route for ${resource}`)
  return route
}
const viewer: Viewer = { accountIds: new Set(['acc-1']), accountId: 'acc-1' as AccountId, withheld: [] }
const paging = () => ({ links: { Self: 'https://rs.example/here' }, totalPages: 1 })
type Body = { Data: Record<string, unknown>; Links: unknown; Meta: Record<string, unknown> }
const translate = (resource: ResourceName, lfi: unknown, more: Partial<Viewer> = {}) => {
  const made = translator.translate(routeOf(resource), lfi, { ...viewer, ...more }, paging)
  return { ...made, body: made.body as Body }
}
// biome-ignore lint/suspicious/noExplicitAny: tests break samples in all sorts of ways
const broken = (resource: ResourceName, change: (lfi: any) => void): unknown => {
  const lfi = structuredClone(SAMPLES[resource].lfi)
  change(lfi)
  return lfi
}
const names = Object.keys(SAMPLES) as ResourceName[]

describe.each(names)('%s', (resource) => {
  const sample = SAMPLES[resource]

  test('is translated member by member', () => {
    const { body, records, quality } = translate(resource, structuredClone(sample.lfi))
    expect(quality).toBeNull()
    expect(body.Data).toEqual(sample.tpp)
    expect(records).toBe(sample.records)
    expect(body.Links).toEqual({ Self: 'https://rs.example/here' })
    expect(body.Meta['TotalPages']).toBe(1)
  })

  test('lets nothing through that no row names, at any depth', () => {
    const lfi = structuredClone(sample.lfi)
    sow(lfi['data'])
    expect(JSON.stringify(translate(resource, lfi).body)).not.toMatch(/planted/i)
  })

  test('takes null for absent', () => {
    const record = recordOf(structuredClone(sample.lfi))
    const { lfi } = record
    record.record['madeUpAndNull'] = null
    expect(translate(resource, lfi).body.Data).toEqual(sample.tpp)
  })

  test('is refused without data', () => {
    expect(() => translate(resource, { meta: {} })).toThrow(HubError)
    expect(() => translate(resource, null)).toThrow(HubError)
    expect(() => translate(resource, [])).toThrow(HubError)
  })
})

/** Puts a member of no meaning into every object that is not free-form. */
function sow(value: unknown): void {
  if (typeof value !== 'object' || value === null) return
  for (const [name, member] of Object.entries(value)) if (name !== 'supplementaryData') sow(member)
  if (!Array.isArray(value)) Object.assign(value, { planted: 'planted', Planted: { planted: 1 } })
}

function recordOf(lfi: Record<string, unknown>): { lfi: unknown; record: Record<string, unknown> } {
  const data = lfi['data'] as Record<string, unknown> | Record<string, unknown>[]
  return { lfi, record: (Array.isArray(data) ? data[0] : data) as Record<string, unknown> }
}

describe('conversions', () => {
  const transactions = (change: (transaction: Record<string, unknown>) => void) =>
    translate(
      'transactions',
      broken('transactions', (lfi) => change(lfi.data[0])),
    )
  const first = (body: Body) => (body.Data['Transaction'] as Record<string, unknown>[])[0] ?? {}

  test.each([
    ['terminalId', 'TERM0001', 'TerminalId'],
    ['merchantDetails', { merchantId: 'M-1', merchantName: 'Market' }, 'MerchantDetails.MerchantId'],
    ['billDetails', { BillerID: 'x' }, 'BillDetails.BillerId'],
  ])('%s that is no number is left out and noted', (name, value, path) => {
    const { body, quality } = transactions((each) => {
      each[name] = value
    })
    expect(at(first(body), path)).toBeUndefined()
    expect(quality).toEqual({ [`${path.split('.').at(-1)} conversion`]: 1 })
  })

  test('an exchange rate that is no number takes the exchange with it, which needs one', () => {
    const { body, quality } = transactions((each) => {
      ;(each['currencyExchange'] as Record<string, unknown>)['exchangeRate'] = 'about 3.67'
    })
    expect(first(body)).not.toHaveProperty('CurrencyExchange')
    expect(quality).toMatchObject({ 'ExchangeRate conversion': 1 })
  })

  test('the deprecated form of the time zone is left out, the reference without statements too', () => {
    const { body, quality } = transactions((each) => {
      each['localTimeZone'] = '2026-01-01T00:00:00Z'
      each['statementReference'] = []
    })
    expect(first(body)).not.toHaveProperty('LocalTimeZone')
    expect(first(body)).not.toHaveProperty('StatementReference')
    expect(quality).toBeNull()
  })

  test('finance rates that the user must unlock go through untouched', () => {
    const jwe = 'eyJhbGciOiJQQkVTMi1IUzUxMitBMjU2S1cifQ.a.b.c.d'
    const { body } = translate(
      'products',
      broken('products', (lfi) => {
        lfi.data[0].FinanceRates = jwe
      }),
    )
    expect(body.Data['Product']).toMatchObject([{ FinanceRates: jwe }])
  })
})

const at = (value: unknown, path: string): unknown =>
  path.split('.').reduce<unknown>((from, name) => (from as Record<string, unknown> | undefined)?.[name], value)

describe('repair', () => {
  test('leaves out an optional member that breaks the TPP schema, and says which', () => {
    const lfi = broken('accounts', (body) => {
      body.data[0].description = 'x'.repeat(36)
    })
    const { body, quality } = translate('accounts', lfi)
    expect((body.Data['Account'] as object[])[0]).not.toHaveProperty('Description')
    expect(quality).toEqual({ 'Data.Account[].Description maxLength': 1 })
  })

  test('leaves out an optional member that breaks the schema of the LFI', () => {
    const lfi = broken('accounts', (body) => {
      body.data[0].status = 'Asleep'
    })
    const { body, quality } = translate('accounts', lfi)
    expect((body.Data['Account'] as object[])[0]).not.toHaveProperty('Status')
    expect(Object.keys(quality ?? {})).toEqual(['data[].status enum'])
  })

  test('leaves out what cannot be without the broken member', () => {
    const lfi = broken('accounts', (body) => {
      body.data[0].servicer = { schemeName: 'BICFI' }
    })
    expect((translate('accounts', lfi).body.Data['Account'] as object[])[0]).not.toHaveProperty('Servicer')
  })

  test('leaves out a whole list rather than one of its elements', () => {
    const lfi = broken('accounts', (body) => {
      body.data[0].accountNumbers.push({ schemeName: 'Napkin', identification: '1' })
    })
    expect((translate('accounts', lfi).body.Data['Account'] as object[])[0]).not.toHaveProperty('AccountIdentifiers')
  })

  test('mends many records at once', () => {
    const lfi = broken('accounts', (body) => {
      body.data = Array.from({ length: 120 }, () => ({ ...body.data[0], description: 'x'.repeat(36), nickName: null }))
    })
    const { body, records } = translate('accounts', lfi)
    expect(records).toBe(120)
    expect(JSON.stringify(body)).not.toContain('xxx')
  })

  test.each([
    ['transactions', 'amount', undefined],
    ['transactions', 'bookingDateTime', '2026-03-04T05:06:07'],
    ['transactions', 'status', 'Perhaps'],
    ['balances', 'amount', { amount: '-5', currency: 'AED' }],
    ['accountParties', 'verifiedClaims', [{ claims: { identityType: 'Person' } }]],
    ['directDebits', 'name', 'n'.repeat(71)],
  ] as const)('%s without a good %s is refused', (resource, name, value) => {
    const lfi = broken(resource, (body) => {
      body.data[0][name] = value
    })
    expect(() => translate(resource, lfi)).toThrow(expect.objectContaining({ code: 'GenericError' }))
  })

  test('an empty list of balances has no documented form', () => {
    expect(() => translate('balances', { data: [] })).toThrow(expect.objectContaining({ code: 'GenericError' }))
    expect(translate('transactions', { data: [] }).body.Data).toEqual({ AccountId: 'acc-1', Transaction: [] })
  })

  test('never tells a value', () => {
    const lfi = broken('directDebits', (body) => {
      body.data[0].name = `secret-${'n'.repeat(71)}`
    })
    const failure = (() => {
      try {
        return translate('directDebits', lfi)
      } catch (thrown) {
        return thrown
      }
    })()
    expect(JSON.stringify(failure) + String(failure)).not.toContain('secret')
  })

  test('reads the paths of violations', () => {
    expect(parsePath('Data.Transaction[3].MerchantDetails.MerchantName')).toEqual([
      'Data',
      'Transaction',
      3,
      'MerchantDetails',
      'MerchantName',
    ])
    expect(parsePath('a["odd \\"name\\""][0]')).toEqual(['a', 'odd "name"', 0])
    expect(parsePath('')).toEqual([])
  })
})

describe('accounts of others', () => {
  test('records of an account outside the consent stay here', () => {
    const lfi = broken('accounts', (body) => body.data.push({ ...body.data[0], id: 'acc-9' }))
    const { body, records, quality } = translate('accounts', lfi)
    expect(JSON.stringify(body)).not.toContain('acc-9')
    expect(records).toBe(1)
    expect(quality).toEqual({ 'data[] other-account': 1 })
  })

  test('records of another account than the one asked for stay here', () => {
    const lfi = broken('transactions', (body) =>
      body.data.push({ ...body.data[0], accountId: 'acc-9', transactionId: 'x' }),
    )
    expect(translate('transactions', lfi).records).toBe(1)
  })

  test.each(['account', 'statements'] as const)('%s of another account is refused', (resource) => {
    const lfi = broken(resource, (body) => {
      body.data[resource === 'account' ? 'id' : 'AccountId'] = 'acc-9'
    })
    expect(() => translate(resource, lfi)).toThrow(expect.objectContaining({ code: 'GenericError' }))
  })
})

describe('withholding', () => {
  test('leaves out whole members and members of members', () => {
    const { body } = translate('beneficiaries', structuredClone(SAMPLES.beneficiaries.lfi), {
      withheld: ['CreditorAgent.PostalAddress', 'Reference'],
    })
    const [beneficiary] = body.Data['Beneficiary'] as Record<string, unknown>[]
    expect(beneficiary).not.toHaveProperty('Reference')
    expect(beneficiary?.['CreditorAgent']).toEqual({ SchemeName: 'Other', Identification: 'BANKAEAA', Name: 'Bank' })
  })

  test('does not remember one viewer for the next', () => {
    const lfi = () => structuredClone(SAMPLES.products.lfi)
    expect(JSON.stringify(translate('products', lfi(), { withheld: ['FinanceRates'] }).body)).not.toContain(
      'FinanceRates',
    )
    expect(JSON.stringify(translate('products', lfi()).body)).toContain('FinanceRates')
  })
})

test('statements tell from when to when there are any, other resources do not', () => {
  const meta = { firstAvailableDateTime: '2024-01-01T00:00:00Z', lastAvailableDateTime: '2026-01-01T00:00:00Z' }
  expect(translate('statements', { ...structuredClone(SAMPLES.statements.lfi), meta }).body.Meta).toEqual({
    TotalPages: 1,
    FirstAvailableDateTime: '2024-01-01T00:00:00Z',
    LastAvailableDateTime: '2026-01-01T00:00:00Z',
  })
  expect(translate('transactions', { ...structuredClone(SAMPLES.transactions.lfi), meta }).body.Meta).toEqual({
    TotalPages: 1,
  })
})

test('whichever optional members a record has, those and no others arrive', () => {
  const record = recordOf(structuredClone(SAMPLES.transactions.lfi)).record
  const [expected] = SAMPLES.transactions.tpp['Transaction'] as Record<string, unknown>[]
  const required = new Set([
    ...['accountId', 'transactionId', 'transactionDateTime', 'transactionType', 'subTransactionType'],
    ...['creditDebitIndicator', 'status', 'bookingDateTime', 'amount'],
  ])
  const optional = Object.keys(record).filter((name) => !required.has(name))
  fc.assert(
    fc.property(fc.subarray(optional), (chosen) => {
      const names = [...required, ...chosen]
      const lfi = { data: [Object.fromEntries(names.map((name) => [name, record[name]]))] }
      const { body, quality } = translate('transactions', lfi)
      const arrived = names
        .filter((name) => name !== 'accountId')
        .map((name) => name.charAt(0).toUpperCase() + name.slice(1))
      expect(body.Data['Transaction']).toEqual([Object.fromEntries(arrived.map((name) => [name, expected?.[name]]))])
      expect(quality).toBeNull()
    }),
  )
})

test('whatever an LFI sends is translated into the documented form or refused, and never crashes', () => {
  const tpp = loadSchemas().response('account-information', 'GetAccountsAccountIdTransactions', 200)
  const template = SAMPLES.transactions.lfi
  const names = Object.keys(recordOf(structuredClone(template)).record)
  fc.assert(
    fc.property(fc.constantFrom(...names), fc.jsonValue({ maxDepth: 3 }), (name, value) => {
      const lfi = structuredClone(template)
      recordOf(lfi).record[name] = value
      try {
        expect(tpp?.(translate('transactions', lfi).body)).toEqual([])
      } catch (thrown) {
        expect(thrown).toMatchObject({ code: 'GenericError' })
      }
    }),
    { numRuns: 500 },
  )
})
