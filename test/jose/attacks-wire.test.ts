/**
 * The same attacks where the authorization engine verifies: the client assertion and the request object of a push that
 * is otherwise right. Each is made with the client's own certificate, so nothing but the JWT can be the reason.
 */
import { createCipheriv, createPublicKey, createSecretKey, pbkdf2Sync, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { deflateRawSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { compact, encrypt } from '../auth-server/support/jws.ts'
import { type Push, send, setField } from '../auth-server/support/tpp.ts'
import type { Answer } from '../auth-server/support/wire.ts'
import { startWorld, type World } from '../auth-server/support/world.ts'
import { base64url, forge, INHERITED, lookAlikesOf, rsaKey } from './support/forge.ts'
import { FORGERIES, type Forgery } from './support/forgeries.ts'
import { CHALLENGED, DETAILED, ENCRYPTED } from './support/rfc-vectors.ts'

const BOOT_MS = 180_000

let world: World
beforeAll(async () => {
  world = await startWorld()
}, BOOT_MS)
afterAll(() => world.close(), BOOT_MS)

type Which = 'assertion' | 'request'
const WHICH = ['assertion', 'request'] as const
const stranger = rsaKey()
async function push(change: (push: Push) => void): Promise<Answer> {
  const made = world.tpp.push()
  change(made)
  const answer = await send(made)
  if (answer.status !== 201) await world.expectNoConsent(made.consentId)
  return answer
}
const pushForged = (which: Which, forgery: Forgery): Promise<Answer> =>
  push((made) => {
    const jws = made[which]
    jws.damage = () => forgery(jws as Parameters<Forgery>[0])
  })

function expectRefused(answer: Answer, which: Which): void {
  const [status, error] = which === 'assertion' ? [401, 'invalid_client'] : [400, 'invalid_request']
  expect([answer.status, answer.json['error'], answer.text]).toEqual([status, error, expect.any(String)])
}

test('the pattern of all the forgeries is accepted', async () => {
  for (const which of WHICH) {
    expect((await pushForged(which, ({ header, claims, key }) => forge(header, claims, key))).status).toBe(201)
  }
})

describe.each(WHICH)('the %s is refused for', (which) => {
  test.each(FORGERIES)('%s', async (_name, forgery) => {
    const all = typeof forgery === 'function' ? [forgery] : forgery
    for (const each of all) expectRefused(await pushForged(which, each), which)
  })
})

describe('a key that the token brings along', () => {
  let fetched = 0
  const server = createServer((_request, response) => {
    fetched += 1
    response.end(JSON.stringify({ keys: [createPublicKey(stranger).export({ format: 'jwk' })] }))
  })
  beforeAll(() => once(server.listen(0, '127.0.0.1'), 'listening'))
  afterAll(() => server.close())

  test.each(WHICH)('in the %s is not believed, and nothing is fetched', async (which) => {
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/keys`
    const publicKey = createPublicKey(stranger)
    const own = {
      jwk: publicKey.export({ format: 'jwk' }),
      x5c: [publicKey.export({ type: 'spki', format: 'der' }).toString('base64')],
      jku: url,
      x5u: url,
    }
    for (const [name, value] of Object.entries(own)) {
      for (const kid of [undefined, 'attacker', url]) {
        const answer = await pushForged(which, ({ header, claims }) =>
          forge({ ...header, [name]: value, ...(kid === undefined ? {} : { kid }) }, claims, stranger),
        )
        expectRefused(answer, which)
      }
    }
    expect(fetched).toBe(0)
  })
})

describe('a JWT in the place of another', () => {
  test('the assertion as the request object, and the other way round', async () => {
    expectRefused(await push((made) => setField(made, 'request', made.assertion)), 'request')
    expectRefused(await push((made) => setField(made, 'client_assertion', made.request)), 'assertion')
  })

  test('a repeated sub or iss that is another client is another client', async () => {
    for (const claim of ['iss', 'sub', 'client_id', 'aud']) {
      for (const which of WHICH) {
        if ((which === 'request' && claim === 'sub') || (which === 'assertion' && claim === 'client_id')) continue
        const answer = await pushForged(which, ({ header, claims, key }) =>
          forge(header, `${JSON.stringify(claims).slice(0, -1)},"${claim}":"${world.second.clientId}"}`, key),
        )
        expectRefused(answer, which)
      }
    }
  })

  test("the hub's own tokens authenticate nobody", async () => {
    const { accessToken, answer } = await world.tokens()
    for (const token of [accessToken, String(answer.json['id_token'])]) {
      expectRefused(await push((made) => setField(made, 'client_assertion', token)), 'assertion')
      expectRefused(await push((made) => setField(made, 'request', token)), 'request')
    }
  })
})

describe('an encrypted request object', () => {
  type Choice = Parameters<typeof encrypt>[2]
  const hubKey = (use: 'enc' | 'sig') => {
    const key = world.hubKeys.find(({ kid, use: of }) => (use === 'enc' ? kid === world.encryptionKid : of === use))
    if (key === undefined) throw new Error(`the hub publishes a key of use ${use}`)
    return key
  }
  const choice = (): Choice => ({ alg: 'RSA-OAEP-256', enc: 'A256GCM', kid: hubKey('enc').kid })
  const sealed = (text: string, changed: object = {}): string =>
    encrypt(text, hubKey('enc'), { ...choice(), ...changed })
  const pushSealed = (seal: (text: string, made: Push) => string): Promise<Answer> =>
    push((made) => setField(made, 'request', seal(compact(made.request), made)))

  test('is accepted when all is right', async () => {
    expect((await pushSealed((text) => sealed(text))).status).toBe(201)
  })

  test('is not inflated: a bomb costs nothing', async () => {
    const bomb = deflateRawSync(Buffer.alloc(30_000_000, 0x20)).toString('latin1')
    const began = performance.now()
    for (const zip of ['DEF', 'GZIP', '', null, true]) {
      expectRefused(await pushSealed(() => sealed(bomb, { zip })), 'request')
    }
    expect(performance.now() - began).toBeLessThan(2_000)
    // Whatever the text: the word alone is refused, deflated as it should be or not.
    expectRefused(
      await pushSealed((text) => sealed(deflateRawSync(text).toString('latin1'), { zip: 'DEF' })),
      'request',
    )
    expectRefused(await pushSealed((text) => sealed(text, { zip: 'DEF' })), 'request')
  })

  test.each([
    ['RSA-OAEP', 'A256GCM'],
    ['RSA1_5', 'A256GCM'],
    ['RSA-OAEP-256', 'A128GCM'],
  ])('is refused under %s and %s', async (alg, enc) => {
    expectRefused(await pushSealed((text) => sealed(text, { alg, enc })), 'request')
  })

  test('is refused under a name of an algorithm that is not meant', async () => {
    for (const named of [
      { alg: 'RSA-OAEP-512' },
      { alg: 'none' },
      { alg: ['RSA-OAEP-256'] },
      { enc: 'none' },
      { enc: 7 },
    ]) {
      expectRefused(
        await pushSealed((text) => sealed(text, {}).replace(/^[^.]+/, base64url({ ...choice(), ...named }))),
        'request',
      )
    }
  })

  test('is refused when the secret is what everybody knows', async () => {
    const keys = [
      base64url(hubKey('enc')['n']),
      createPublicKey({ key: hubKey('enc'), format: 'jwk' }).export({ type: 'spki', format: 'pem' }),
    ]
    for (const secret of ['', ...keys]) {
      for (const alg of ['dir', 'A256KW', 'PBES2-HS512+A256KW']) {
        expectRefused(await pushSealed((text) => symmetric(text, alg, String(secret))), 'request')
      }
    }
  })

  test('is refused when it costs a million rounds to open', async () => {
    const began = performance.now()
    const header = base64url({ alg: 'PBES2-HS512+A256KW', enc: 'A256GCM', p2c: 100_000_000, p2s: base64url('salt') })
    expectRefused(
      await push((made) => setField(made, 'request', `${header}.${'A'.repeat(54)}.AAAA.AAAA.AAAA`)),
      'request',
    )
    expect(performance.now() - began).toBeLessThan(1_000)
  })

  test('is refused to a key that signs, and to one that nobody has', async () => {
    const { kid } = hubKey('sig')
    expectRefused(await pushSealed((text) => encrypt(text, hubKey('sig'), { ...choice(), kid })), 'request')
    for (const each of ['nobody', ...INHERITED, ...lookAlikesOf(choice().kid)]) {
      expectRefused(await pushSealed((text) => sealed(text, { kid: each })), 'request')
    }
  })

  test('is refused when anything in it was changed', async () => {
    for (const part of [0, 1, 2, 3, 4]) {
      const answer = await pushSealed((text) => {
        const parts = sealed(text).split('.')
        const bytes = Buffer.from(parts[part] ?? '', 'base64url')
        bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1
        parts[part] = bytes.toString('base64url')
        return parts.join('.')
      })
      expectRefused(answer, 'request')
    }
    // RFC 7516 5.2: the tag has all its 128 bits.
    expectRefused(await pushSealed((text) => sealed(text).slice(0, -11)), 'request')
  })

  test('is refused when what is inside is not signed by the client', async () => {
    const unsigned = (made: Push): string =>
      compact({ ...made.request, header: { ...made.request.header, alg: 'none' } })
    expectRefused(await pushSealed((_text, made) => sealed(unsigned(made))), 'request')
    expectRefused(await pushSealed((_text, made) => sealed(JSON.stringify(made.request.claims))), 'request')
    expectRefused(
      await pushSealed((_text, made) => sealed(forge(made.request.header, made.request.claims, stranger))),
      'request',
    )
    expectRefused(await pushSealed((text) => sealed(sealed(text))), 'request')
    expectRefused(await pushSealed(() => sealed(ENCRYPTED.text)), 'request')
    expectRefused(await pushSealed(() => ENCRYPTED.jwe), 'request')
  })

  test('is no client assertion', async () => {
    expectRefused(
      await push((made) => setField(made, 'client_assertion', sealed(compact(made.assertion)))),
      'assertion',
    )
  })
})

/** A JWE by a secret that the sender thinks up; only `dir` can really be opened with it. */
function symmetric(text: string, alg: string, secret: string): string {
  const key = alg === 'dir' ? pbkdf2Sync(secret, '', 1, 32, 'sha256') : createSecretKey(randomBytes(32)).export()
  const header = base64url({ alg, enc: 'A256GCM', ...(alg.startsWith('PBES2') ? { p2c: 1000, p2s: 'c2FsdA' } : {}) })
  const iv = randomBytes(12)
  const cipher = createCipheriv('aes-256-gcm', key, iv)
  cipher.setAAD(Buffer.from(header))
  const sealed = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()])
  const wrapped = alg === 'dir' ? '' : randomBytes(40).toString('base64url')
  return [header, wrapped, ...[iv, sealed, cipher.getAuthTag()].map((part) => part.toString('base64url'))].join('.')
}

describe('what is too large', () => {
  test.each(WHICH)('lists in lists, thousands deep, in the %s', async (which) => {
    const deep = `${'['.repeat(9_000)}${']'.repeat(9_000)}`
    const add = (part: object): string => `${JSON.stringify(part).slice(0, -1)},"x":${deep}}`
    for (const forgery of [
      (({ header, claims, key }) => forge(add(header), claims, key)) satisfies Forgery,
      (({ header, claims, key }) => forge(header, add(claims), key)) satisfies Forgery,
    ]) {
      const answer = await pushForged(which, forgery)
      expect([answer.status, answer.json]).toEqual([
        400,
        { error: 'invalid_request', error_description: 'a JWT of the request is nested too deeply' },
      ])
    }
  })

  test.each(WHICH)('a good %s is refused with the body, before any cryptography', async (which) => {
    const padded = { jti: 'x'.repeat(43_000) }
    const began = performance.now()
    const answer = await push((made) => Object.assign(made[which].claims, padded))
    expect([answer.status, answer.text]).toEqual([413, ''])
    expect(performance.now() - began).toBeLessThan(1_000)
  })
})

test('RFC 7636 B: the verifier of the published challenge redeems the code, and its challenge does not', async () => {
  const challenged = (made: Push): void => {
    made.request.claims['code_challenge'] = CHALLENGED.challenge
  }
  for (const [verifier, status] of [
    [CHALLENGED.verifier, 200],
    [CHALLENGED.challenge, 400],
  ] as const) {
    const journey = await world.begin(world.tpp, challenged)
    await world.bank.authorize(journey.consentId)
    const confirmed = await world.bank.doConfirm(journey.interactionId)
    const code = new URL(confirmed.headers.location ?? '').searchParams.get('code') ?? ''
    expect((await send(world.tpp.exchange(code, verifier))).status).toBe(status)
  }
})

test('RFC 9396 2: the published detail is one of a type that is not served here', async () => {
  const answer = await push((made) => Object.assign(made.request.claims, { authorization_details: [DETAILED] }))
  expect([answer.status, answer.json['error']]).toEqual([400, 'invalid_request'])
  expect(answer.json['error_description']).toMatch(/type/)
})

test('after all of this a good push is as welcome as before', async () => {
  expect((await push(() => {})).status).toBe(201)
})
