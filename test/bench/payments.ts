/** What a round of payments needs: consents without limits, their tokens, and requests signed beforehand. */
import { createPublicKey } from 'node:crypto'
import { readFileSync } from 'node:fs'
import type { LfiCode } from '../../sandbox/trust-framework/ecosystem.ts'
import { type JWK, loadKey, sign } from '../../src/jose.ts'
import { Secret } from '../../src/secret.ts'
import type { LoadCall } from './load.ts'
import type { Stage } from './stage.ts'

/** As many as there are connections: payments of one consent take turns, and that is not what is measured. */
export const PAYING_CONSENTS = 32
const MESSAGE_SECONDS = 590

export async function paymentCalls(stage: Stage, code: LfiCode): Promise<readonly LoadCall[]> {
  const { clientId, signing } = stage.enrolment.tpp.primary
  const key = loadKey({ kid: signing.kid, key: new Secret(readFileSync(signing.keyFile, 'utf8')) })
  const consents = await stage.paymentTokens(code, PAYING_CONSENTS)
  return Promise.all(
    consents.map(async ({ consentId, accessToken }) => {
      const now = Math.floor(Date.now() / 1000)
      const message = {
        Data: {
          ConsentId: consentId,
          Instruction: { Amount: { Amount: '1.00', Currency: 'AED' } },
          PaymentPurposeCode: 'ACM',
          OpenFinanceBilling: { Type: 'PushP2P' },
        },
      }
      const claims = {
        iss: clientId,
        aud: [stage.place.urls.hubs[code].auth],
        nbf: now,
        exp: now + MESSAGE_SECONDS,
        message,
      }
      return {
        headers: { authorization: `Bearer ${accessToken}`, 'content-type': 'application/jwt' },
        body: await sign(key, claims),
      }
    }),
  )
}

export function tppKey({ enrolment }: Stage): JWK {
  const { kid, keyFile } = enrolment.tpp.primary.signing
  return { ...(createPublicKey(readFileSync(keyFile)).export({ format: 'jwk' }) as JWK), kid, use: 'sig', alg: 'PS256' }
}
