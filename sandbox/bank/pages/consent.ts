/** What the pages need of a consent record (lfi-api 2.3). */
import { INSURANCE, type InsuranceAsk, readInsuranceAsk } from './insurance.ts'
import { type Authorizer, readAuthorizers } from './joint.ts'
import { member, text, texts } from './json.ts'
import { PAYMENT, type PaymentAsk, readPaymentAsk } from './payment.ts'

export type Consent = {
  readonly id: string
  readonly type: string
  readonly status: string
  readonly tppName: string
  /** The application, where its name differs from the organisation's. */
  readonly clientName: string | null
  readonly onBehalfOf: string | null
  readonly permissions: readonly string[]
  readonly from: string | null
  readonly to: string | null
  readonly expires: string | null
  readonly created: string | null
  readonly lastUsed: string | null
  readonly purpose: string | null
  readonly accountTypes: readonly string[]
  readonly accountSubTypes: readonly string[]
  readonly accountIds: readonly string[]
  readonly userId: string | null
  /** Of an account that several hold: who has to agree, and who has. */
  readonly authorizers: readonly Authorizer[]
  /** null: it is not about payments. */
  readonly payment: PaymentAsk | null
  /** null: it is not about insurance. */
  readonly insurance: readonly InsuranceAsk[] | null
  /** Origins that an authorization may send the browser back to. */
  readonly redirectOrigins: readonly string[]
}

const LIVE: readonly string[] = ['AwaitingAuthorization', 'Authorized', 'Suspended']
/** It has not come to its end. */
export const isLive = ({ status }: Consent): boolean => LIVE.includes(status)

export const DATA_SHARING = 'cbuae-account-access-consents'

export function readConsent(record: unknown): Consent | null {
  const id = text(member(record, 'id'))
  const type = text(member(record, 'consentType'))
  const tppName = text(member(record, 'tpp', 'tppName'))
  if (id === null || type === null || tppName === null) return null
  const data = member(record, 'consentBody', 'Data')
  const status = text(member(record, 'status')) ?? text(member(data, 'Status')) ?? ''
  const clientName = text(member(record, 'tpp', 'decodedSsa', 'client_name'))
  return {
    id,
    type,
    status,
    tppName,
    clientName: clientName === tppName ? null : clientName,
    onBehalfOf: text(member(data, 'OnBehalfOf', 'TradingName')) ?? text(member(data, 'OnBehalfOf', 'LegalName')),
    permissions: texts(member(data, 'Permissions')),
    from: text(member(data, 'FromDate')) ?? text(member(data, 'TransactionFromDateTime')),
    to: text(member(data, 'ToDate')) ?? text(member(data, 'TransactionToDateTime')),
    expires: text(member(data, 'ExpirationDateTime')),
    created: text(member(data, 'CreationDateTime')),
    lastUsed: text(member(record, 'consentUsage', 'lastDataShared')),
    purpose: text(member(data, 'OpenFinanceBilling', 'Purpose')),
    accountTypes: texts(member(data, 'AccountType')),
    accountSubTypes: texts(member(data, 'AccountSubType')),
    accountIds: texts(member(record, 'accountIds')),
    userId: text(member(record, 'psuIdentifiers', 'userId')),
    authorizers: readAuthorizers(record),
    payment: type === PAYMENT ? readPaymentAsk(record) : null,
    insurance: type === INSURANCE ? readInsuranceAsk(record) : null,
    redirectOrigins: originsOf(texts(member(record, 'tpp', 'decodedSsa', 'redirect_uris'))),
  }
}

function originsOf(addresses: readonly string[]): readonly string[] {
  const origins = addresses.flatMap((address) => {
    const url = URL.parse(address)
    return url !== null && (url.protocol === 'https:' || url.protocol === 'http:') ? [url.origin] : []
  })
  return [...new Set(origins)]
}
