/** What a webhook says (tpp-api 8.3): a JWS of the hub in a JWE that only the TPP can open. */
import { epochSeconds, type Instant, iso } from '../clock.ts'
import type { ConsentType } from '../consent-store/index.ts'
import { encryptTo, type JWK, sign } from '../jose.ts'
import type { KeyRing } from '../keys/index.ts'
import type { RequestKind } from '../resource-log/index.ts'
import type { About, Webhook } from './queue.ts'

/** Long enough for one attempt; the next one is signed anew, around the same message. */
const LIFETIME_SECONDS = 300

/** Where a consent of the type is found at the hub's `rs` door. */
const CONSENTS = {
  'account-access': '/open-finance/account-information/v2.1/account-access-consents',
  'service-initiation': '/open-finance/payment/v2.1/payment-consents',
  insurance: '/open-finance/insurance/v2.1/insurance-consents',
} as const satisfies Record<ConsentType, string>

/** Where a TPP finds what it asked for, and the member of Meta that says which it is (tpp-api 8.3). */
const REQUESTS = {
  'account-opening': { at: (id) => `/open-finance/account-opening/v2.1/accounts/${id}/status`, member: 'AccountId' },
  'fx-quote': { at: (id) => `/open-finance/fx/v2.1/fx-quotes/${id}`, member: 'FxQuoteId' },
  'insurance-quote': { at: (id) => `/open-finance/insurance/v2.1/quotes/${id}`, member: 'QuoteId' },
} as const satisfies Record<RequestKind, { readonly at: (id: string) => string; readonly member: string }>

/** What the notice is about; of a consent the type says where it is found. */
export type Subject =
  | (Extract<About, { readonly resource: 'consent' }> & { readonly type: ConsentType })
  | Exclude<About, { readonly resource: 'consent' }>

/** A payment is told by its consent: its own id is in the address and in Data (tpp-api 8.3). */
function addressed(subject: Subject): { readonly path: string; readonly id: Readonly<Record<string, string>> } {
  if (subject.resource === 'consent') {
    const { type, consentId: ConsentId } = subject
    return { path: `${CONSENTS[type]}/${ConsentId}`, id: { ConsentId } }
  }
  const inPath = encodeURIComponent(subject.resourceId)
  if (subject.resource === 'payment') {
    return { path: `/open-finance/payment/v2.1/payments/${inPath}`, id: { ConsentId: subject.consentId } }
  }
  const { at, member } = REQUESTS[subject.resource]
  return { path: at(inPath), id: { [member]: subject.resourceId } }
}

export type MessageDeps = { readonly issuer: string; readonly resourceOrigin: string; readonly keys: KeyRing }

export async function webhookMessage(
  deps: MessageDeps,
  notice: Webhook,
  subject: Subject,
  receiver: { readonly clientId: string; readonly key: JWK },
  now: Instant,
): Promise<string> {
  const iat = epochSeconds(now)
  const { path, id } = addressed(subject)
  const claims = {
    iss: deps.issuer,
    aud: [receiver.clientId],
    iat,
    nbf: iat,
    exp: iat + LIFETIME_SECONDS,
    // The same in every attempt: who gets it twice can tell.
    jti: notice.eventId,
    message: {
      Data: notice.data,
      Meta: {
        EventDateTime: iso(notice.at),
        EventResource: `${deps.resourceOrigin}${path}`,
        EventType: notice.event,
        ...id,
      },
    },
  }
  return encryptTo(receiver.key, await sign(deps.keys.now().signing[0], claims, { typ: 'JWT', cty: 'json' }))
}
