/**
 * The token that an LFI gives with a consent, to be shown to it in calls under that consent (lfi-api 2.3, 4.2), at rest:
 * AES-256-GCM under a key that every node can make and the database cannot, bound to its tenant and consent. It is made
 * of the audit key, the one secret that every tenant has; nothing of that can be told from what is derived here.
 *
 *   sealed: ‖ base64url(nonce (12) ‖ ciphertext ‖ tag (16))
 */
import { createCipheriv, createDecipheriv, createHmac, createPrivateKey, hkdfSync } from 'node:crypto'
import type { TenantConfig } from './config.ts'
import type { Brand, ConsentId } from './ids.ts'
import type { Secret } from './secret.ts'

export type SealedToken = Brand<string, 'SealedToken'>

export type SealedTokens = {
  seal(token: string, consentId: ConsentId): SealedToken
  /** null: it was sealed with another key, or for another consent. */
  open(sealed: SealedToken, consentId: ConsentId): string | null
}

/** No bearer token can begin so (RFC 6750 2.1): a release before this one kept them as they are. */
const PREFIX = 'sealed:'
const NONCE_BYTES = 12
const TAG_BYTES = 16

type Keys = { readonly encryption: Buffer; readonly nonces: Buffer }

export function createSealedTokens({ id, keys, audit }: Pick<TenantConfig, 'id' | 'keys' | 'audit'>): SealedTokens {
  // A consent lives for a year and may have seen another audit key; made when first needed.
  let known: readonly Keys[] | null = null
  const keysNow = (): readonly Keys[] => {
    known ??= [keys.audit, ...(audit?.previousKeys ?? []).toReversed()].flatMap(keysFrom)
    return known
  }
  const boundTo = (consentId: ConsentId): Buffer => Buffer.from(JSON.stringify(['falaj connect token', id, consentId]))
  return {
    seal: (token, consentId) => {
      const [current] = keysNow()
      if (current === undefined) throw new Error('the audit key is no private key')
      const about = boundTo(consentId)
      // The same token seals the same, so that an LFI that says it again has changed nothing; the nonce is as good as
      // random to anybody else, and never meets two texts.
      const nonce = createHmac('sha256', current.nonces).update(about).update(token).digest().subarray(0, NONCE_BYTES)
      const cipher = createCipheriv('aes-256-gcm', current.encryption, nonce, { authTagLength: TAG_BYTES })
      cipher.setAAD(about)
      const sealed = [nonce, cipher.update(token), cipher.final(), cipher.getAuthTag()]
      return `${PREFIX}${Buffer.concat(sealed).toString('base64url')}` as SealedToken
    },
    open: (sealed, consentId) => {
      if (!sealed.startsWith(PREFIX)) return sealed
      const bytes = Buffer.from(sealed.slice(PREFIX.length), 'base64url')
      for (const { encryption } of keysNow()) {
        const token = opened(bytes, encryption, boundTo(consentId))
        if (token !== null) return token
      }
      return null
    },
  }
}

/** Of an earlier key only the public half may be left, which opens nothing. */
function keysFrom(pem: Secret<string>): readonly Keys[] {
  if (!pem.reveal().includes('PRIVATE KEY')) return []
  const secret = createPrivateKey(pem.reveal()).export({ format: 'jwk' }).d ?? ''
  const derived = (what: string) => Buffer.from(hkdfSync('sha256', secret, 'falaj connect token', what, 32))
  return [{ encryption: derived('encryption'), nonces: derived('nonces') }]
}

function opened(bytes: Buffer, key: Buffer, about: Buffer): string | null {
  if (bytes.length <= NONCE_BYTES + TAG_BYTES) return null
  const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, NONCE_BYTES), { authTagLength: TAG_BYTES })
  decipher.setAAD(about)
  decipher.setAuthTag(bytes.subarray(-TAG_BYTES))
  try {
    const plain = [decipher.update(bytes.subarray(NONCE_BYTES, -TAG_BYTES)), decipher.final()]
    return Buffer.concat(plain).toString('utf8')
  } catch {
    return null
  }
}
