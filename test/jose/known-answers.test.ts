/**
 * What the RFCs publish, against the functions that the hub uses. Nearly all of their examples use algorithms that the
 * profile does not have, so here they are refusals: proven genuine by `node:crypto` first, then refused by the hub for
 * the algorithm and for nothing else.
 */
import {
  constants,
  createDecipheriv,
  createHash,
  createHmac,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  privateDecrypt,
  verify as verifyRaw,
  X509Certificate,
} from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { query } from '../../src/db.ts'
import { judgeProof, jwkThumbprint, PROOF_AGE_MAX_SECONDS } from '../../src/dpop-proof.ts'
import { type JWK, loadKey, publicJwk, sign, verify } from '../../src/jose.ts'
import { Secret } from '../../src/secret.ts'
import { thumbprintOf } from '../../src/tls.ts'
import { compact, encrypt, type Json, readVerified } from '../auth-server/support/jws.ts'
import { clockAt, type Engine, startEngine } from '../auth-server/unit/engine.ts'
import { pem } from '../support/config-files.ts'
import { type EngineAlone, startEngineAlone } from './support/engine-alone.ts'
import {
  BOUND,
  ENCRYPTED,
  FINGERPRINTED,
  HASHED,
  PROVEN,
  SIGNED,
  type Signed,
  UNSECURED,
} from './support/rfc-vectors.ts'

const bytes = (part: string | undefined): Buffer => Buffer.from(part ?? '', 'base64url')

function isGenuine({ alg, jws, detached, key }: Signed): boolean {
  const [header = '', payload = '', signature] = jws.split('.')
  const input = Buffer.from(`${header}.${detached ?? payload}`)
  if (alg === 'HS256') return createHmac('sha256', bytes(key.k)).update(input).digest().equals(bytes(signature))
  const hash = alg === 'EdDSA' ? null : `sha${alg.slice(2)}`
  const padding = alg === 'PS384' ? { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 48 } : {}
  const publicKey = createPublicKey({ key, format: 'jwk' })
  return verifyRaw(hash, input, { key: publicKey, dsaEncoding: 'ieee-p1363', ...padding }, bytes(signature))
}

describe('a published signature is refused for its algorithm, with the right key at hand', () => {
  test.each(SIGNED.map((each) => [`${each.where}, ${each.alg}`, each] as const))('%s', async (_name, each) => {
    expect(isGenuine(each)).toBe(true)
    let isAsked = false
    const judged = await verify(each.jws, () => {
      isAsked = true
      return each.key as JWK
    })
    expect(judged).toEqual({ ok: false, fault: 'header', why: 'alg must be PS256' })
    expect(isAsked).toBe(false)
  })

  test('RFC 7515 A.5, none', async () => {
    const judged = await verify(UNSECURED, () => ({ kty: 'RSA' }))
    expect(judged).toEqual({ ok: false, fault: 'header', why: 'alg must be PS256' })
  })
})

describe('PS256, of which no RFC has an example', () => {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const key = loadKey({ kid: 'hub', key: new Secret(pem(privateKey)) })

  test('made by the hub holds for another implementation', async () => {
    const jws = await sign(key, { iss: 'joe' }, { typ: 'JWT' })
    const read = readVerified(jws, publicJwk(key, 'sig') as Json)
    expect(read).toEqual({ header: { alg: 'PS256', kid: 'hub', typ: 'JWT' }, claims: { iss: 'joe' } })
  })

  test('made by another implementation holds for the hub', async () => {
    const jws = compact({ header: { alg: 'PS256', kid: 'hub' }, claims: { iss: 'joe' }, key: privateKey })
    expect(await verify(jws, () => publicJwk(key, 'sig'))).toMatchObject({ ok: true, claims: { iss: 'joe' } })
  })
})

