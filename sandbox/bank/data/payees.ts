/** Whom the customers pay. Invented, like everybody else here. */
import type { PayeeSpec } from './spec.ts'

export const own = (key: string, name: string, id: string): PayeeSpec => ({
  key,
  name,
  reference: 'Own account',
  activated: true,
  viaOpenFinance: false,
  to: { own: id },
})
export const LANDLORD: PayeeSpec = {
  key: 'landlord',
  name: 'Saffron Gate Properties LLC',
  reference: 'Rent flat 1204',
  activated: true,
  viaOpenFinance: false,
  to: { agent: 'northGulf', scheme: 'IBAN', number: '0000000704412001' },
}
export const SISTER: PayeeSpec = {
  key: 'sister',
  name: 'سلمى الحداد',
  reference: 'Gift',
  activated: true,
  viaOpenFinance: true,
  to: { agent: 'harbour', scheme: 'MobileNumber', number: '+971500000042' },
}
export const FAMILY_ABROAD: PayeeSpec = {
  key: 'family',
  name: 'Anand Family Account',
  reference: 'Family support',
  activated: true,
  viaOpenFinance: false,
  to: { agent: 'malabarExchange', scheme: 'AccountNumber', number: '40018823345' },
}
export const NEW_PAYEE: PayeeSpec = {
  key: 'carpenter',
  name: 'ورشة الخشب الجميل',
  reference: 'Shelves',
  activated: false,
  viaOpenFinance: false,
  to: { agent: 'palmCoast', scheme: 'IBAN', number: '0000000812230077' },
}
