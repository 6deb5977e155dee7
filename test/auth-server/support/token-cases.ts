/** One-step corruptions of token requests that are otherwise right (tpp-api 3.1, 3.4). */
import { createHash, randomBytes } from 'node:crypto'
import { ACCOUNT_ACCESS, type Draft, FORM, now, setField } from './tpp.ts'
import type { World } from './world.ts'

export type Around = Pick<World, 'tpp' | 'second' | 'anonymous' | 'rogue'> & { readonly verifier: string }
/** What is wrong, and status and code of the answer. */
export type Fault = readonly [
  name: string,
  corrupt: (draft: Draft, around: Around) => void,
  status: number,
  error: string,
]
/** By another client, with that client's own key and certificate. */
const impersonate = (draft: Draft, { second }: Around) => {
  const { wire, assertion } = second.post(draft.url, {})
  Object.assign(draft.assertion, assertion)
  draft.wire = wire
}
const AUTHENTICATION: readonly Fault[] = [
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
    'no assertion, but client_id',
    (draft, { tpp }) => {
      setField(draft, 'client_assertion', null)
      setField(draft, 'client_id', tpp.clientId)
    },
    401,
    'invalid_client',
  ],
  [
    'a client secret',
    (draft, { tpp }) => {
      setField(draft, 'client_assertion', null)
      setField(draft, 'client_id', tpp.clientId)
      setField(draft, 'client_secret', 'secret')
    },
    401,
    'invalid_client',
  ],
  [
    "the other client's client_id",
    (draft, { second }) => setField(draft, 'client_id', second.clientId),
    401,
    'invalid_client',
  ],
  [
    'an assertion with RS256',
    (draft) => Object.assign(draft.assertion.header, { alg: 'RS256' }),
    401,
    'invalid_client',
  ],
  [
    'an expired assertion',
    (draft) => Object.assign(draft.assertion.claims, { iat: now() - 400, exp: now() - 300 }),
    401,
    'invalid_client',
  ],
  [
    'aud the token endpoint',
    (draft) => Object.assign(draft.assertion.claims, { aud: draft.url }),
    401,
    'invalid_client',
  ],
  ['no grant_type', (draft) => setField(draft, 'grant_type', null), 400, 'invalid_request'],
  ['an unknown grant_type', (draft) => setField(draft, 'grant_type', 'password'), 400, 'unsupported_grant_type'],
  ['the grant_type implicit', (draft) => setField(draft, 'grant_type', 'implicit'), 400, 'unsupported_grant_type'],
  ['grant_type twice', (draft) => draft.form.push(['grant_type', 'refresh_token']), 400, 'invalid_request'],
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

export const CODE: readonly Fault[] = [
  [
    'a wrong verifier',
    (draft) => setField(draft, 'code_verifier', randomBytes(32).toString('base64url')),
    400,
    'invalid_grant',
  ],
  ['no verifier', (draft) => setField(draft, 'code_verifier', null), 400, 'invalid_grant'],
  ['a short verifier', (draft) => setField(draft, 'code_verifier', 'x'), 400, 'invalid_request'],
  [
    'the challenge as verifier',
    (draft, { verifier }) =>
      setField(draft, 'code_verifier', createHash('sha256').update(verifier).digest('base64url')),
    400,
    'invalid_grant',
  ],
  [
    'another redirect_uri',
    (draft, { second }) => setField(draft, 'redirect_uri', second.redirectUri),
    400,
    'invalid_grant',
  ],
  ['no redirect_uri', (draft) => setField(draft, 'redirect_uri', null), 400, 'invalid_request'],
  ['another code', (draft) => setField(draft, 'code', randomBytes(32).toString('base64url')), 400, 'invalid_grant'],
  ['no code', (draft) => setField(draft, 'code', null), 400, 'invalid_request'],
  ['code twice', (draft) => draft.form.push(['code', 'x']), 400, 'invalid_request'],
  ['another client', impersonate, 400, 'invalid_grant'],
  ...AUTHENTICATION,
]

export const REFRESH: readonly Fault[] = [
  ['another client', impersonate, 400, 'invalid_grant'],
  [
    'another token',
    (draft) => setField(draft, 'refresh_token', randomBytes(32).toString('base64url')),
    400,
    'invalid_grant',
  ],
  ['an access token in its place', (draft) => setField(draft, 'refresh_token', 'x.y.z'), 400, 'invalid_grant'],
  ['no token', (draft) => setField(draft, 'refresh_token', null), 400, 'invalid_request'],
  [
    'more scope than was granted',
    (draft) => setField(draft, 'scope', 'openid accounts payments'),
    400,
    'invalid_scope',
  ],
  ...AUTHENTICATION,
]

export const CREDENTIALS: readonly Fault[] = [
  ['no scope', (draft) => setField(draft, 'scope', null), 400, 'invalid_scope'],
  ['an empty scope', (draft) => setField(draft, 'scope', ''), 400, 'invalid_scope'],
  ['an unknown scope', (draft) => setField(draft, 'scope', 'accounts everything'), 400, 'invalid_scope'],
  ['a scope that no role opens', (draft) => setField(draft, 'scope', 'openid customers'), 400, 'invalid_scope'],
  ['offline_access', (draft) => setField(draft, 'scope', 'accounts offline_access'), 400, 'invalid_scope'],
  [
    'authorization_details',
    (draft) => setField(draft, 'authorization_details', JSON.stringify([{ type: ACCOUNT_ACCESS, consent: {} }])),
    400,
    'invalid_request',
  ],
  ['another resource', (draft) => setField(draft, 'resource', 'https://other.example'), 400, 'invalid_request'],
  ...AUTHENTICATION,
]
