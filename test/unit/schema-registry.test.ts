import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type Check, type DocumentId, loadSchemas } from '../../src/schema-registry.ts'

const registry = loadSchemas()
const DOCUMENTS = [
  'account-information',
  'onboarding',
  'data-sharing',
  'health-check',
  'consent-manager',
  'headless-authorization',
] as const satisfies DocumentId[]
const RAR = 'urn:openfinanceuae:account-access-consent:v2.1'

const some = (check: Check | null): Check => {
  if (check === null) throw new Error('no check')
  return check
}
const transactions = some(registry.response('account-information', 'GetAccountsAccountIdTransactions', 200))
const patchConsent = some(registry.requestBody('consent-manager', 'patchConsent'))

const transaction = {
  TransactionId: 't-1',
  TransactionDateTime: '2026-03-01T09:00:00+04:00',
  TransactionType: 'POS',
  SubTransactionType: 'Purchase',
  CreditDebitIndicator: 'Debit',
  Status: 'Booked',
  BookingDateTime: '2026-03-01T05:00:00Z',
  Amount: { Amount: '12.50', Currency: 'AED' },
}
const page = (entries: readonly unknown[]) => ({
  Data: { AccountId: 'a-1', Transaction: entries },
  Links: { Self: 'https://rs1.bank.example/open-finance/account-information/v2.1/accounts/a-1/transactions' },
  Meta: { TotalPages: 1 },
})
const request = {
  type: RAR,
  consent: {
    ConsentId: '0f6b1f6e-6b0a-4f57-9d3a-0a4a3c1b7e55',
    Permissions: ['ReadAccountsBasic'],
    ExpirationDateTime: '2026-12-01T00:00:00Z',
    OpenFinanceBilling: { UserType: 'Retail', Purpose: 'AccountAggregation' },
  },
}

describe('facts', () => {
  it('lists every operation with its method, path, media types and statuses', () => {
    expect(registry.operations('account-information')).toHaveLength(15)
    expect(registry.operations('account-information')).toContainEqual({
      operationId: 'PatchAccountAccessConsentsConsentId',
      method: 'PATCH',
      path: '/account-access-consents/{ConsentId}',
      requestMediaTypes: ['application/json; charset=utf-8', 'application/json', 'application/jwt'],
      responseMediaTypes: [],
      statuses: [204, 400, 401, 403, 405, 406, 415, 429, 500],
    })
    expect(registry.operations('headless-authorization').map(({ operationId }) => operationId)).toEqual([
      'getAuth',
      'doConfirm',
      'doFail',
      'helloMtls',
    ])
  })

  it('knows the base path of a document, and that the LFI-facing ones have none', () => {
    expect(DOCUMENTS.map((id) => registry.basePath(id))).toEqual([
      '/open-finance/account-information/v2.1',
      '/open-finance/onboarding/v2.1',
      '',
      '',
      '',
      '',
    ])
  })

  it('fails loudly for an operation that does not exist', () => {
    expect(() => registry.requestBody('onboarding', 'GetAccounts')).toThrow('no operation GetAccounts in onboarding')
  })
})

