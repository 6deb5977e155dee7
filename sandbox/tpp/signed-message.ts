/** A body as a signed message (tpp-api 5.1). */
import { randomUUID } from 'node:crypto'
import { SignJWT } from 'jose'
import type { SigningKey } from './profile.ts'

const MESSAGE_SECONDS = 240

export type Signer = { readonly signing: SigningKey; readonly clientId: string; readonly issuer: string }

export function signMessage(message: unknown, { signing, clientId, issuer }: Signer): Promise<string> {
  const now = Math.floor(Date.now() / 1000)
  return new SignJWT({ message })
    .setProtectedHeader({ alg: 'PS256', kid: signing.kid })
    .setIssuer(clientId)
    .setAudience(issuer)
    .setIssuedAt(now)
    .setNotBefore(now)
    .setExpirationTime(now + MESSAGE_SECONDS)
    .setJti(randomUUID())
    .sign(signing.key)
}
