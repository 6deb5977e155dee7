import { describe, expect, test } from 'vitest'
import {
  type AccountPermission,
  isAccountPermission,
  missingDependency,
  onlyForeignExchange,
  opening,
  opens,
  PERMISSIONS,
  WITHHOLDINGS,
  withheld,
} from '../../../src/permissions.ts'
import { loadSchemas } from '../../../src/schema-registry.ts'

const CODES = Object.keys(PERMISSIONS) as AccountPermission[]
const registry = loadSchemas()
const OPERATIONS = registry.operations('account-information').map(({ operationId }) => operationId)

/** tpp-api 4.6, and which codes name foreign exchange alone. */
const OPENED_BY: Readonly<Record<string, readonly string[]>> = {
  GetAccounts: ['ReadAccountsBasic', 'ReadAccountsDetail'],
  GetAccountsAccountId: ['ReadAccountsBasic', 'ReadAccountsDetail'],
  GetAccountsAccountIdBalances: ['ReadBalances'],
  GetAccountsAccountIdBeneficiaries: ['ReadBeneficiariesBasic', 'ReadBeneficiariesDetail'],
  GetAccountsAccountIdDirectDebits: ['ReadDirectDebits'],
  GetAccountsAccountIdProduct: ['ReadProduct'],
  GetScheduledPayments: ['ReadScheduledPaymentsBasic', 'ReadScheduledPaymentsDetail'],
  GetAccountsAccountIdStandingOrders: ['ReadStandingOrdersBasic', 'ReadStandingOrdersDetail'],
  GetAccountsAccountIdTransactions: [
    'ReadFXTransactionsBasic',
    'ReadFXTransactionsDetail',
    'ReadTransactionsBasic',
    'ReadTransactionsDetail',
  ],
  GetAccountAccountIdStatements: ['ReadStatements'],
  PartiesByAccountId_read: ['ReadParty', 'ReadPartyUser', 'ReadPartyUserIdentity'],
  Parties_read: ['ReadParty', 'ReadPartyUser', 'ReadPartyUserIdentity'],
  GetAccountAccessConsentsByBaseConsentId: [],
  GetAccountAccessConsentsConsentId: [],
  PatchAccountAccessConsentsConsentId: [],
}

describe('what a permission opens', () => {
  test('there are 21, and each is one that PAR accepts', () => {
    expect(CODES).toHaveLength(21)
    const check = registry.rar('urn:openfinanceuae:account-access-consent:v2.1')
    const detail = (Permissions: readonly string[]) => ({
      type: 'urn:openfinanceuae:account-access-consent:v2.1',
      consent: {
        ConsentId: '6f9619ff-8b86-4d01-b42d-00cf4fc964ff',
        Permissions,
        ExpirationDateTime: '2026-09-01T00:00:00Z',
        OpenFinanceBilling: { UserType: 'Retail', Purpose: 'AccountAggregation' },
      },
    })
    expect(check?.(detail(CODES))).toEqual([])
    expect(check?.(detail(['ReadConsents']))).not.toEqual([])
  })

  test('every permission against every operation of the document', () => {
    expect(OPERATIONS.toSorted()).toEqual(Object.keys(OPENED_BY).toSorted())
    for (const operationId of OPERATIONS) {
      expect([...opening(operationId)].sort(), operationId).toEqual(OPENED_BY[operationId])
      for (const code of CODES) {
        expect(opens([code], operationId), `${code} ${operationId}`).toBe(OPENED_BY[operationId]?.includes(code))
      }
    }
  })

  test('unknown codes and inherited names open nothing', () => {
    for (const code of ['ReadEverything', 'constructor', '__proto__', 'toString', '']) {
      expect(isAccountPermission(code)).toBe(false)
      expect(OPERATIONS.filter((operationId) => opens([code], operationId))).toEqual([])
    }
    expect(opens(CODES, 'constructor')).toBe(false)
  })

  test('each is described to a person', () => {
    for (const code of CODES) expect(PERMISSIONS[code].means.length).toBeGreaterThan(10)
  })
})

describe('missingDependency', () => {
  const FREE = [
    'ReadAccountsBasic',
    'ReadAccountsDetail',
    'ReadFXTransactionsBasic',
    'ReadFXTransactionsDetail',
    'ReadFXRemittanceCharges',
    'ReadParty',
    'ReadPartyUser',
    'ReadPartyUserIdentity',
  ]

  test.for(CODES)('%s', (code) => {
    const alone = missingDependency([code])
    if (FREE.includes(code)) expect(alone).toBeNull()
    else expect(alone).toContain(code)
    expect(missingDependency([code, 'ReadAccountsBasic'])).toBeNull()
    expect(missingDependency(['ReadAccountsDetail', code])).toBeNull()
  })
})

describe('withheld', () => {
  const names = (
    operationId: string,
    permissions: readonly string[],
    filter: 'basic-detail' | 'off' = 'basic-detail',
  ) => withheld(operationId, permissions, filter).map((path) => path.join('.'))
  const transactions = 'GetAccountsAccountIdTransactions'

  test('Basic leaves out what belongs to Detail', () => {
    expect(names('GetAccounts', ['ReadAccountsBasic'])).toEqual(['Description', 'OpeningDate', 'MaturityDate'])
    expect(names('GetAccounts', ['ReadAccountsBasic', 'ReadAccountsDetail'])).toEqual([])
    expect(names('GetAccountsAccountIdBeneficiaries', ['ReadBeneficiariesBasic'])).toEqual([
      'CreditorAgent.PostalAddress',
    ])
    expect(names(transactions, ['ReadTransactionsBasic'])).toContain('MerchantDetails')
    expect(names(transactions, ['ReadTransactionsBasic'])).toContain('CurrencyExchange')
    expect(names(transactions, ['ReadTransactionsDetail'])).toEqual([])
    expect(names('GetAccountsAccountIdBalances', ['ReadBalances'])).toEqual([])
  })

  test('detail of foreign-exchange transactions does not open that of the others', () => {
    const mixed = names(transactions, ['ReadTransactionsBasic', 'ReadFXTransactionsDetail'])
    expect(mixed).toContain('MerchantDetails')
    expect(mixed).not.toContain('CurrencyExchange')
    expect(names(transactions, ['ReadFXTransactionsDetail'])).toEqual([])
    expect(names(transactions, ['ReadFXTransactionsBasic'])).toContain('CurrencyExchange')
  })

  test('a tenant may leave levels to its LFI, permissions never', () => {
    expect(names('GetAccounts', ['ReadAccountsBasic'], 'off')).toEqual([])
    expect(names('GetAccountsAccountIdProduct', ['ReadProduct'], 'off')).toEqual(['FinanceRates'])
    expect(names('GetAccountsAccountIdProduct', ['ReadProduct', 'ReadProductFinanceRates'], 'off')).toEqual([])
  })

  test('rows name operations that exist', () => {
    for (const { operations } of WITHHOLDINGS) for (const each of operations) expect(OPERATIONS).toContain(each)
  })
})

test('only foreign exchange is asked for when no other transactions are open', () => {
  expect(onlyForeignExchange(['ReadFXTransactionsBasic'])).toBe(true)
  expect(onlyForeignExchange(['ReadFXTransactionsDetail', 'ReadAccountsBasic'])).toBe(true)
  expect(onlyForeignExchange(['ReadFXTransactionsDetail', 'ReadTransactionsBasic'])).toBe(false)
  expect(onlyForeignExchange(['ReadTransactionsDetail'])).toBe(false)
  expect(onlyForeignExchange(['ReadFXRemittanceCharges'])).toBe(false)
})