describe('bodies', () => {
  it('accepts a body that is as documented', () => {
    expect(transactions(page([transaction]))).toEqual([])
  })

  it.each([
    [{ ...transaction, Amount: { Amount: '12.50' } }, 'Data.Transaction[1].Amount.Currency', 'required', 'is required'],
    [{ ...transaction, Extra: 1 }, 'Data.Transaction[1].Extra', 'additionalProperties', 'is not known here'],
    [
      { ...transaction, Status: 'Gone' },
      'Data.Transaction[1].Status',
      'enum',
      'must be one of Booked, Pending, Rejected',
    ],
    [{ ...transaction, TerminalId: 'x' }, 'Data.Transaction[1].TerminalId', 'type', 'must be integer'],
    [
      { ...transaction, TransactionDateTime: '2026-03-01T09:00:00' },
      'Data.Transaction[1].TransactionDateTime',
      'format',
      'must be a valid date-time',
    ],
    [
      { ...transaction, PaymentPurposeCode: 'abc' },
      'Data.Transaction[1].PaymentPurposeCode',
      'pattern',
      'must match ^[A-Z]{3}$',
    ],
  ])('names where the body is wrong and by which rule: %#', (entry, path, rule, message) => {
    expect(transactions(page([transaction, entry]))).toEqual([{ path, rule, message }])
  })

  it('points at the whole body with an empty path', () => {
    expect(transactions(7)).toEqual([{ path: '', rule: 'type', message: 'must be object' }])
  })

  it('reports at most ten violations', () => {
    expect(transactions(page(Array.from({ length: 5000 }, () => ({}))))).toHaveLength(10)
  })

  it('says why a branch does not fit rather than that none does', () => {
    const nested = { authorizationChannel: 'App', consentBody: { Data: { Status: 'Authorized' } } }
    expect(patchConsent(nested)).toEqual([
      { path: 'consentBody', rule: 'additionalProperties', message: 'is not known here' },
    ])
    expect(patchConsent({ 'consentBody.Data.Status': 'AwaitingAuthorization' }).map(({ path }) => path)).toEqual([
      'authorizationChannel',
      '["consentBody.Data.Status"]',
    ])
  })

  it('repeats no value of the body, and cuts long names', () => {
    const secret = 'S3CR3T-784-1990-1234567-1'
    const body = fc.letrec((tie) => ({
      value: fc.oneof(
        { maxDepth: 4 },
        fc.constantFrom(secret, `${secret}!`),
        fc.integer(),
        fc.array(tie('value'), { maxLength: 4 }),
        tie('object'),
      ),
      object: fc.dictionary(
        fc.constantFrom(
          'Data',
          'Account',
          'AccountId',
          'Transaction',
          'Amount',
          'Links',
          'Self',
          'Meta',
          'Currency',
          'consent',
          'status',
        ),
        tie('value'),
      ),
    })).object
    const checks = [
      transactions,
      patchConsent,
      some(registry.rar(RAR)),
      some(registry.response('account-information', 'GetAccounts', 200)),
    ]
    fc.assert(
      fc.property(body, fc.constantFrom(...checks), (value, check) => {
        expect(JSON.stringify(check(value))).not.toContain('S3CR3T')
      }),
      { seed: 4, numRuns: 300 },
    )
    const [violation] = patchConsent({ authorizationChannel: 'App', ['n'.repeat(5000)]: 1 })
    expect(violation?.path.length).toBeLessThanOrEqual(64)
  })

  it('takes an absent body where none is required', () => {
    expect(some(registry.requestBody('account-information', 'PatchAccountAccessConsentsConsentId'))(undefined)).toEqual(
      [],
    )
    expect(patchConsent(undefined)).toEqual([{ path: '', rule: 'required', message: 'a body is required' }])
    expect(registry.requestBody('account-information', 'GetAccounts')).toBeNull()
  })

  it('tells statuses with a body from those without, and falls back to the default', () => {
    expect(registry.response('account-information', 'GetAccounts', 401)).toBeNull()
    expect(registry.response('account-information', 'GetAccounts', 418)).toBeNull()
    expect(some(registry.response('data-sharing', 'findAccounts', 404))({ errorCode: 1 })).toEqual([
      { path: 'errorCode', rule: 'type', message: 'must be string' },
    ])
  })

  it('can be satisfied where the published schema forbids its own members', () => {
    const consent = {
      id: request.consent.ConsentId,
      consentType: 'cbuae-account-access-consents',
      consentBody: { Data: { ...request.consent, Status: 'Authorized', FromDate: '2026-01-01' } },
      request,
      requestHeaders: {},
      tpp: {
        clientId: 'c8b7a1de-7f0e-4b4e-8f27-1f0d1c9b2a11',
        tppId: 't',
        tppName: 'T',
        softwareStatementId: 's',
        orgId: 'c8b7a1de-7f0e-4b4e-8f27-1f0d1c9b2a12',
        decodedSsa: {},
      },
    }
    expect(
      some(registry.response('consent-manager', 'getConsentsByConsentId', 200))({ data: consent, meta: {} }),
    ).toEqual([])
  })
})

const lfiHeaders = Object.fromEntries(
  ['provider', 'aspsp', 'caller-org', 'caller-client', 'caller-software-statement', 'consent', 'ozone-interaction']
    .map((name) => `o3-${name}-id`)
    .concat('o3-api-uri', 'o3-api-operation', 'o3-psu-identifier')
    .map((name) => [name, 'x']),
)

