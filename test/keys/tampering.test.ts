/** Whoever writes in the database cannot make the hub believe a key that is not its own, and reads none there. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { KeyRing, KeyUse } from '../../src/keys/index.ts'
import { handClock } from '../support/clock.ts'
import { newKeyFile, type StoreRig, startStore } from './support/store.ts'

const REREAD_MS = 20

let rig: StoreRig
beforeAll(async () => {
  rig = await startStore(handClock())
})
afterAll(() => rig.close())
beforeEach(() => rig.clear())

const rotate = (use: KeyUse = 'sig') => rig.operations().rotate({ use, kid: null, when: 'ahead', accepted: 'no harm' })
const signsAt = (ring: KeyRing): string => ring.now().signing[0].kid

describe('somebody who writes in the database', () => {
  const stored = () => rig.database.db('tenant_key')

  test('cannot put a public key of their own beside ours', async () => {
    const { kid } = await rotate()
    const foreign = { kty: 'RSA', e: 'AQAB', n: Buffer.alloc(256, 0xc5).toString('base64url'), kid, use: 'sig' }
    await stored()
      .where({ kid })
      .update({ public_jwk: JSON.stringify(foreign) })
    await expect(rig.ring()).rejects.toThrow('is not that of its private half')
  })

  test('cannot give a key another id, or another use', async () => {
    const { kid } = await rotate()
    await stored().where({ kid }).update({ kid: 'other' })
    await expect(rig.ring()).rejects.toThrow('key other does not open')
    await stored().where({ kid: 'other' }).update({ kid, use: 'enc' })
    await expect(rig.ring()).rejects.toThrow('does not open')
  })

  test('cannot bring in the row of another tenant, even under the same key-encryption key', async () => {
    const { kid } = await rotate()
    await expect(rig.ring({ id: 'meridian' })).rejects.toThrow(
      `key ${kid} does not open: it was changed, or belongs to another tenant`,
    )
  })

  test('cannot name a file of their choice', async () => {
    await rotate()
    const [row] = await stored()
    await stored().delete()
    await stored().insert({
      ...row,
      source: 'file',
      kid: '/tmp/known.pem',
      wrapped: null,
      wrapped_with: null,
      public_jwk: JSON.stringify(row.public_jwk),
    })
    await expect(rig.ring()).rejects.toThrow('kept in a file that the configuration does not name')
  })

  test('does not bring a running node off its keys', async () => {
    const { kid } = await rotate()
    const ring = await rig.ring({}, REREAD_MS)
    await stored()
      .where({ kid })
      .update({ wrapped: Buffer.alloc(1300, 1) })
    await new Promise((done) => setTimeout(done, 5 * REREAD_MS))
    expect(signsAt(ring)).toBe(kid)
  })

  test.each([
    ['an end that is half', { retired_at: new Date() }],
    ['an end before the beginning', { retired_at: new Date(0), verify_until: new Date() }],
    ['a private half that is nowhere', { wrapped: null, wrapped_with: null }],
    ['a private half in the public', { public_jwk: JSON.stringify({ kty: 'RSA', n: 'AQAB', d: 'AQAB' }) }],
    ['a use that is none', { use: 'all' }],
  ])('cannot write %s', async (_what, change) => {
    const { kid } = await rotate()
    await expect(stored().where({ kid }).update(change)).rejects.toThrow(/violates check constraint/)
  })

  test('finds no private key there', async () => {
    await rotate()
    await rotate('enc')
    await rig.operations({ signing: [newKeyFile('f')] }).rewrap()
    const ring = await rig.ring()
    const { rows } = (await rig.database.db.raw('select k::text as text, wrapped from tenant_key k')) as {
      rows: { text: string; wrapped: Buffer }[]
    }
    const secrets = [...ring.now().signing, ...ring.now().encryption].flatMap(({ privateKey }) => {
      const { d, p, q } = privateKey.export({ format: 'jwk' })
      return [d, p, q].map((part) => Buffer.from(String(part), 'base64url'))
    })
    expect([rows.length, secrets.length]).toEqual([2, 6])
    for (const { text, wrapped } of rows) {
      expect(text).not.toMatch(/PRIVATE KEY|"d"|"p"/)
      for (const secret of secrets) {
        expect(wrapped.includes(secret.subarray(0, 24))).toBe(false)
        expect(text).not.toContain(secret.toString('hex').slice(0, 48))
        expect(text).not.toContain(secret.toString('base64url').slice(0, 32))
      }
    }
  })
})
