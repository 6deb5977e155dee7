/** Nonces and single use over time, on a real database. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Dpop, openDpop } from '../../src/dpop.ts'
import { judgeProof } from '../../src/dpop-proof.ts'
import { clockAt } from '../auth-server/unit/engine.ts'
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts'
import { digest, type Json, newPair, nowSeconds, proofFor, signed, thumbprint } from './support/keys.ts'

const USE = { method: 'GET', url: 'https://rs.example/accounts' }
const key = newPair('ES256')
const jkt = thumbprint(key.jwk)
const token = 'token'

describe('the nonce', () => {
  let database: TestDatabase
  let dpop: Dpop
  // A whole minute: the steps of the nonce begin there.
  const START = Math.floor(nowSeconds() / 60) * 60
  const clock = clockAt(START)
  beforeAll(async () => {
    database = await createTestDatabase()
    dpop = await openDpop({ db: database.db, clock })
  })
  afterAll(() => database?.close())
  const show = (changes: Json, iat: number) => {
    const draft = proofFor(key, { ...USE, token })
    Object.assign(draft.claims, { iat }, changes)
    return dpop.check({ ...USE, header: signed(draft), accessTokenHash: digest(token), jkt })
  }

  test.each([
    [0, true],
    [60, true],
    [299, true],
    [300, false],
    [3600, false],
  ])('is good for five minutes: after %i seconds %s', async (later, good) => {
    clock.set(START)
    const nonce = dpop.nonce()
    clock.set(START + later)
    const shown = await show({ nonce }, START + later)
    expect(shown).toMatchObject(good ? { ok: true } : { ok: false, error: 'use_dpop_nonce' })
  })

  test('of a node whose clock is a little ahead is good', async () => {
    clock.set(START + 60)
    const nonce = dpop.nonce()
    clock.set(START + 59)
    expect(await show({ nonce }, START + 59)).toEqual({ ok: true })
  })

  test('is the same at every node of the tenant, and at no other tenant', async () => {
    clock.set(START)
    const node = await openDpop({ db: database.db, clock })
    expect(node.nonce()).toBe(dpop.nonce())
    const other = await createTestDatabase()
    // The databases of tests are copies of one; tenants make their secrets each for themselves.
    await other.db.raw(
      `update tenant_secret set value = uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()) where name = 'dpop-nonce'`,
    )
    const foreign = await openDpop({ db: other.db, clock })
    expect(foreign.nonce()).not.toBe(dpop.nonce())
    await other.close()
  })

  test('a proof is remembered for as long as its age would be accepted, and then forgotten', async () => {
    clock.set(START)
    await database.db('dpop_proof').delete()
    const draft = proofFor(key, { ...USE, token, nonce: dpop.nonce() })
    draft.claims['iat'] = START
    const header = signed(draft)
    const again = () => dpop.check({ ...USE, header, accessTokenHash: digest(token), jkt })
    expect(await again()).toEqual({ ok: true })
    clock.set(START + 300)
    await dpop.purge()
    expect(await again()).toMatchObject({ ok: false })
    const kept = async () => Number((await database.db('dpop_proof').count<{ count: string }[]>())[0]?.count)
    expect(await kept()).toBeGreaterThan(0)
    clock.set(START + 302)
    await dpop.purge()
    expect(await kept()).toBe(0)
    expect(await again()).toMatchObject({ error: 'invalid_dpop_proof', why: 'iat is not recent' })
  })

  test('the same jti with another key is another proof', async () => {
    clock.set(START)
    const nonce = dpop.nonce()
    const other = newPair('EdDSA')
    const draft = proofFor(other, { ...USE, token, nonce })
    Object.assign(draft.claims, { jti: 'one', iat: START })
    expect(await show({ jti: 'one', nonce }, START)).toEqual({ ok: true })
    const presented = { ...USE, header: signed(draft), accessTokenHash: digest(token), jkt: thumbprint(other.jwk) }
    expect(await dpop.check(presented)).toEqual({ ok: true })
  })

  test('no proof at all is no proof', async () => {
    const presented = { ...USE, header: undefined, accessTokenHash: digest(token), jkt }
    expect(await dpop.check(presented)).toMatchObject({ error: 'invalid_dpop_proof' })
  })
})

describe('time, to the second', () => {
  const NOW = 1_800_000_000
  const judge = (claims: Json) => {
    const draft = proofFor(key, USE)
    Object.assign(draft.claims, { iat: NOW }, claims)
    return judgeProof(signed(draft), { ...USE, nowSeconds: NOW, accessTokenHash: null }).ok
  }
  test.each([
    [{ iat: NOW + 30 }, true],
    [{ iat: NOW + 31 }, false],
    [{ iat: NOW - 300 }, true],
    [{ iat: NOW - 301 }, false],
    [{ exp: NOW - 29 }, true],
    [{ exp: NOW - 30 }, false],
    [{ nbf: NOW + 30 }, true],
    [{ nbf: NOW + 31 }, false],
    [{ exp: 'later' }, false],
    [{ nbf: null }, false],
  ])('%j: %s', (claims, good) => {
    expect(judge(claims)).toBe(good)
  })
})

/** RFC 9449 4.1, figure 2: the proof of the example, with its key and its thumbprint. */
test('the example of RFC 9449 verifies, with the thumbprint of its figure 9', () => {
  const proof =
    'eyJ0eXAiOiJkcG9wK2p3dCIsImFsZyI6IkVTMjU2IiwiandrIjp7Imt0eSI6IkVDIiwieCI6Imw4dEZyaHgtMzR0VjNoUklDUkRZOXpDa0RscEJoRjQyVVFVZldWQVdCRnMiLCJ5IjoiOVZFNGpmX09rX282NHpiVFRsY3VOSmFqSG10NnY5VERWclUwQ2R2R1JEQSIsImNydiI6IlAtMjU2In19.eyJqdGkiOiItQndDM0VTYzZhY2MybFRjIiwiaHRtIjoiUE9TVCIsImh0dSI6Imh0dHBzOi8vc2VydmVyLmV4YW1wbGUuY29tL3Rva2VuIiwiaWF0IjoxNTYyMjYyNjE2fQ.2-GxA6T8lP4vfrg8v-FdWP0A0zdrj8igiMLvqRMUvwnQg4PtFLbdLXiOSsX0x7NVY-FNyJK70nfbV37xRZT3Lg'
  const use = { method: 'POST', url: 'https://server.example.com/token', nowSeconds: 1562262617, accessTokenHash: null }
  const judged = judgeProof(proof, use)
  expect(judged).toMatchObject({ ok: true, proof: { jkt: '0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I' } })
})
