/** One answer of the LFI per resource, with every member that the tables know, and what the TPP gets for it. */
import type { ResourceName } from '../../../src/gateway/transform/resources.ts'

export type Sample = {
  readonly lfi: Record<string, unknown>
  readonly tpp: Record<string, unknown>
  readonly records: number
}

const AT = '2026-03-04T05:06:07+04:00'
const money = (amount: string) => ({ amount, currency: 'AED' })
const Money = (Amount: string) => ({ Amount, Currency: 'AED' })
const component = { BalanceCategory: 'Principal', Amount: Money('1.5') }
const address = {
  addressType: 'Residential',
  addressLine: ['Tower 1', 'Flat 2'],
  buildingNumber: '7',
  buildingName: 'Nakheel',
  floor: '3',
  streetName: 'Corniche',
  districtName: 'Al Danah',
  postBox: '111',
  townName: 'Abu Dhabi',
  countrySubDivision: 'AbuDhabi',
  country: 'AE',
}
const Address = {
  AddressType: 'Residential',
  AddressLine: ['Tower 1', 'Flat 2'],
  BuildingNumber: '7',
  BuildingName: 'Nakheel',
  Floor: '3',
  StreetName: 'Corniche',
  DistrictName: 'Al Danah',
  PostBox: '111',
  TownName: 'Abu Dhabi',
  CountrySubDivision: 'AbuDhabi',
  Country: 'AE',
}
const agent = { schemeName: 'OTHER', identification: 'BANKAEAA', name: 'Bank', postalAddress: address }
const Agent = { SchemeName: 'Other', Identification: 'BANKAEAA', Name: 'Bank', PostalAddress: Address }
const iban = { schemeName: 'IBAN', identification: 'AE070331234567890123456', name: 'Noura' }
const Iban = { SchemeName: 'IBAN', Identification: 'AE070331234567890123456', Name: 'Noura' }
const payee = { schemeName: 'MobileNumber', identification: '+971500000000' }
const Payee = { SchemeName: 'MobileNumber', Identification: '+971500000000' }

const account = {
  accountHolderName: 'Noura Al Ali',
  accountHolderShortName: 'Noura',
  status: 'Active',
  statusUpdateDateTime: AT,
  currency: 'AED',
  accountType: 'Retail',
  accountSubType: 'CurrentAccount',
  description: 'Daily account',
  nickName: 'Mine',
  openingDate: AT,
  maturityDate: AT,
  accountNumbers: [iban],
  servicer: { schemeName: 'BICFI', identification: 'BANKAEAA' },
  isShariaCompliant: true,
}
/** Never shown to a TPP. */
const internal = {
  product: { id: 'p-1', productName: 'Gold' },
  multiAuth: false,
  businessCustomer: [{ id: 'b', customerName: 'Secret LLC' }],
  customers: [{ id: 'c', customerName: 'Somebody' }],
}
const Account = {
  AccountHolderName: 'Noura Al Ali',
  AccountHolderShortName: 'Noura',
  Status: 'Active',
  StatusUpdateDateTime: AT,
  Currency: 'AED',
  AccountType: 'Retail',
  AccountSubType: 'CurrentAccount',
  Description: 'Daily account',
  Nickname: 'Mine',
  OpeningDate: AT,
  MaturityDate: AT,
  AccountIdentifiers: [Iban],
  Servicer: { SchemeName: 'BICFI', Identification: 'BANKAEAA' },
  IsShariaCompliant: true,
}

