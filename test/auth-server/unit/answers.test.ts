/** The words of the contract: error codes, descriptions, and what the LFI may put into an id_token. */
import { generateKeyPairSync } from 'node:crypto'
import { errors } from 'oidc-provider'
import { describe, expect, test } from 'vitest'
import { failure } from '../../../src/auth-server/completion.ts'
import { errorLocation } from '../../../src/auth-server/error-redirect.ts'
import { addClaims, claimsIn } from '../../../src/auth-server/id-token-claims.ts'
import { authorizationCode, publishedCode } from '../../../src/auth-server/oauth-answer.ts'
import { loadKey, publicJwk, verify } from '../../../src/jose.ts'
import { Secret } from '../../../src/secret.ts'

/** Every error that the engine has a class for. */
const ENGINE = [
  ...new Set(
    Object.values(errors).flatMap((Kind) => {
      try {
        const made = new (Kind as unknown as new (text: string) => { readonly error?: string })('x')
        return made.error === undefined ? [] : [made.error]
      } catch {
        return []
      }
    }),
  ),
]
const PUBLISHED = [
  'invalid_request',
  'invalid_client',
  'invalid_grant',
  'unauthorized_client',
  'unsupported_grant_type',
  'invalid_scope',
  'server_error',
]

describe('error codes', () => {
  test('the engine has more than the contract', () => {
    expect(ENGINE.length).toBeGreaterThan(25)
    expect(ENGINE).toContain('invalid_request_object')
  })

  test.each(ENGINE)('%s is told in the words of the contract', (code) => {
    expect(PUBLISHED).toContain(publishedCode(code))
    expect(publishedCode(code)).toBe(PUBLISHED.includes(code) ? code : 'invalid_request')
  })

  test.each([
    'invalid_grant',
    'invalid_client',
    'invalid_request_uri',
    'toString',
    '',
  ])('%s is no code of an authorization response', (code) => {
    expect(authorizationCode(code)).toBe('invalid_request')
  })
})

describe('doFail', () => {
  const told = (form: Readonly<Record<string, string>>) => failure(new Map(Object.entries(form)))

  test.each([
    [{}, 'access_denied', 'the authorization was not completed'],
    [{ error: 'server_error' }, 'server_error', 'the authorization was not completed'],
    [{ error: 'foo', error_description: 'bar' }, 'invalid_request', 'bar'],
    [{ error: '', error_description: '' }, 'invalid_request', ''],
    [{ error_description: 'user_account_blocked' }, 'access_denied', 'user_account_blocked'],
    [{ error: '__proto__' }, 'invalid_request', 'the authorization was not completed'],
  ])('%j', (form, error, description) => {
    expect(told(form)).toEqual({ error, error_description: description })
  })

  test('keeps to the characters that RFC 6749 allows, and to 500 of them', () => {
    const { error_description: description } = told({ error_description: `a"b\\c\r\né${'x'.repeat(600)}` })
    expect(description).toMatch(/^a'b'c'''x+$/)
    expect(description).toHaveLength(500)
  })
})

describe('the way back to the TPP', () => {
  const to = (redirectUri: string, state?: unknown) =>
    errorLocation({
      redirectUri,
      issuer: 'https://auth.example',
      error: 'invalid_request',
      description: 'a&b=c#d',
      state,
    })

  test('keeps the query of the redirect URI and adds to it', () => {
    const { searchParams } = new URL(to('https://tpp.example/callback?app=two', 's&t'))
    expect(Object.fromEntries(searchParams)).toEqual({
      app: 'two',
      error: 'invalid_request',
      error_description: 'a&b=c#d',
      state: 's&t',
      iss: 'https://auth.example',
    })
  })

  test.each([undefined, null, 7, ['a']])('has no state for %j', (state) => {
    expect(new URL(to('https://tpp.example/callback', state)).searchParams.has('state')).toBe(false)
  })
})

describe('claims of the LFI (lfi-api 1.4)', () => {
  const from = (form: readonly (readonly [string, string])[]) => claimsIn(new Map(form))

  test('are all names but controls and what the hub alone says', () => {
    expect(
      from([
        ['branch', 'x'],
        ['https://aurora.example/c', 'y'],
        ['heimdall.ttl', '1'],
        ['sub', 'z'],
        ['iss', 'z'],
        ['acr', 'z'],
        ['auth_time', '1'],
        ['__proto__', 'z'],
      ]),
    ).toEqual({ branch: 'x', 'https://aurora.example/c': 'y' })
  })

  test.each([
    ['too many', Array.from({ length: 17 }, (_, at) => [`c${at}`, 'x'] as const)],
    ['a name that is none', [['', 'x']]],
    ['a name with a space', [['a b', 'x']]],
    ['a long name', [['n'.repeat(129), 'x']]],
    ['a long value', [['n', 'x'.repeat(1025)]]],
  ] as const)('are refused for %s', (_name, form) => {
    expect(() => from(form)).toThrow(/claims/)
  })

  test('are added to the token and replace nothing in it', async () => {
    const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
    const key = loadKey({ kid: 'hub', key: new Secret(privateKey.export({ type: 'pkcs8', format: 'pem' }) as string) })
    const made = await addClaims(
      await addClaims('e30.eyJzdWIiOiJtZSIsImV4cCI6MX0.x', { sub: 'you', exp: '2' }, key),
      { branch: 'x' },
      key,
    )
    const verified = await verify(made, () => publicJwk(key, 'sig'))
    expect(verified).toMatchObject({ ok: true, claims: { sub: 'me', exp: 1, branch: 'x' } })
  })
})
