/** Private keys at rest: only this key of this tenant, for this use, under the right key-encryption key, comes out. */
import { beforeAll, describe, expect, test } from 'vitest'
import type { TenantId } from '../../src/ids.ts'
import type { SigningKey } from '../../src/jose.ts'
import { encryptionKeyId, type KeyName, unwrap, wrap } from '../../src/keys/wrap.ts'
import { newEncryptionKey, newRsaKey } from './support/store.ts'

const NAME: KeyName = { tenantId: 'aurora' as TenantId, use: 'sig', kid: 'k-1' }
const kek = newEncryptionKey()
let key: SigningKey
beforeAll(() => {
  key = newRsaKey('k-1')
})
const der = () => key.privateKey.export({ type: 'pkcs8', format: 'der' })
const wrapped = () => wrap(key.privateKey, NAME, kek)

describe('a wrapped key', () => {
  test('comes out as it went in', () => {
    expect(unwrap(wrapped(), NAME, [kek]).export({ type: 'pkcs8', format: 'der' }).equals(der())).toBe(true)
  })

  test('shows nothing of what it is, and is never the same twice', () => {
    const { bytes } = wrapped()
    const { d, p, q } = key.privateKey.export({ format: 'jwk' })
    for (const part of [d, p, q]) {
      const raw = Buffer.from(String(part), 'base64url')
      expect(bytes.includes(raw.subarray(0, 16))).toBe(false)
    }
    expect(bytes.includes(der().subarray(40, 72))).toBe(false)
    expect(wrapped().bytes.equals(bytes)).toBe(false)
  })

  test('comes out under an earlier key-encryption key as well, when that is given', () => {
    expect(unwrap(wrapped(), NAME, [newEncryptionKey(), kek]).asymmetricKeyType).toBe('rsa')
  })

  test.each([
    ['with no key that it was wrapped with', () => [newEncryptionKey()], NAME, /another key-encryption key/],
    ['as a key of another tenant', () => [kek], { ...NAME, tenantId: 'meridian' as TenantId }, /does not open/],
    ['as a key of another id', () => [kek], { ...NAME, kid: 'k-2' }, /does not open/],
    ['as a key of another use', () => [kek], { ...NAME, use: 'enc' as const }, /does not open/],
  ])('does not come out %s', (_how, keys, name, why) => {
    expect(() => unwrap(wrapped(), name, keys())).toThrow(why)
  })

  test('does not come out under another key that claims to be the one', () => {
    const other = newEncryptionKey()
    const forged = { ...wrapped(), wrappedWith: encryptionKeyId(other) }
    expect(() => unwrap(forged, NAME, [other])).toThrow(/does not open/)
  })

  test('does not come out when any of it was changed, cut or lengthened', () => {
    const { bytes, wrappedWith } = wrapped()
    const changed = [0, 1, 12, 13, 200, bytes.length - 17, bytes.length - 16, bytes.length - 1].map((index) => {
      const copy = Buffer.from(bytes)
      copy[index] = (copy[index] ?? 0) ^ 1
      return copy
    })
    const resized = [bytes.subarray(0, -1), bytes.subarray(0, 29), Buffer.alloc(0), Buffer.concat([bytes, bytes])]
    for (const each of [...changed, ...resized]) {
      expect(() => unwrap({ bytes: each, wrappedWith }, NAME, [kek])).toThrow(/does not open|not stored in a form/)
    }
  })

  test('is named after its key-encryption key without telling it', () => {
    expect(encryptionKeyId(kek)).toMatch(/^[0-9a-f]{16}$/)
    expect(kek.reveal().toString('hex')).not.toContain(encryptionKeyId(kek))
    expect(encryptionKeyId(newEncryptionKey())).not.toBe(encryptionKeyId(kek))
  })
})
