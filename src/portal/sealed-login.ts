/**
 * A login that has begun, kept by the browser that began it: the hub remembers nothing of it, so however many are begun,
 * there is nothing that could be full. Encrypted (AES-256-GCM), because the nonce and the verifier are not for the
 * browser, under a key that every node of the tenant can make of the portal's own key at the trust framework.
 */
import { createCipheriv, createDecipheriv, createPrivateKey, hkdfSync, randomBytes } from 'node:crypto'
import type { Instant } from '../clock.ts'
import type { PortalConfig, TenantConfig } from '../config.ts'

export type Begun = {
  readonly state: string
  readonly nonce: string
  readonly verifier: string
  readonly back: string
  readonly until: Instant
}
export type LoginSeal = {
  /** Letters, digits, `-` and `_`. */
  seal(begun: Begun): string
  /** null: it is not one of ours. */
  open(sealed: string): Begun | null
}

const NONCE_BYTES = 12
const TAG_BYTES = 16
/** A browser keeps 4,096 bytes of a cookie with its name (RFC 6265 6.1); what we seal is never that long. */
const SEALED_LENGTH_MAX = 4_000

export function createLoginSeal({ id }: Pick<TenantConfig, 'id'>, { key }: Pick<PortalConfig, 'key'>): LoginSeal {
  const secret = createPrivateKey(key.key.reveal()).export({ format: 'jwk' }).d
  if (secret === undefined) throw new Error(`the portal key of ${id} has no private part that a key can be made of`)
  const encryption = Buffer.from(hkdfSync('sha256', secret, 'falaj portal login', id, 32))
  return {
    seal: (begun) => {
      const nonce = randomBytes(NONCE_BYTES)
      const cipher = createCipheriv('aes-256-gcm', encryption, nonce, { authTagLength: TAG_BYTES })
      const sealed = [nonce, cipher.update(JSON.stringify(begun)), cipher.final(), cipher.getAuthTag()]
      return Buffer.concat(sealed).toString('base64url')
    },
    open: (sealed) => {
      const bytes = Buffer.from(sealed.slice(0, SEALED_LENGTH_MAX), 'base64url')
      if (bytes.length <= NONCE_BYTES + TAG_BYTES) return null
      const nonce = bytes.subarray(0, NONCE_BYTES)
      const decipher = createDecipheriv('aes-256-gcm', encryption, nonce, { authTagLength: TAG_BYTES })
      decipher.setAuthTag(bytes.subarray(-TAG_BYTES))
      try {
        const plain = [decipher.update(bytes.subarray(NONCE_BYTES, -TAG_BYTES)), decipher.final()]
        return JSON.parse(Buffer.concat(plain).toString('utf8')) as Begun
      } catch {
        return null
      }
    },
  }
}
