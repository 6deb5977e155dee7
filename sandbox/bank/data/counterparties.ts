/** Invented shops, billers and banks; none of the names or numbers belongs to a real one. */
import type { AgentKey, Foreign } from './spec.ts'

export type Merchant = {
  readonly name: string
  readonly category: string
  readonly latitude: string
  readonly longitude: string
}

const DUBAI = { latitude: '25.2048', longitude: '55.2708' }
const ABU_DHABI = { latitude: '24.4539', longitude: '54.3773' }
const SHARJAH = { latitude: '25.3463', longitude: '55.4209' }

export const MERCHANTS: readonly Merchant[] = [
  { name: 'Date Palm Grocery', category: '5411', ...DUBAI },
  { name: 'بقالة النخيل', category: '5411', ...SHARJAH },
  { name: 'Corniche Coffee Roasters', category: '5814', ...ABU_DHABI },
  { name: 'مخبز الفجر', category: '5462', ...ABU_DHABI },
  { name: 'Blue Dhow Fuel Station', category: '5541', ...DUBAI },
  { name: 'Metro Line Taxi', category: '4121', ...DUBAI },
  { name: 'Oud & Amber Perfumes', category: '5977', ...SHARJAH },
  { name: 'Souk Lane Electronics', category: '5732', ...DUBAI },
  { name: 'صيدلية الواحة', category: '5912', ...ABU_DHABI },
  { name: 'Mangrove Bookshop', category: '5942', ...ABU_DHABI },
  { name: 'Creekside Cinema', category: '7832', ...DUBAI },
  { name: 'Falcon Fitness Studio', category: '7997', ...SHARJAH },
]

export const SHOPS_ABROAD: Readonly<Record<Foreign, Merchant>> = {
  INR: { name: 'Kochi Spice Online', category: '5499', latitude: '9.9312', longitude: '76.2673' },
  EUR: { name: 'Atelier Lisboa', category: '5699', latitude: '38.7223', longitude: '-9.1393' },
}

/** Dirhams for one unit, in ten-thousandths, so that conversion stays in whole numbers. */
export const RATES: Readonly<Record<Foreign, number>> = { INR: 432, EUR: 39_720 }

export type Biller = {
  readonly name: string
  readonly billerId: string
  readonly payment: 'Post-Paid' | 'Recharge' | 'RecurringPayment'
}

export const BILLERS: ReadonlyMap<string, Biller> = new Map([
  ['power', { name: 'Seven Emirates Power and Water', billerId: '20001', payment: 'Post-Paid' }],
  ['phone', { name: 'Wadi Telecom', billerId: '20002', payment: 'RecurringPayment' }],
  ['cooling', { name: 'Cool Breeze District Cooling', billerId: '20003', payment: 'Post-Paid' }],
  ['school', { name: 'Jasmine Road School', billerId: '20004', payment: 'RecurringPayment' }],
  ['toll', { name: 'Desert Road Tolls', billerId: '20005', payment: 'Recharge' }],
])

export type Agent = { readonly name: string; readonly bic: string; readonly ibanBank: string | null }

export const AGENTS: Readonly<Record<AgentKey, Agent>> = {
  palmCoast: { name: 'Palm Coast Bank', bic: 'PLCXAEAA', ibanBank: '983' },
  northGulf: { name: 'North Gulf Bank', bic: 'NGUXAEAA', ibanBank: '984' },
  harbour: { name: 'Harbour National Bank', bic: 'HNBXAEAA', ibanBank: '985' },
  malabarExchange: { name: 'Malabar Exchange Bank', bic: 'MLBXINAA', ibanBank: null },
}

/** Those who pay a business account. */
export const CUSTOMERS: readonly string[] = [
  'Sandglass Hotels LLC',
  'مؤسسة البحر الأزرق',
  'Twin Minaret Events',
  'Cardamom Kitchen FZE',
  'Lighthouse Interiors LLC',
  'شركة الغاف للتجارة',
]