const claims = {
  identityType: 'Person',
  fullName: 'Noura Al Ali',
  givenName: 'Noura',
  familyName: 'Al Ali',
  emiratesId: '784-1990-1234567-1',
  emiratesIdExpiryDate: '2030-01-01',
  birthDate: '1990-01-01',
  salary: '25000.50',
  residentialAddress: address,
  powerofAttorney: false,
  updatedAt: AT,
}
const Claims = {
  IdentityType: 'Person',
  FullName: 'Noura Al Ali',
  GivenName: 'Noura',
  Surname: 'Al Ali',
  EmiratesId: '784-1990-1234567-1',
  EmiratesIdExpiryDate: '2030-01-01',
  DateOfBirth: '1990-01-01',
  Salary: 25000.5,
  ResidentialAddress: Address,
  PowerofAttorney: false,
  UpdatedAt: AT,
}
const issuer = { name: 'ICP', address, countryCode: { CountryCode: 'AE' }, jurisdiction: 'UAE' }
const Issuer = { Name: 'ICP', Address, CountryCode: { CountryCode: 'AE' }, Jurisdiction: 'UAE' }
const verification = {
  trustFramework: 'FI',
  assuranceLevel: 'high',
  assuranceProcess: {
    policy: 'kyc',
    procedure: 'p',
    assuranceDetails: [
      {
        assuranceType: 'a',
        assuranceClassification: 'b',
        evidenceRef: [{ txn: 't', evidenceMetadata: { evidenceClassification: 'c' } }],
      },
    ],
  },
  time: AT,
  verificationProcess: 'v',
  evidence: {
    type: 'document',
    checkDetails: [{ checkMethod: 'vri', organization: 'o', txn: 't', time: AT }],
    verifier: { organization: 'o', txn: 't' },
    time: AT,
    documentDetails: { type: 'emirates_id', documentNumber: '1', dateOfExpiry: AT, issuer },
    attachments: {
      AEPartyIdentityEvidenceAttachments: [{ desc: 'd', contentType: 'image/png', content: 'AA==', txn: 't' }],
    },
  },
}
const Verification = {
  TrustFramework: 'FI',
  AssuranceLevel: 'high',
  AssuranceProcess: {
    Policy: 'kyc',
    Procedure: 'p',
    AssuranceDetails: [
      {
        AssuranceType: 'a',
        AssuranceClassification: 'b',
        EvidenceRef: [{ Txn: 't', EvidenceMetadata: { EvidenceClassification: 'c' } }],
      },
    ],
  },
  Time: AT,
  VerificationProcess: 'v',
  Evidence: {
    Type: 'document',
    CheckDetails: [{ CheckMethod: 'vri', Organization: 'o', Txn: 't', Time: AT }],
    Verifier: { Organization: 'o', Txn: 't' },
    Time: AT,
    DocumentDetails: { Type: 'emirates_id', DocumentNumber: '1', DateOfExpiry: AT, Issuer },
    Attachments: {
      AEPartyIdentityEvidenceAttachments: [{ Desc: 'd', ContentType: 'image/png', Content: 'AA==', Txn: 't' }],
    },
  },
}
const business = {
  identityType: 'Business',
  businessName: 'Trading LLC',
  tradeLicenceNumber: 'L-1',
  corporateAddress: address,
  corporateContactEmail: 'mail@trading.example',
  companyWebsite: 'https://trading.example/',
}
const Business = {
  IdentityType: 'Business',
  BusinessName: 'Trading LLC',
  TradeLicenceNumber: 'L-1',
  CorporateAddress: Address,
  CorporateContactEmail: 'mail@trading.example',
  CompanyWebsite: 'https://trading.example/',
}

const transaction = {
  accountId: 'acc-1',
  transactionId: 't-1',
  transactionDateTime: AT,
  localTimeZone: 'UTC+04:00',
  statementReference: ['s-1', 's-2'],
  transactionReference: 'ref',
  transactionType: 'POS',
  subTransactionType: 'Purchase',
  terminalId: '12345678',
  flags: ['Cashback'],
  paymentModes: 'Online',
  creditDebitIndicator: 'Debit',
  status: 'Booked',
  transactionMutability: 'Immutable',
  bookingDateTime: AT,
  valueDateTime: AT,
  transactionInformation: 'Groceries',
  amount: money('12.50'),
  chargeAmount: { ...money('1'), chargeIncluded: true },
  chargeAmountVat: money('0.05'),
  currencyExchange: {
    sourceCurrency: 'USD',
    targetCurrency: 'AED',
    unitCurrency: 'USD',
    exchangeRate: '3.6725',
    contractIdentification: 'c-1',
    quotationDate: AT,
    instructedAmount: money('3.40'),
  },
  bankTransactionCode: {
    domain: 'd',
    domainCode: 'dc',
    family: 'f',
    familyCode: 'fc',
    subFamily: 's',
    subFamilyCode: 'sc',
  },
  proprietaryBankTransactionCode: { code: 'c', issuer: 'i' },
  balance: { creditDebitIndicator: 'Credit', balanceType: 'ClosingBooked', amount: money('100') },
  merchantDetails: { merchantId: '4711', merchantName: 'Market', merchantCategoryCode: '5411' },
  creditorAgent: agent,
  creditorAccount: [iban],
  debtorAgent: agent,
  debtorAccount: iban,
  cardInstrument: { cardSchemeName: 'VISA', instrumentType: 'Chip', name: 'N', identification: '****1234' },
  supplementaryData: { anything: { Goes: 1 } },
  geoLocation: { latitude: '24.4', longitude: '54.3' },
  billDetails: { BillerID: '42', BillNumber: 'b', BillPaymentType: 'Recharge' },
  paymentPurposeCode: 'SAL',
  isPrimaryInstrument: true,
  allocations: component,
}
const Transaction = {
  TransactionId: 't-1',
  TransactionDateTime: AT,
  LocalTimeZone: 'UTC+04:00',
  StatementReference: 's-1',
  TransactionReference: 'ref',
  TransactionType: 'POS',
  SubTransactionType: 'Purchase',
  TerminalId: 12345678,
  Flags: ['Cashback'],
  PaymentModes: 'Online',
  CreditDebitIndicator: 'Debit',
  Status: 'Booked',
  TransactionMutability: 'Immutable',
  BookingDateTime: AT,
  ValueDateTime: AT,
  TransactionInformation: 'Groceries',
  Amount: Money('12.50'),
  ChargeAmount: { ...Money('1'), ChargeIncluded: true },
  ChargeAmountVat: Money('0.05'),
  CurrencyExchange: {
    SourceCurrency: 'USD',
    TargetCurrency: 'AED',
    UnitCurrency: 'USD',
    ExchangeRate: 3.6725,
    ContractIdentification: 'c-1',
    QuotationDate: AT,
    InstructedAmount: Money('3.40'),
  },
  BankTransactionCode: {
    Domain: 'd',
    DomainCode: 'dc',
    Family: 'f',
    FamilyCode: 'fc',
    SubFamily: 's',
    SubFamilyCode: 'sc',
  },
  ProprietaryBankTransactionCode: { Code: 'c', Issuer: 'i' },
  Balance: { CreditDebitIndicator: 'Credit', Type: 'ClosingBooked', Amount: Money('100') },
  MerchantDetails: { MerchantId: 4711, MerchantName: 'Market', MerchantCategoryCode: '5411' },
  CreditorAgent: Agent,
  CreditorAccount: [Iban],
  DebtorAgent: Agent,
  DebtorAccount: Iban,
  CardInstrument: { CardSchemeName: 'VISA', InstrumentType: 'Chip', Name: 'N', Identification: '****1234' },
  SupplementaryData: { anything: { Goes: 1 } },
  GeoLocation: { Latitude: '24.4', Longitude: '54.3' },
  BillDetails: { BillerId: 42, BillNumber: 'b', BillPaymentType: 'Recharge' },
  PaymentPurposeCode: 'SAL',
  IsPrimaryInstrument: true,
  Allocations: component,
}

