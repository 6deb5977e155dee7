/** `product`, `multiAuth`, `businessCustomer` and `customers` have no row: they are the LFI's own business. */
import { accounts as identifiers, servicer } from './common.ts'
import { casing, type Members } from './shape.ts'

const MEMBERS: Members = {
  ...casing('accountHolderName', 'accountHolderShortName', 'status', 'statusUpdateDateTime', 'currency'),
  ...casing('accountType', 'accountSubType', 'description'),
  nickName: 'Nickname',
  ...casing('openingDate', 'maturityDate'),
  accountNumbers: ['AccountIdentifiers', identifiers],
  servicer: ['Servicer', servicer],
  ...casing('isShariaCompliant'),
}

export const listedAccount: Members = { id: 'AccountId', ...MEMBERS }
/** Its id stands beside it. */
export const singleAccount: Members = MEMBERS