describe('RFC 7516 A.1, encrypted by RSA-OAEP', () => {
  const key = createPrivateKey({ key: ENCRYPTED.key, format: 'jwk' })
  let engine: EngineAlone
  beforeAll(async () => {
    engine = await startEngineAlone(key)
  })
  afterAll(() => engine.close())

  test('is genuine', () => {
    const [header = '', ...parts] = ENCRYPTED.jwe.split('.')
    const [wrapped, iv, text, tag] = parts.map(bytes)
    if (wrapped === undefined || iv === undefined || text === undefined || tag === undefined) throw new Error('no JWE')
    const secret = privateDecrypt({ key, padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: 'sha1' }, wrapped)
    const cipher = createDecipheriv('aes-256-gcm', secret, iv)
    cipher.setAAD(Buffer.from(header)).setAuthTag(tag)
    expect(cipher.update(text, undefined, 'utf8') + cipher.final('utf8')).toBe(ENCRYPTED.text)
  })

  test('is not decrypted by an engine that holds its key', async () => {
    expect(await engine.push(ENCRYPTED.jwe)).toEqual({
      status: 400,
      said: 'could not decrypt request object',
      because: 'unsupported encrypted request alg',
    })
  })

  test.each([
    ['RSA-OAEP-256', 'A256GCM', 'could not parse Request Object', 'Invalid Token or Protected Header formatting'],
    ['RSA-OAEP-256', 'A128GCM', 'could not decrypt request object', 'unsupported encrypted request enc'],
    ['RSA-OAEP', 'A256GCM', 'could not decrypt request object', 'unsupported encrypted request alg'],
    ['RSA1_5', 'A256GCM', 'could not decrypt request object', 'unsupported encrypted request alg'],
  ])('its text under %s and %s: %s', async (alg, enc, said, because) => {
    const jwe = encrypt(ENCRYPTED.text, ENCRYPTED.key, { alg, enc, kid: 'hub-enc' })
    expect(await engine.push(jwe)).toEqual({ status: 400, said, because })
  })
})

describe('the proof of RFC 9449 4.1', () => {
  const { proof, url, jti, issuedAtSeconds, jkt } = PROVEN
  const use = { method: 'POST', url, nowSeconds: issuedAtSeconds, accessTokenHash: null }

  test('holds, and its key has the thumbprint of 6.1', () => {
    expect(judgeProof(proof, use)).toEqual({ ok: true, proof: { jkt, jti, nonce: null, issuedAtSeconds } })
  })

  test.each([
    ['for another method', { method: 'GET' }, 'htm is not the method of the request'],
    ['for another address', { url: `${url}/more` }, 'htu is not the address of the request'],
    ['with a token', { accessTokenHash: HASHED.digest }, 'ath is not the hash of the access token'],
    ['later', { nowSeconds: issuedAtSeconds + PROOF_AGE_MAX_SECONDS + 1 }, 'iat is not recent'],
  ])('does not hold %s', (_name, changed, why) => {
    expect(judgeProof(proof, { ...use, ...changed })).toEqual({ ok: false, why })
  })
})

describe('digests', () => {
  test('RFC 7638 3.1: the thumbprint of a key, whatever else is said of it', () => {
    expect(jwkThumbprint(FINGERPRINTED.key, 'PS256')).toBe(FINGERPRINTED.thumbprint)
  })

  test('RFC 8705 A: the thumbprint of a certificate', () => {
    const certificate = new X509Certificate(BOUND.certificate)
    const der = Buffer.from(BOUND.certificate.replaceAll(/-----[A-Z ]+-----|\s/g, ''), 'base64')
    expect(createHash('sha256').update(der).digest('base64url')).toBe(BOUND.thumbprint)
    expect(thumbprintOf(certificate)).toBe(BOUND.thumbprint)
  })

  describe('RFC 9449 4.3: the digest of a token', () => {
    let engine: Engine
    beforeAll(async () => {
      engine = await startEngine(clockAt(Math.floor(Date.now() / 1000)))
    })
    afterAll(() => engine.database.close())

    test('is what a refresh token is filed under', async () => {
      await engine.adapter('RefreshToken').upsert(HASHED.token, { jti: HASHED.token }, 60)
      const { rows } = await query<{ id: string }>(engine.database.db, 'select id from oidc_model', [])
      expect(rows).toEqual([{ id: HASHED.digest }])
    })
  })
})
