/** Pieces that several resources share (lfi-api 3.5, 3.7). */
import { casing, convert, type Kind, listOf, object, same, UNFIT } from './shape.ts'

export const amount: Kind = object(casing('amount', 'currency'))
/** Already in the TPP's spelling at the LFI. */
export const pascalAmount: Kind = object(same('Amount', 'Currency'))
export const component: Kind = object({ ...same('BalanceCategory'), Amount: ['Amount', pascalAmount] })

export const postalAddress: Kind = object(
  casing(
    'addressType',
    'addressLine',
    'buildingNumber',
    'buildingName',
    'floor',
    'streetName',
    'districtName',
    'postBox',
    'townName',
    'countrySubDivision',
    'country',
  ),
)

/** LFIs still send the deprecated spelling in capitals. */
const scheme: Kind = convert((value) => (value === 'OTHER' ? 'Other' : value))
const schemed = { schemeName: ['SchemeName', scheme] as const, ...casing('identification') }

/** Where an account is held, without name and address. */
export const servicer: Kind = object(schemed)
export const agent: Kind = object({ ...schemed, ...casing('name'), postalAddress: ['PostalAddress', postalAddress] })
export const account: Kind = object(casing('schemeName', 'identification', 'name'))
export const accounts: Kind = listOf(account)
/** Beneficiaries and standing payments: the TPP's form has no name. */
export const payeeAccounts: Kind = listOf(object(casing('schemeName', 'identification')))

export const integerText: Kind = convert((value) => {
  const number = typeof value === 'string' && /^\d{1,16}$/.test(value) ? Number(value) : Number.NaN
  return Number.isSafeInteger(number) ? number : UNFIT
})
export const decimalText: Kind = convert((value) =>
  typeof value === 'string' && /^-?\d{1,15}(?:\.\d{1,15})?$/.test(value) ? Number(value) : UNFIT,
)