describe('parameters', () => {
  const { path, query, header } = registry.parameters('account-information', 'GetAccountsAccountIdTransactions')

  it('reads numbers and booleans from text, without touching what it was given', () => {
    const given = { page: '2' }
    expect(query(given)).toEqual([])
    expect(given).toEqual({ page: '2' })
    expect(query({ page: '0' })).toEqual([{ path: 'page', rule: 'minimum', message: 'must be >= 1' }])
    for (const page of ['1.5', '0x10', '1e3', ' 1', '', '9'.repeat(30)]) {
      expect(query({ page }), page).toEqual([{ path: 'page', rule: 'type', message: 'must be integer' }])
    }
    expect(query({ page: ['1', '2'] })).toEqual([{ path: 'page', rule: 'type', message: 'must be integer' }])
    const { query: lfi } = registry.parameters('data-sharing', 'findBalancesByAccountId')
    expect(lfi({ page: '1', 'page-size': '100' })).toEqual([])
    const { query: store } = registry.parameters('consent-manager', 'getAllConsents')
    expect(store({ updatedAt: '1767225600000.5' })).toEqual([])
    const { header: fx } = registry.parameters('data-sharing', 'findTransactionsByAccountId')
    const flag = (value: string) => fx({ ...lfiHeaders, 'o3-fx-transactions': value })
    expect(flag('true')).toEqual([])
    expect(flag('yes')).toEqual([{ path: 'o3-fx-transactions', rule: 'type', message: 'must be boolean' }])
  })

  it('refuses unknown query parameters, not unknown headers', () => {
    expect(query({ fromDate: '2026-01-01' })).toEqual([
      { path: 'fromDate', rule: 'additionalProperties', message: 'is not known here' },
    ])
    expect(query(JSON.parse('{"__proto__":"x"}'))).toHaveLength(1)
    expect(header({ authorization: 'Bearer t', accept: '*/*' })).toEqual([])
  })

  it('lets an authorization request through whole', () => {
    const { query: auth } = registry.parameters('headless-authorization', 'getAuth')
    expect(auth({ client_id: 'c', request_uri: 'urn:x', anything: ['a', 'b'] })).toEqual([])
  })

  it.each([
    ['2026-02-01', true],
    ['2026-02-01T10:00:00Z', true],
    ['2026-02-01T10:00:00+04:00', true],
    ['2026-02-01T10:00:00', true],
    ['2026-02-30', false],
    ['2026-02-01 10:00:00Z', false],
    ['yesterday', false],
  ])('takes a booking filter with or without time and zone: %s', (fromBookingDateTime, valid) => {
    expect(query({ fromBookingDateTime }).length === 0).toBe(valid)
  })

  it.each([
    ['x-fapi-interaction-id', '0f6b1f6e-6b0a-4f57-9d3a-0a4a3c1b7e55', 'urn:uuid:0f6b1f6e-6b0a-4f57-9d3a-0a4a3c1b7e55'],
    ['x-fapi-customer-ip-address', '2001:db8::1', '300.1.1.1'],
    ['x-fapi-customer-ip-address', '192.0.2.7', '192.0.2'],
    ['x-fapi-auth-date', 'Sun, 01 Mar 2026 09:00:00 GMT', '2026-03-01'],
  ])('judges the form of %s', (name, good, bad) => {
    expect(header({ authorization: 'Bearer t', [name]: good })).toEqual([])
    expect(header({ authorization: 'Bearer t', [name]: bad }).map(({ path: at }) => at)).toEqual([name])
  })

  it('wants what is required', () => {
    expect(header({})).toEqual([{ path: 'authorization', rule: 'required', message: 'is required' }])
    expect(path({ AccountId: 'a'.repeat(41) })).toEqual([
      { path: 'AccountId', rule: 'maxLength', message: 'must NOT have more than 40 characters' },
    ])
    expect(
      registry.parameters('account-information', 'GetAccountAccessConsentsByBaseConsentId').query({}),
    ).toHaveLength(1)
  })
})

describe('authorization details', () => {
  it('are found by their type', () => {
    expect(some(registry.rar(RAR))(request)).toEqual([])
    expect(registry.rar('urn:openfinanceuae:account-access-consent:v9.9')).toBeNull()
  })

  it.each([
    [{ ...request, extra: 1 }, 'extra'],
    [{ ...request, consent: { ...request.consent, Status: 'Authorized' } }, 'consent.Status'],
    [{ ...request, consent: { ...request.consent, ConsentId: 'mine' } }, 'consent.ConsentId'],
    [{ ...request, consent: { ...request.consent, Permissions: ['ReadConsents'] } }, 'consent.Permissions[0]'],
    [{ ...request, subscription: { Webhook: { Url: 'https://tpp.example' } } }, 'subscription.Webhook.IsActive'],
  ])('are closed at every level: %#', (value, at) => {
    expect(some(registry.rar(RAR))(value).map(({ path }) => path)).toEqual([at])
  })
})

describe('cost', () => {
  it('compiles every schema of every document', () => {
    const fresh = loadSchemas()
    fresh.warm()
    expect(some(fresh.rar(RAR))(request)).toEqual([])
  })

  it('judges a page of 60 KB in a few milliseconds', () => {
    const body = page(Array.from({ length: 200 }, () => transaction))
    expect(JSON.stringify(body).length).toBeGreaterThan(50_000)
    transactions(body)
    const started = performance.now()
    for (let round = 0; round < 20; round += 1) transactions(body)
    expect((performance.now() - started) / 20).toBeLessThan(10)
  })
})
