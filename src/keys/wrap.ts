/**
 * A private key at rest: AES-256-GCM under the tenant's key-encryption key. What the bytes are for is bound to them:
 * a row that is copied to another tenant, another key id or another use cannot be opened there.
 *
 *   version (1) ‖ nonce (12) ‖ ciphertext of the PKCS #8 DER ‖ tag (16)
 */
import {
  createCipheriv,
  createDecipheriv,
  createHash,
  createPrivateKey,
  type KeyObject,
  randomBytes,
} from 'node:crypto'
import type { TenantId } from '../ids.ts'
import type { Secret } from '../secret.ts'
import type { KeyUse } from './key.ts'

/** Which key the bytes are, and whose. */
export type KeyName = { readonly tenantId: TenantId; readonly use: KeyUse; readonly kid: string }
export type EncryptionKey = Secret<Buffer>
export type Wrapped = { readonly bytes: Buffer; readonly wrappedWith: string }

const VERSION = 1
const NONCE_BYTES = 12
const TAG_BYTES = 16

/** Tells key-encryption keys apart, and gives nothing away: it is a digest of 256 random bits. */
export const encryptionKeyId = (key: EncryptionKey): string =>
  createHash('sha256').update('falaj key-encryption key\0').update(key.reveal()).digest('hex').slice(0, 16)

export function wrap(privateKey: KeyObject, name: KeyName, key: EncryptionKey): Wrapped {
  const plain = privateKey.export({ type: 'pkcs8', format: 'der' })
  const nonce = randomBytes(NONCE_BYTES)
  const cipher = createCipheriv('aes-256-gcm', key.reveal(), nonce, { authTagLength: TAG_BYTES })
  cipher.setAAD(boundTo(name))
  const sealed = Buffer.concat([cipher.update(plain), cipher.final()])
  plain.fill(0)
  return {
    bytes: Buffer.concat([Buffer.from([VERSION]), nonce, sealed, cipher.getAuthTag()]),
    wrappedWith: encryptionKeyId(key),
  }
}

/** @throws Error when the bytes are not this very key, wrapped with one of these. Never says what they hold. */
export function unwrap(wrapped: Wrapped, name: KeyName, keys: readonly EncryptionKey[]): KeyObject {
  const key = keys.find((each) => encryptionKeyId(each) === wrapped.wrappedWith)
  if (key === undefined) throw new Error(`key ${name.kid} is wrapped with another key-encryption key than those given`)
  const { bytes } = wrapped
  if (bytes[0] !== VERSION || bytes.length <= 1 + NONCE_BYTES + TAG_BYTES) {
    throw new Error(`key ${name.kid} is not stored in a form that is known here`)
  }
  const nonce = bytes.subarray(1, 1 + NONCE_BYTES)
  const decipher = createDecipheriv('aes-256-gcm', key.reveal(), nonce, { authTagLength: TAG_BYTES })
  decipher.setAAD(boundTo(name))
  decipher.setAuthTag(bytes.subarray(-TAG_BYTES))
  let plain: Buffer
  try {
    plain = Buffer.concat([decipher.update(bytes.subarray(1 + NONCE_BYTES, -TAG_BYTES)), decipher.final()])
  } catch {
    throw new Error(`key ${name.kid} does not open: it was changed, or belongs to another tenant, id or use`)
  }
  try {
    return createPrivateKey({ key: plain, format: 'der', type: 'pkcs8' })
  } finally {
    plain.fill(0)
  }
}

const boundTo = ({ tenantId, use, kid }: KeyName): Buffer =>
  Buffer.from(JSON.stringify(['falaj private key', VERSION, tenantId, use, kid]))
