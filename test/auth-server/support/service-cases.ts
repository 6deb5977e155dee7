/** One-step corruptions of calls with a client's own tokens: revocation, introspection, userinfo (RFC 7009, 7662, 6750). */
import { randomBytes } from 'node:crypto'
import { type Draft, FORM, now, setField } from './tpp.ts'
import type { Answer, Call } from './wire.ts'
import type { World } from './world.ts'

export type Around = Pick<World, 'tpp' | 'second' | 'anonymous' | 'rogue'>
type Fault = readonly [
  name: string,
  corrupt: (draft: Draft, around: Around) => void,
  status: number,
  error: 'invalid_client' | 'invalid_request',
]

/** Whatever the token: these get nothing, and change nothing. */
export const UNAUTHENTICATED: readonly Fault[] = [
  ['no certificate', (draft, { anonymous }) => Object.assign(draft, { wire: anonymous }), 401, 'invalid_client'],
  ['a rogue certificate', (draft, { rogue }) => Object.assign(draft, { wire: rogue }), 401, 'invalid_client'],
  [
    "the other application's certificate",
    (draft, { second }) => Object.assign(draft, { wire: second.wire }),
    401,
    'invalid_client',
  ],
  ['no assertion', (draft) => setField(draft, 'client_assertion', null), 401, 'invalid_client'],
  [
    'client_id in place of an assertion',
    (draft, { tpp }) => {
      setField(draft, 'client_assertion', null)
      setField(draft, 'client_id', tpp.clientId)
    },
    401,
    'invalid_client',
  ],
  [
    "the other application's key",
    (draft, { second }) => Object.assign(draft.assertion, { key: second.key }),
    401,
    'invalid_client',
  ],
  [
    'an expired assertion',
    (draft) => Object.assign(draft.assertion.claims, { iat: now() - 400, exp: now() - 300 }),
    401,
    'invalid_client',
  ],
  ['aud the endpoint', (draft) => Object.assign(draft.assertion.claims, { aud: draft.url }), 401, 'invalid_client'],
  ['alg RS256', (draft) => Object.assign(draft.assertion.header, { alg: 'RS256' }), 401, 'invalid_client'],
  ['no token', (draft) => setField(draft, 'token', null), 400, 'invalid_request'],
  ['the token twice', (draft) => draft.form.push(['token', 'x']), 400, 'invalid_request'],
  [
    'the hint twice',
    (draft) => draft.form.push(['token_type_hint', 'access_token'], ['token_type_hint', 'access_token']),
    400,
    'invalid_request',
  ],
  [
    'JSON',
    (draft) => Object.assign(draft, { headers: { 'content-type': 'application/json' }, body: '{}' }),
    400,
    'invalid_request',
  ],
  [
    'a malformed interaction id',
    (draft) => Object.assign(draft, { headers: { 'content-type': FORM, 'x-fapi-interaction-id': 'x' } }),
    400,
    'invalid_request',
  ],
]

/** The client and the rest are right; the token is none, or not quite. */
export const NO_TOKENS: readonly (readonly [name: string, make: (accessToken: string) => string])[] = [
  ['nonsense', () => 'nonsense'],
  ['an unknown refresh token', () => randomBytes(32).toString('base64url')],
  ['dots', () => '..'],
  ['a text of 100 000 characters', () => 'x.'.repeat(50_000)],
  ['NUL and worse', () => '\0\r\n%00"\\'],
  ['an access token with a changed claim', (token) => changed(token, { scope: 'openid accounts payments' })],
  ['an access token without its signature', (token) => token.slice(0, token.lastIndexOf('.') + 1)],
  ['an access token with alg none', (token) => withHeader(token, { alg: 'none' })],
  ['an access token as another type', (token) => withHeader(token, { typ: 'JWT' })],
]

function changed(jwt: string, claims: object): string {
  const [head, body = '', signature] = jwt.split('.')
  return [head, encoded({ ...decoded(body), ...claims }), signature].join('.')
}
function withHeader(jwt: string, members: object): string {
  const [head = '', body, signature] = jwt.split('.')
  return [encoded({ ...decoded(head), ...members }), body, signature].join('.')
}
const decoded = (part: string): object => JSON.parse(Buffer.from(part, 'base64url').toString('utf8'))
const encoded = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url')

/** Ways to bring a good access token to userinfo that are not the one. */
export type Bring = (around: Around, token: string, url: string) => Promise<Answer>
const bearer = (token: string, more: Call = {}): Call => ({ ...more, headers: { authorization: `Bearer ${token}` } })
const form = (token: string): Call => ({
  method: 'POST',
  headers: { 'content-type': FORM },
  body: new URLSearchParams({ access_token: token }).toString(),
})

/** `error` null: the answer says nothing of what was wrong, because nothing was said of who asks (RFC 6750 3.1). */
export const MISBROUGHT: readonly (readonly [name: string, bring: Bring, status: number, error: string | null])[] = [
  ['nothing at all', ({ tpp }, _token, url) => tpp.wire.send(url), 401, null],
  ['it in the query', ({ tpp }, token, url) => tpp.wire.send(`${url}?access_token=${token}`), 400, 'invalid_request'],
  [
    'it in the query as well',
    ({ tpp }, token, url) => tpp.wire.send(`${url}?access_token=${token}`, bearer(token)),
    400,
    'invalid_request',
  ],
  ['it in the form', ({ tpp }, token, url) => tpp.wire.send(url, form(token)), 401, null],
  [
    'another scheme',
    ({ tpp }, token, url) => tpp.wire.send(url, { headers: { authorization: `Basic ${token}` } }),
    401,
    null,
  ],
  [
    'a scheme and no token',
    ({ tpp }, _token, url) => tpp.wire.send(url, { headers: { authorization: 'Bearer' } }),
    400,
    'invalid_request',
  ],
  [
    'two tokens in one header',
    ({ tpp }, token, url) => tpp.wire.send(url, bearer(`${token} ${token}`)),
    400,
    'invalid_request',
  ],
  ['no certificate', ({ anonymous }, token, url) => anonymous.send(url, bearer(token)), 401, 'invalid_token'],
  ['a rogue certificate', ({ rogue }, token, url) => rogue.send(url, bearer(token)), 401, 'invalid_token'],
  [
    "the other application's certificate",
    ({ second }, token, url) => second.wire.send(url, bearer(token)),
    401,
    'invalid_token',
  ],
]
