/** What an insurance consent asks to see, in words that a customer understands (tpp-api 2.8). */
import type { Policy } from '../data/policies.ts'
import { items, member, text, texts } from './json.ts'

export const INSURANCE = 'cbuae-insurance-consents'

export type InsuranceAsk = { readonly type: string; readonly words: readonly string[] }

const SEEN: ReadonlyMap<string, string> = new Map([
  ['ReadInsurancePolicies', 'Your policies, what they cover and how long they run'],
  ['ReadCustomerBasic', 'Your name and how to reach you'],
  ['ReadCustomerDetail', 'Your birth date, address, employer and what is insured'],
  ['ReadCustomerPaymentDetails', 'How you pay for them'],
  ['ReadInsuranceProduct', 'Their terms and conditions'],
  ['ReadCustomerClaims', 'Your claims'],
  ['ReadInsurancePremium', 'What they cost'],
])

export const readInsuranceAsk = (record: unknown): readonly InsuranceAsk[] =>
  items(member(record, 'consentBody', 'Data', 'Permissions')).flatMap((each) => {
    const type = text(member(each, 'InsuranceType'))
    // What there are no words for is shown by its code: nothing is agreed to unseen.
    return type === null ? [] : [{ type, words: texts(member(each, 'Permissions')).map((one) => SEEN.get(one) ?? one) }]
  })

/** Of a customer's policies those of the kinds that are asked for. */
export const coveredBy = (asked: readonly InsuranceAsk[], policies: readonly Policy[]): readonly Policy[] =>
  policies.filter((policy) => asked.some(({ type }) => type === policy.type))
