import { generateKeyPairSync, randomUUID } from 'node:crypto'
import { beforeEach, describe, expect, test } from 'vitest'
import { toInstant } from '../../../src/clock.ts'
import { createAccessTokens } from '../../../src/gateway/access-token.ts'
import { loadKey, sign } from '../../../src/jose.ts'
import { fixedKeyRing } from '../../../src/keys/index.ts'
import { Secret } from '../../../src/secret.ts'

const key = (kid: string) => {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  return loadKey({ kid, key: new Secret(privateKey.export({ type: 'pkcs8', format: 'pem' }) as string) })
}
const present = key('present')
const former = key('former')
const START = 1_800_000_000
let seconds = START
beforeEach(() => {
  seconds = START
})

const tokens = createAccessTokens({
  issuer: 'https://auth.example',
  audience: 'https://rs.example',
  keys: fixedKeyRing({ signing: [present, former], encryption: [] }),
  clock: { now: () => toInstant(seconds * 1000) },
})
const claims = () => ({
  iss: 'https://auth.example',
  aud: 'https://rs.example',
  exp: START + 600,
  jti: randomUUID(),
  client_id: randomUUID(),
  scope: 'openid accounts',
  cnf: { 'x5t#S256': 'a'.repeat(43) },
})
const header = { typ: 'at+jwt' }

describe('a token', () => {
  test('is read once and remembered, but not past its end', async () => {
    const token = await sign(present, claims(), header)
    expect(await tokens.read(token)).toBe(await tokens.read(token))
    seconds = START + 599
    expect(await tokens.read(token)).toMatchObject({ grant: 'client' })
    seconds = START + 600
    await expect(tokens.read(token)).rejects.toMatchObject({
      code: 'Unauthorized',
      reason: expect.stringContaining('expired'),
    })
  })

  test('may be signed with any of the keys, and with no other', async () => {
    await expect(tokens.read(await sign(former, claims(), header))).resolves.toBeDefined()
    await expect(tokens.read(await sign(key('present'), claims(), header))).rejects.toMatchObject({
      code: 'Unauthorized',
    })
    await expect(tokens.read(await sign(key('unknown'), claims(), header))).rejects.toMatchObject({
      code: 'Unauthorized',
    })
  })

  test.each([
    ['no cnf', undefined],
    ['an empty one', {}],
    ['a key', { jkt: 'a'.repeat(43) }],
    ['a key beside the certificate', { 'x5t#S256': 'a'.repeat(43), jkt: 'a'.repeat(43) }],
    ['a thumbprint that is none', { 'x5t#S256': 'a' }],
    ['a list', ['x5t#S256']],
  ])('with %s is a bearer token, and refused', async (_name, cnf) => {
    const token = await sign(present, { ...claims(), cnf }, header)
    await expect(tokens.read(token)).rejects.toMatchObject({ reason: expect.stringContaining('not bound') })
  })

  test('of a user names consent, grant and organisation, or is refused', async () => {
    const user = { consent_id: randomUUID(), grant_id: 'g', org_id: randomUUID() }
    const read = async (more: object) => tokens.read(await sign(present, { ...claims(), ...more }, header))
    expect(await read(user)).toMatchObject({ grant: 'user', consentId: user.consent_id, grantId: 'g' })
    for (const missing of Object.keys(user)) {
      // A token without any of the three is a client's; one without all three is neither.
      const partial = { ...user, [missing]: undefined }
      await expect(read(partial)).rejects.toMatchObject({ code: 'Unauthorized' })
    }
  })
})
