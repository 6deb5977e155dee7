import { describe, expect, test } from 'vitest'
import { filePayment, orderOf, payment, refund } from '../../../src/gateway/transform/payments.ts'
import { createQuality } from '../../../src/gateway/transform/quality.ts'
import { compile, type Kind, type Members } from '../../../src/gateway/transform/shape.ts'
import { loadSchemas } from '../../../src/schema-registry.ts'

const registry = loadSchemas()
const AMOUNT = { amount: '10.00', currency: 'AED' }
const FULL = {
  id: 'pay-1',
  consentId: 'c-1',
  paymentTransactionId: 'aani-1',
  status: 'Rejected',
  statusUpdateDateTime: '2026-03-01T10:00:00Z',
  rejectReasonCode: [{ code: 'AANI.AM04', message: 'Insufficient funds' }],
  creationDateTime: '2026-03-01T10:00:00Z',
  charges: [{ chargeBearer: 'Shared', type: 'VAT', amount: AMOUNT }],
  exchangeRate: {
    unitCurrency: 'AED',
    exchangeRate: 3.67,
    rateType: 'Agreed',
    contractIdentification: 'k',
    expirationDateTime: '2026-03-01T10:00:00Z',
  },
  currencyRequest: {
    instructionPriority: 'Urgent',
    extendedPurpose: 'rent',
    chargeBearer: 'Shared',
    currencyOfTransfer: 'USD',
    destinationCountryCode: 'US',
    exchangeRateInformation: {
      unitCurrency: 'USD',
      exchangeRate: 3.67,
      rateType: 'Agreed',
      contractIdentification: 'k',
    },
    fxQuoteId: '3f6f2b0c-7c5d-4a53-9f43-0b1c2d3e4f50',
  },
  instruction: { Amount: AMOUNT },
  paymentPurposeCode: 'ACM',
  debtorReference: 'r',
  openFinanceBilling: { Type: 'PushP2P', MerchantId: '12345678' },
}
const { paymentTransactionId, exchangeRate, currencyRequest, instruction, debtorReference, ...common } = FULL
const FILE = { ...common, openFinanceBilling: { Type: 'Collection', NumberOfSuccessfulTransactions: 3 } }

/** The same table read from right to left. */
function inverse(members: Members): Members {
  return Object.fromEntries(
    Object.entries(members).map(([from, row]) =>
      typeof row === 'string' ? [row, from] : [row[0], [from, inverseKind(row[1])] as const],
    ),
  )
}
function inverseKind(kind: Kind): Kind {
  if ('each' in kind) return { each: inverseKind(kind.each) }
  return 'members' in kind ? { members: inverse(kind.members) } : kind
}
/** What an LFI was asked for, as the TPP had said it. */
function messageOf(order: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  const { FxQuoteId, ...data } = order['Data'] as Readonly<Record<string, unknown>>
  if (FxQuoteId === undefined) return order
  return { Data: { ...data, CurrencyRequest: { ...(data['CurrencyRequest'] as object), FxQuoteId } } }
}
const convert = (members: Members, value: unknown) => compile({ members })(value, createQuality())

describe('a payment', () => {
  test('comes back from the TPP as the LFI sent it, complete', () => {
    expect(registry.response('service-initiation', 'makePayment', 201)?.({ data: FULL })).toEqual([])
    const there = convert(payment, FULL)
    expect(
      registry.response(
        'bank-initiation',
        'CreatePayment',
        201,
      )?.({
        Data: there,
        Links: { Self: 'https://a.example', Related: 'https://b.example' },
      }),
    ).toEqual([])
    expect(convert(inverse(payment), there)).toEqual(FULL)
  })

  test('of a file keeps how many succeeded, and nothing of its billing', () => {
    expect(registry.response('service-initiation', 'makePayment', 201)?.({ data: FILE })).toEqual([])
    const there = convert(filePayment, FILE)
    expect(there).toMatchObject({ OpenFinanceBilling: { NumberOfSuccessfulTransactions: 3 } })
    expect(convert(inverse(filePayment), there)).toEqual({
      ...FILE,
      openFinanceBilling: { NumberOfSuccessfulTransactions: 3 },
    })
  })

  test('loses what no row names', () => {
    expect(convert(payment, { ...FULL, extra: 1, charges: [{ ...FULL.charges[0], note: 'x' }] })).toEqual(
      convert(payment, FULL),
    )
  })
})

test('a refund account comes back as it was', () => {
  const account = { schemeName: 'IBAN', identification: 'AE07', name: { en: 'Layla', ar: 'ليلى' } }
  const there = convert(refund, { consentId: 'c', refundAccount: account, holder: 'x' })
  expect(there).toEqual({
    ConsentId: 'c',
    RefundAccount: { SchemeName: 'IBAN', Identification: 'AE07', Name: { en: 'Layla', ar: 'ليلى' } },
  })
  expect(convert(inverse(refund), there)).toEqual({ consentId: 'c', refundAccount: account })
})

describe('an order', () => {
  const message = (CurrencyRequest?: object) => ({
    Data: { ConsentId: 'c', ...(CurrencyRequest === undefined ? {} : { CurrencyRequest }), PaymentPurposeCode: 'ACM' },
  })

  test.each([
    ['of dirhams', message()],
    ['in another currency', message({ ExtendedPurpose: 'x', CurrencyOfTransfer: 'USD' })],
  ])('%s is what the TPP said', (_name, said) => {
    expect(orderOf(said)).toEqual(said)
    expect(messageOf(orderOf(said))).toEqual(said)
  })

  test('names its quote where the LFI looks for it', () => {
    const said = message({ ExtendedPurpose: 'x', CurrencyOfTransfer: 'USD', FxQuoteId: 'q' })
    expect(orderOf(said)).toEqual({
      Data: {
        ConsentId: 'c',
        CurrencyRequest: { ExtendedPurpose: 'x', CurrencyOfTransfer: 'USD' },
        FxQuoteId: 'q',
        PaymentPurposeCode: 'ACM',
      },
    })
    expect(messageOf(orderOf(said))).toEqual(said)
  })
})
