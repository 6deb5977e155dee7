/** Spelled alike on both sides; the rows are there so that nothing else gets through. */
import { pascalAmount } from './common.ts'
import { compile, convert, type Kind, listOf, type Members, object, same } from './shape.ts'

const conditions = listOf(object(same('Field', 'Operator', 'Value', 'Description')))

const charge = object({
  Amount: ['Amount', pascalAmount],
  ...same('Rate', 'ApplicationFrequency', 'InterestCalculationMethod'),
  MaximumChargeAmount: ['MaximumChargeAmount', pascalAmount],
  ...same('Basis'),
})
const charges = object({
  ...same('Type', 'Name', 'Description'),
  Charge: ['Charge', listOf(charge)],
  Conditions: ['Conditions', conditions],
  ...same('Justification', 'Frequency', 'DonatedToCharity', 'Notes', 'SupplementaryInformation'),
})

const balanceTier = object({
  MinimumTierValue: ['MinimumTierValue', pascalAmount],
  MaximumTierValue: ['MaximumTierValue', pascalAmount],
  ...same('TierRate'),
})
const tier = object({
  ...same('Name', 'Unit', 'ApplicationMethod'),
  BalanceTierDetails: ['BalanceTierDetails', listOf(balanceTier)],
  LTVTierDetails: ['LTVTierDetails', listOf(object(same('LTVStart', 'LTVEnd', 'TierRate')))],
  RateRange: ['RateRange', object(same('MinimumRate', 'MaximumRate', 'AdditionalInformation'))],
})
/** Members of every kind of rate; which of them one kind has is the schema's to say. */
const rate: Members = {
  ...same(
    'RateType',
    'Description',
    'Rate',
    'FixedRateEndDate',
    'FixedRateEnd',
    'BenchMark',
    'BenchMarkRate',
    'Margin',
  ),
  ...same('RateReviewFrequency', 'RateReviewNextDate', 'VariableTerm', 'CalculationFrequency', 'ApplicationFrequency'),
  ...same('InterestCalculationMethod', 'ProfitCalculationMethod'),
  AnnualPercentageRate: ['AnnualPercentageRate', object(same('StartingFrom', 'UpTo', 'AdditionalInformation'))],
  Tiers: ['Tiers', listOf(tier)],
  Conditions: ['Conditions', conditions],
  ...same('Notes'),
  AdditionalInformation: ['AdditionalInformation', listOf(object(same('Type', 'Description')))],
}
const rates = compile(
  object({ ...rate, FixedRate: ['FixedRate', object(rate)], VariableRate: ['VariableRate', object(rate)] }),
)
/** The user may have to unlock them: then they are a JWE, which goes through untouched. */
const financeRates: Kind = convert((value, quality) => (typeof value === 'string' ? value : rates(value, quality)))

const depositRate = object({
  ...same('RateCategory', 'AnnualRate'),
  AnnualRateRange: ['AnnualRateRange', object(same('MinRate', 'MaxRate'))],
  Tier: ['Tier', object(same('MinBalance', 'MaxBalance', 'Currency'))],
  ...same('Term', 'EffectiveDate', 'ExpiryDate', 'CalculationMethod', 'CalculationFrequency', 'ApplicationFrequency'),
  ...same('Notes'),
})

const ownershipTransfer = object({
  ...same('TransferOfOwnershipDate', 'Type', 'Method'),
  TokenPurchaseAmount: ['TokenPurchaseAmount', pascalAmount],
  BuyoutSchedule: ['BuyoutSchedule', object({ ...same('Frequency'), BuyoutAmount: ['BuyoutAmount', pascalAmount] })],
  SaleAgreement: ['SaleAgreement', object({ ...same('Required', 'Execution'), Price: ['Price', pascalAmount] })],
  ...same('TransferConditions'),
})
const asset = object({
  ...same('Type', 'AssetType', 'Description'),
  Valuation: ['Valuation', listOf(object({ ...same('Date'), Amount: ['Amount', pascalAmount] }))],
  ...same('SupplementaryInformation'),
  OwnershipTransfer: ['OwnershipTransfer', ownershipTransfer],
})

const amountOf = compile(pascalAmount)
/** Points have a text as balance, cashback an amount. */
const rewardBalance: Kind = convert((value, quality) => (typeof value === 'string' ? value : amountOf(value, quality)))
const reward = object({
  ...same('Name', 'Description', 'Type', 'PointsType'),
  Balance: ['Balance', rewardBalance],
  ...same('ExpiryDate', 'RewardBasis', 'FrequencyPaid'),
})

export const product: Members = {
  ...same('ShariaStructure'),
  Charges: ['Charges', listOf(charges)],
  FinanceRates: ['FinanceRates', financeRates],
  DepositRates: ['DepositRates', object({ ...same('RateType'), RateDetails: ['RateDetails', listOf(depositRate)] })],
  ...same('IsSecured', 'IsSalaryTransferRequired'),
  Tenor: ['Tenor', object(same('OriginalTenor', 'RemainingTenor'))],
  AssetBacked: ['AssetBacked', listOf(asset)],
  RewardsBenefits: ['RewardsBenefits', listOf(reward)],
}
