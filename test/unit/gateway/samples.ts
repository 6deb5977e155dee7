/** One answer of the LFI per resource, with every member that the tables know, and what the TPP gets for it. */
import type { ResourceName } from '../../../src/gateway/transform/resources.ts'
import {
  Account,
  Agent,
  AT,
  account,
  agent,
  Business,
  business,
  Claims,
  claims,
  component,
  internal,
  Money,
  money,
  Payee,
  payee,
  product,
  statement,
  Transaction,
  transaction,
  Verification,
  verification,
} from './sample-records.ts'

export type Sample = {
  readonly lfi: Record<string, unknown>
  readonly tpp: Record<string, unknown>
  readonly records: number
}

const one = (record: Record<string, unknown>) => ({
  data: [{ accountId: 'acc-1', ...record }],
  meta: { totalPages: 1 },
})
const of = (name: string, record: Record<string, unknown>) => ({ AccountId: 'acc-1', [name]: [record] })
const cased = (record: Record<string, unknown>): Record<string, unknown> =>
  Object.fromEntries(
    Object.entries(record).map(([name, value]) => [name.charAt(0).toUpperCase() + name.slice(1), value]),
  )

const directDebit = {
  directDebitId: 'd-1',
  mandateIdentification: 'm-1',
  directDebitStatusCode: 'Active',
  name: 'Power',
  frequency: 'Monthly',
  previousPaymentDateTime: AT,
}
const scheduledPayment = {
  scheduledPaymentId: 'sp-1',
  accountHolderName: 'N',
  accountHolderShortName: 'n',
  scheduledType: 'Execution',
  scheduledPaymentDateTime: AT,
  creditorReference: 'c',
  debtorReference: 'd',
}
const standingOrder = {
  standingOrderId: 'so-1',
  accountHolderName: 'N',
  accountHolderShortName: 'n',
  standingOrderType: 'Charity',
  frequency: 'Monthly',
  creditorReference: 'c',
  purpose: 'p',
  firstPaymentDateTime: AT,
  nextPaymentDateTime: AT,
  lastPaymentDateTime: AT,
  finalPaymentDateTime: AT,
  numberOfPayments: '12',
  standingOrderStatusCode: 'Active',
  supplementaryData: { free: true },
}
const beneficiary = {
  beneficiaryId: 'b-1',
  beneficiaryType: 'Activated',
  addedViaOF: true,
  accountHolderName: 'N',
  accountHolderShortName: 'n',
  reference: 'r',
  supplementaryData: { free: true },
}
const paymentAgent = { schemeName: 'BICFI', identification: 'BANKAEAA' }
const PaymentAgent = { SchemeName: 'BICFI', Identification: 'BANKAEAA' }

export const SAMPLES: Readonly<Record<ResourceName, Sample>> = {
  accounts: {
    lfi: { data: [{ id: 'acc-1', ...internal, ...account }], meta: { totalPages: 1, totalRecords: 1 } },
    tpp: { Account: [{ AccountId: 'acc-1', ...Account }] },
    records: 1,
  },
  account: {
    lfi: { data: { id: 'acc-1', ...internal, ...account } },
    tpp: { AccountId: 'acc-1', Account },
    records: 1,
  },
  balances: {
    lfi: one({
      creditDebitIndicator: 'Credit',
      balanceType: 'InterimAvailable',
      timestamp: AT,
      amount: money('10.00'),
      creditLines: [{ included: true, creditType: 'Pre-Agreed', amount: money('5') }],
      components: [component],
    }),
    tpp: of('Balance', {
      CreditDebitIndicator: 'Credit',
      Type: 'InterimAvailable',
      DateTime: AT,
      Amount: Money('10.00'),
      CreditLine: [{ Included: true, Type: 'Pre-Agreed', Amount: Money('5') }],
      Components: [component],
    }),
    records: 1,
  },
  beneficiaries: {
    lfi: one({ ...beneficiary, servicer: agent, creditorAccount: [payee] }),
    tpp: of('Beneficiary', { ...cased(beneficiary), CreditorAgent: Agent, CreditorAccount: [Payee] }),
    records: 1,
  },
  directDebits: {
    lfi: one({ ...directDebit, previousPaymentAmount: money('9.99') }),
    tpp: of('DirectDebit', { ...cased(directDebit), PreviousPaymentAmount: Money('9.99') }),
    records: 1,
  },
  products: {
    lfi: { data: [{ AccountId: 'acc-1', ...product }], meta: {} },
    tpp: of('Product', product),
    records: 1,
  },
  scheduledPayments: {
    lfi: one({
      ...scheduledPayment,
      instructedAmount: money('1'),
      creditorAgent: paymentAgent,
      creditorAccount: [payee],
    }),
    tpp: of('ScheduledPayment', {
      ...cased(scheduledPayment),
      InstructedAmount: Money('1'),
      CreditorAgent: PaymentAgent,
      CreditorAccount: [Payee],
    }),
    records: 1,
  },
  standingOrders: {
    lfi: one({
      ...standingOrder,
      firstPaymentAmount: money('1'),
      nextPaymentAmount: money('2'),
      lastPaymentAmount: money('3'),
      finalPaymentAmount: money('4'),
      creditorAgent: paymentAgent,
      creditorAccount: [payee],
    }),
    tpp: of('StandingOrder', {
      ...cased(standingOrder),
      FirstPaymentAmount: Money('1'),
      NextPaymentAmount: Money('2'),
      LastPaymentAmount: Money('3'),
      FinalPaymentAmount: Money('4'),
      CreditorAgent: PaymentAgent,
      CreditorAccount: [Payee],
    }),
    records: 1,
  },
  statements: {
    lfi: {
      data: { AccountId: 'acc-1', AccountSubType: 'CurrentAccount', Statements: [statement] },
      meta: { totalPages: 1, firstAvailableDateTime: AT, lastAvailableDateTime: AT },
    },
    tpp: { AccountId: 'acc-1', AccountSubType: 'CurrentAccount', Statements: [statement] },
    records: 1,
  },
  transactions: { lfi: one(transaction), tpp: of('Transaction', Transaction), records: 1 },
  accountParties: {
    lfi: {
      data: [
        {
          id: 'p-1',
          number: '1',
          customerType: 'Sole',
          customerCategory: 'Retail',
          accountRole: 'Principal',
          verifiedClaims: [{ verification, claims }, { claims: business }],
        },
      ],
    },
    tpp: of('Party', {
      PartyId: 'p-1',
      PartyNumber: '1',
      PartyType: 'Sole',
      PartyCategory: 'Retail',
      AccountRole: 'Principal',
      VerifiedClaims: [{ Verification, Claims }, { Claims: Business }],
    }),
    records: 1,
  },
  parties: {
    lfi: { data: { id: 'p-1', number: '1', customerCategory: 'Retail', verifiedClaims: [{ verification, claims }] } },
    tpp: {
      Party: { PartyId: 'p-1', PartyNumber: '1', PartyCategory: 'Retail', VerifiedClaims: [{ Verification, Claims }] },
    },
    records: 1,
  },
}
