/** Records with every member that the tables know: lower case as the LFI sends them, capitals as the TPP gets them. */
export const AT = '2026-03-04T05:06:07+04:00'
export const money = (amount: string) => ({ amount, currency: 'AED' })
export const Money = (Amount: string) => ({ Amount, Currency: 'AED' })
export const component = { BalanceCategory: 'Principal', Amount: Money('1.5') }
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
export const agent = { schemeName: 'OTHER', identification: 'BANKAEAA', name: 'Bank', postalAddress: address }
export const Agent = { SchemeName: 'Other', Identification: 'BANKAEAA', Name: 'Bank', PostalAddress: Address }
const iban = { schemeName: 'IBAN', identification: 'AE070331234567890123456', name: 'Noura' }
const Iban = { SchemeName: 'IBAN', Identification: 'AE070331234567890123456', Name: 'Noura' }
export const payee = { schemeName: 'MobileNumber', identification: '+971500000000' }
export const Payee = { SchemeName: 'MobileNumber', Identification: '+971500000000' }

export const account = {
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
export const internal = {
  product: { id: 'p-1', productName: 'Gold' },
  multiAuth: false,
  businessCustomer: [{ id: 'b', customerName: 'Secret LLC' }],
  customers: [{ id: 'c', customerName: 'Somebody' }],
}
export const Account = {
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

export const claims = {
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
export const Claims = {
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
export const verification = {
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
export const Verification = {
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
export const business = {
  identityType: 'Business',
  businessName: 'Trading LLC',
  tradeLicenceNumber: 'L-1',
  corporateAddress: address,
  corporateContactEmail: 'mail@trading.example',
  companyWebsite: 'https://trading.example/',
}
export const Business = {
  IdentityType: 'Business',
  BusinessName: 'Trading LLC',
  TradeLicenceNumber: 'L-1',
  CorporateAddress: Address,
  CorporateContactEmail: 'mail@trading.example',
  CompanyWebsite: 'https://trading.example/',
}

export const transaction = {
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
export const Transaction = {
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

export const statement = {
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

export const product = {
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
