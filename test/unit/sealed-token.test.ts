import { createPublicKey, randomUUID } from 'node:crypto'
import { expect, test } from 'vitest'
import type { ConsentId, TenantId } from '../../src/ids.ts'
import { createSealedTokens, type SealedToken } from '../../src/sealed-token.ts'
import { Secret } from '../../src/secret.ts'
import { newAuditKey } from '../support/audit-key.ts'

const KEY = newAuditKey()
const TOKEN = 'abc.DEF-123=='
const [one, other] = [randomUUID() as ConsentId, randomUUID() as ConsentId]
const of = (audit: Secret<string>, previousKeys: readonly Secret<string>[] = [], id = 'aurora') =>
  createSealedTokens({
    id: id as TenantId,
    keys: { signing: [], encryption: [], store: null, audit },
    audit: { origin: 'x', clockSource: 'x', previousKeys, witnesses: [] },
  })
const publicHalf = new Secret(createPublicKey(KEY.reveal()).export({ type: 'spki', format: 'pem' }).toString())
const sealed = of(KEY).seal(TOKEN, one)

test('a token opens where it was sealed, and says nothing of itself', () => {
  expect(of(KEY).open(sealed, one)).toBe(TOKEN)
  expect(sealed).toMatch(/^sealed:[\w-]+$/)
  expect(Buffer.from(sealed.slice(7), 'base64url').includes(TOKEN)).toBe(false)
})

test('the same token of the same consent seals the same, any other differently from the first byte', () => {
  expect(of(KEY).seal(TOKEN, one)).toBe(sealed)
  for (const another of [of(KEY).seal(TOKEN, other), of(KEY).seal('abc.DEF-124==', one)]) {
    expect(another.slice(7, 23)).not.toBe(sealed.slice(7, 23))
  }
})

test('after a rotation it opens with the key before, as long as its private half is there', () => {
  expect(of(newAuditKey(), [KEY, newAuditKey()]).open(sealed, one)).toBe(TOKEN)
  expect(of(newAuditKey(), [publicHalf]).open(sealed, one)).toBeNull()
})

const changed = (at: number): SealedToken => {
  const bytes = Buffer.from(sealed.slice(7), 'base64url')
  bytes[at] = (bytes[at] ?? 0) ^ 1
  return `sealed:${bytes.toString('base64url')}` as SealedToken
}
test.each([
  ['another consent', () => of(KEY).open(sealed, other)],
  ['another tenant', () => of(KEY, [], 'meridian').open(sealed, one)],
  ['another key', () => of(newAuditKey()).open(sealed, one)],
  ['another nonce', () => of(KEY).open(changed(0), one)],
  ['another text', () => of(KEY).open(changed(12), one)],
  ['another tag', () => of(KEY).open(changed(Buffer.from(sealed.slice(7), 'base64url').length - 1), one)],
  ['less', () => of(KEY).open(sealed.slice(0, 40) as SealedToken, one)],
  ['nothing', () => of(KEY).open('sealed:' as SealedToken, one)],
])('%s does not open', (_what, open) => {
  expect(open()).toBeNull()
})

test('what an earlier release kept as it is, is what it says', () => {
  expect(of(KEY).open(TOKEN as SealedToken, one)).toBe(TOKEN)
})