const statement = {
  StatementId: 's-1',
  StatementDate: '2026-03-01',
  OpeningDate: '2026-02-01',
  ClosingDate: '2026-02-28',
  CreditLine: Money('5000'),
  OpeningBalance: { CreditDebitIndicator: 'Credit', Amount: Money('1'), Components: [component] },
  ClosingBalance: { CreditDebitIndicator: 'Credit', Amount: Money('2') },
  Summary: [
    {
      CreditDebitIndicator: 'Debit',
      TransactionType: 'POS',
      SubTransactionType: 'Purchase',
      Amount: Money('10.00'),
      Count: 3,
    },
  ],
  ExpectedNextStatement: [{ Type: 'Fee', Amount: Money('1') }],
  NextPayment: [{ Date: '2026-04-01', Amount: Money('7'), Type: 'Minimum' }],
}

const product = {
  ShariaStructure: 'Murabaha',
  Charges: [
    {
      Type: 'AnnualFees',
      Name: 'Fee',
      Description: 'Once a year',
      Charge: [{ Amount: Money('100'), Rate: 1.5, ApplicationFrequency: 'Monthly', MaximumChargeAmount: Money('200') }],
      Conditions: [{ Field: 'f', Operator: '>', Value: '1', Description: 'd' }],
      Frequency: 'yearly',
      DonatedToCharity: false,
      Notes: 'n',
    },
  ],
  FinanceRates: {
    RateType: 'FixedProfit',
    Description: 'd',
    Rate: 3.5,
    FixedRateEndDate: '2027-01-01',
    CalculationFrequency: 'Monthly',
    ProfitCalculationMethod: 'OutstandingBalance',
    AnnualPercentageRate: { UpTo: 4 },
    Tiers: [{ Name: 't', Unit: 'Balance', BalanceTierDetails: [{ MinimumTierValue: Money('1'), TierRate: 2 }] }],
    Notes: 'n',
  },
  DepositRates: {
    RateType: 'FixedProfit',
    RateDetails: [{ RateCategory: 'Bonus', AnnualRate: 2, Tier: { MinBalance: '1', Currency: 'AED' }, Term: 'P1Y' }],
  },
  IsSecured: true,
  IsSalaryTransferRequired: false,
  Tenor: { OriginalTenor: 'P5Y', RemainingTenor: 'P2Y6M' },
  AssetBacked: [
    {
      Type: 'Collateral',
      AssetType: 'Vehicle',
      Description: 'Car',
      Valuation: [{ Date: '2026-01-01', Amount: Money('9') }],
    },
  ],
  RewardsBenefits: [
    { Name: 'Back', Type: 'Cashback', Balance: Money('3'), RewardBasis: ['spend'], FrequencyPaid: 'Monthly' },
    { Name: 'Miles', Type: 'Points', PointsType: 'air', Balance: '1200', ExpiryDate: '2027-01-01' },
  ],
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
