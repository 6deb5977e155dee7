/** What a webhook says (tpp-api 8.3): a JWS of the hub in a JWE that only the TPP can open. */
import { epochSeconds, type Instant, iso } from '../clock.ts'
import type { ConsentType } from '../consent-store/index.ts'
import { encryptTo, type JWK, sign } from '../jose.ts'
import type { KeyRing } from '../keys/index.ts'
import type { Webhook } from './queue.ts'

/** Long enough for one attempt; the next one is signed anew, around the same message. */
const LIFETIME_SECONDS = 300

/** Where a consent of the type is found at the hub's `rs` door. */
const RESOURCES = {
  'account-access': '/open-finance/account-information/v2.1/account-access-consents',
  'service-initiation': '/open-finance/payment/v2.1/payment-consents',
  insurance: '/open-finance/insurance/v2.1/insurance-consents',
} as const satisfies Record<ConsentType, string>

export type MessageDeps = { readonly issuer: string; readonly resourceOrigin: string; readonly keys: KeyRing }

export async function webhookMessage(
  deps: MessageDeps,
  notice: Webhook,
  type: ConsentType,
  receiver: { readonly clientId: string; readonly key: JWK },
  now: Instant,
): Promise<string> {
  const iat = epochSeconds(now)
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
        EventResource: `${deps.resourceOrigin}${RESOURCES[type]}/${notice.consentId}`,
        EventType: notice.event,
        ConsentId: notice.consentId,
      },
    },
  }
  return encryptTo(receiver.key, await sign(deps.keys.now().signing[0], claims, { typ: 'JWT', cty: 'json' }))
}
