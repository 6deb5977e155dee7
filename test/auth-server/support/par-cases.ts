/**
 * One-step corruptions of a push that is otherwise right, each with what the hub must say to it. The clauses are those
 * of our digest of the contract: tpp-api 2.2 (client assertion), 2.3 (request object), 2.5 (scope), 2.6 and 2.9
 * (consent and subscription).
 */
import { createPublicKey, generateKeyPairSync } from 'node:crypto'
import type { Json, Jws } from './jws.ts'
import { detailOf, now, type Push, setField, type Tpp } from './tpp.ts'

export type Around = { readonly other: Tpp; readonly par: string; readonly token: string; readonly edge: string }
/** `reason` must be in error_description: a TPP has to be able to find its fault. */
export type Corruption = readonly [name: string, corrupt: (push: Push, around: Around) => void, reason: RegExp]

const claim = (of: 'assertion' | 'request', name: string, value: unknown) => (push: Push) => {
  if (value === undefined) delete push[of].claims[name]
  else push[of].claims[name] = value
}
const header = (of: 'assertion' | 'request', name: string, value: unknown) => (push: Push) => {
  if (value === undefined) delete push[of].header[name]
  else push[of].header[name] = value
}
/** The public key as an HMAC secret: what an implementation falls for that lets the token choose the algorithm. */
const hmacWithPublicKey = (of: 'assertion' | 'request') => (push: Push) => {
  push[of].header['alg'] = 'HS256'
  push[of].key = createPublicKey(push[of].key as Exclude<Jws['key'], string>).export({
    type: 'spki',
    format: 'pem',
  }) as string
}
const damaged = (of: 'assertion' | 'request') => (push: Push) => {
  push[of].damage = (text) => `${text.slice(0, -8)}${text.endsWith('AAAAAAAA') ? 'BBBBBBBB' : 'AAAAAAAA'}`
}
const swapped = (of: 'assertion' | 'request') => (push: Push) => {
  push[of].damage = (text) => {
    const [head, body = '', signature] = text.split('.')
    const claims = JSON.parse(Buffer.from(body, 'base64url').toString('utf8')) as Json
    return [head, Buffer.from(JSON.stringify({ ...claims, jti: 'changed' })).toString('base64url'), signature].join('.')
  }
}
const stranger = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey

export const ASSERTION: readonly Corruption[] = [
  ['alg RS256', header('assertion', 'alg', 'RS256'), /alg/],
  ['alg RS256 over the right key, alg none', header('assertion', 'alg', 'none'), /alg/],
  ['alg HS256 with the public key', hmacWithPublicKey('assertion'), /alg/],
  ['no kid', header('assertion', 'kid', undefined), /kid/],
  ['a kid that nobody has', header('assertion', 'kid', 'nobody'), /key/],
  [
    "the other application's key under its kid",
    (push, { other }) => Object.assign(push.assertion, { key: other.key, header: { alg: 'PS256', kid: other.kid } }),
    /key/,
  ],
  ["the other application's key", (push, { other }) => Object.assign(push.assertion, { key: other.key }), /signature/],
  ["a stranger's key", (push) => Object.assign(push.assertion, { key: stranger }), /signature/],
  ['a damaged signature', damaged('assertion'), /signature/],
  ['claims changed after signing', swapped('assertion'), /signature/],
  ['no iss', claim('assertion', 'iss', undefined), /iss/],
  ['another iss', (push, { other }) => claim('assertion', 'iss', other.clientId)(push), /iss/],
  ['no sub', claim('assertion', 'sub', undefined), /sub/],
  ['another sub', (push, { other }) => claim('assertion', 'sub', other.clientId)(push), /client|iss|sub/],
  ['no aud', claim('assertion', 'aud', undefined), /aud/],
  ['aud as a list', (push) => claim('assertion', 'aud', [push.assertion.claims['aud']])(push), /aud/],
  ['aud the PAR endpoint', (push, { par }) => claim('assertion', 'aud', par)(push), /aud/],
  ['aud the token endpoint', (push, { token }) => claim('assertion', 'aud', token)(push), /aud/],
  ['aud with a slash', (push) => claim('assertion', 'aud', `${push.assertion.claims['aud']}/`)(push), /aud/],
  ['no iat', claim('assertion', 'iat', undefined), /iat/],
  ['iat as text', (push) => claim('assertion', 'iat', String(now()))(push), /iat/],
  ['iat 70 s ahead', (push) => Object.assign(push.assertion.claims, { iat: now() + 70, exp: now() + 130 }), /iat/],
  ['no exp', claim('assertion', 'exp', undefined), /exp/],
  ['expired five minutes ago', (push) => shift(push.assertion.claims, -360), /exp/],
  ['a life of more than five minutes', (push) => claim('assertion', 'exp', now() + 310)(push), /exp/],
  ['exp not after iat', (push) => Object.assign(push.assertion.claims, { iat: now(), exp: now() }), /exp/],
  ['nbf 70 s ahead', (push) => claim('assertion', 'nbf', now() + 70)(push), /nbf|not active/],
  ['nbf as text', claim('assertion', 'nbf', 'now'), /nbf/],
  ['no jti', claim('assertion', 'jti', undefined), /jti/],
  ['jti a number', claim('assertion', 'jti', 7), /jti/],
  ['no assertion', (push) => setField(push, 'client_assertion', null), /assertion|authentication/],
  ['an assertion that is no JWT', (push) => setField(push, 'client_assertion', 'x.y.z'), /assertion/],
  ['no assertion type', (push) => setField(push, 'client_assertion_type', null), /client_assertion_type/],
  [
    'another assertion type',
    (push) => setField(push, 'client_assertion_type', 'urn:ietf:params:oauth:client-assertion-type:saml2-bearer'),
    /client_assertion_type/,
  ],
  ["the other client's client_id", (push, { other }) => setField(push, 'client_id', other.clientId), /client_id/],
]

function shift(claims: Json, seconds: number): void {
  for (const name of ['iat', 'nbf', 'exp']) {
    if (typeof claims[name] === 'number') claims[name] = claims[name] + seconds
  }
}

export const REQUEST_OBJECT: readonly Corruption[] = [
  ['a NUL in state', claim('request', 'state', 'a\u0000b'), /state/],
  ['half a surrogate pair in nonce', claim('request', 'nonce', '\ud800'), /nonce/],
  ['a NUL in login_hint', claim('request', 'login_hint', '\u0000'), /login_hint/],
  ['unsigned', header('request', 'alg', 'none'), /alg/],
  ['alg RS256', header('request', 'alg', 'RS256'), /alg/],
  ['alg HS256 with the public key', hmacWithPublicKey('request'), /alg/],
  ['no kid', header('request', 'kid', undefined), /kid/],
  ['a kid that nobody has', header('request', 'kid', 'nobody'), /Request Object/],
  [
    "the other application's key under its kid",
    (push, { other }) => Object.assign(push.request, { key: other.key, header: { alg: 'PS256', kid: other.kid } }),
    /Request Object/,
  ],
  [
    "the other application's key",
    (push, { other }) => Object.assign(push.request, { key: other.key }),
    /Request Object/,
  ],
  ['a damaged signature', damaged('request'), /Request Object/],
  ['claims changed after signing', swapped('request'), /Request Object/],
  ['no iss', claim('request', 'iss', undefined), /issuer/],
  ['another iss', (push, { other }) => claim('request', 'iss', other.clientId)(push), /issuer/],
  ['no aud', claim('request', 'aud', undefined), /aud/],
  ['aud another server', claim('request', 'aud', 'https://auth.other.example'), /aud/],
  ['aud as a list', (push) => claim('request', 'aud', [push.request.claims['aud']])(push), /aud/],
  ['no exp', claim('request', 'exp', undefined), /exp/],
  ['no nbf', claim('request', 'nbf', undefined), /nbf/],
  ['exp as text', (push) => claim('request', 'exp', String(now() + 60))(push), /exp/],
  ['expired', (push) => Object.assign(push.request.claims, { nbf: now() - 300, exp: now() - 60 }), /exp/],
  ['exp eleven minutes after nbf', (push) => claim('request', 'exp', now() + 660)(push), /exp/],
  ['exp not after nbf', (push) => Object.assign(push.request.claims, { nbf: now() + 5, exp: now() + 5 }), /exp/],
  ['nbf eleven minutes ago', (push) => Object.assign(push.request.claims, { nbf: now() - 660, exp: now() - 65 }), /./],
  ['nbf 70 s ahead', (push) => claim('request', 'nbf', now() + 70)(push), /active|nbf/],
  ['iat 70 s ahead', (push) => claim('request', 'iat', now() + 70)(push), /iat/],
  ['no client_id', claim('request', 'client_id', undefined), /client_id/],
  ['another client_id', (push, { other }) => claim('request', 'client_id', other.clientId)(push), /client_id/],
  ['no response_type', claim('request', 'response_type', undefined), /response_type/],
  ['response_type code id_token', claim('request', 'response_type', 'code id_token'), /response_type/],
  ['response_type token', claim('request', 'response_type', 'token'), /response_type/],
  ['response_mode form_post', claim('request', 'response_mode', 'form_post'), /response_mode/],
  ['no redirect_uri', claim('request', 'redirect_uri', undefined), /redirect_uri/],
  ['an unregistered redirect_uri', claim('request', 'redirect_uri', 'https://evil.example/callback'), /redirect_uri/],
  [
    'a registered redirect_uri with more at its end',
    (push) => claim('request', 'redirect_uri', `${push.request.claims['redirect_uri']}/more`)(push),
    /redirect_uri/,
  ],
  [
    'a registered redirect_uri in other letters',
    (push) => claim('request', 'redirect_uri', String(push.request.claims['redirect_uri']).replace('/c', '/C'))(push),
    /redirect_uri/,
  ],
  ['no code_challenge', claim('request', 'code_challenge', undefined), /code_challenge|PKCE/],
  ['code_challenge_method plain', claim('request', 'code_challenge_method', 'plain'), /code_challenge_method/],
  ['no code_challenge_method', claim('request', 'code_challenge_method', undefined), /code_challenge_method/],
  ['a short code_challenge', claim('request', 'code_challenge', 'abc'), /code_challenge/],
  ['max_age over an hour', claim('request', 'max_age', 3601), /max_age/],
  ['max_age negative', claim('request', 'max_age', -1), /max_age/],
  ['max_age as text', claim('request', 'max_age', '60'), /max_age/],
  ['a request_uri claim', claim('request', 'request_uri', 'urn:ietf:params:oauth:request_uri:x'), /request_uri/],
  ['a request claim', claim('request', 'request', 'x'), /request/],
  ['a login_hint that is an object', claim('request', 'login_hint', { Type: 'EmiratesID' }), /login_hint/],
  ['a claim that the document does not know', claim('request', 'prompt', 'none'), /prompt/],
  ['no authorization_details', claim('request', 'authorization_details', undefined), /authorization_details/],
  ['authorization_details empty', claim('request', 'authorization_details', []), /authorization_details/],
  ['authorization_details as text', claim('request', 'authorization_details', 'x'), /authorization_details/],
  [
    'two elements in authorization_details',
    (push) => claim('request', 'authorization_details', [detailOf(push), { ...structuredClone(detailOf(push)) }])(push),
    /authorization_details/,
  ],
]

export const SCOPE: readonly Corruption[] = [
  ['no scope', claim('request', 'scope', undefined), /openid|scope/],
  ['openid alone', claim('request', 'scope', 'openid'), /openid accounts/],
  ['accounts alone', claim('request', 'scope', 'accounts'), /openid/],
  ['an unknown scope beside the right ones', claim('request', 'scope', 'openid accounts everything'), /scope/],
  ['a scope of another kind of consent', claim('request', 'scope', 'openid payments'), /scope/],
  ['a scope too many', claim('request', 'scope', 'openid accounts payments'), /scope/],
  ['upper case', claim('request', 'scope', 'OPENID ACCOUNTS'), /scope|openid/],
  ['characters that no scope has', claim('request', 'scope', 'openid accounts "x"'), /scope/],
]

const consent = (name: string, value: unknown) => (push: Push) => {
  if (value === undefined) delete detailOf(push).consent[name]
  else detailOf(push).consent[name] = value
}
const detail = (name: string, value: unknown) => (push: Push) => {
  if (value === undefined) delete detailOf(push)[name]
  else detailOf(push)[name] = value
}
const inDays = (days: number): string => new Date(Date.now() + days * 86_400_000).toISOString()
const webhook =
  (change: Json) =>
  (push: Push, { edge }: Around) =>
    detail('subscription', { Webhook: { Url: `${edge}webhooks`, IsActive: true, ...change } })(push)
/** RFC 7493 calls it interoperable JSON; a parser that keeps the last of two members would show one and store the other. */
const PROTOTYPE = JSON.parse('{"__proto__": {"ConsentId": "x"}}') as Json

export const RAR: readonly Corruption[] = [
  ['no type', detail('type', undefined), /type/],
  ['an unknown type', detail('type', 'urn:openfinanceuae:account-access-consent:v9.9'), /type/],
  ['a type not served here', detail('type', 'urn:openfinanceuae:account-opening-consent:v2.1'), /type/],
  [
    'the type of another kind of consent',
    detail('type', 'urn:openfinanceuae:insurance-consent:v2.1'),
    /Permissions|known/,
  ],
  ['type an inherited name', detail('type', 'constructor'), /type/],
  ['no consent', detail('consent', undefined), /consent/],
  ['a member too many beside consent', detail('more', 1), /more|additional/],
  ['a member too many in consent', consent('More', 1), /More|additional/],
  [
    'a member named __proto__',
    (push) => Object.defineProperty(detailOf(push).consent, '__proto__', { value: PROTOTYPE, enumerable: true }),
    /./,
  ],
  ['no ConsentId', consent('ConsentId', undefined), /ConsentId/],
  ['ConsentId not a UUID', consent('ConsentId', 'consent-1'), /ConsentId/],
  ['ConsentId empty', consent('ConsentId', ''), /ConsentId/],
  ['BaseConsentId not a UUID', consent('BaseConsentId', 'root'), /BaseConsentId/],
  ['no Permissions', consent('Permissions', undefined), /Permissions/],
  ['Permissions empty', consent('Permissions', []), /Permissions/],
  ['an unknown permission', consent('Permissions', ['ReadAccountsBasic', 'ReadEverything']), /Permissions/],
  ['a permission twice', consent('Permissions', ['ReadAccountsBasic', 'ReadAccountsBasic']), /Permissions/],
  ['balances without accounts', consent('Permissions', ['ReadBalances']), /ReadAccounts/],
  ['transactions without accounts', consent('Permissions', ['ReadTransactionsDetail']), /ReadAccounts/],
  ['no ExpirationDateTime', consent('ExpirationDateTime', undefined), /ExpirationDateTime/],
  ['ExpirationDateTime past', (push) => consent('ExpirationDateTime', inDays(-1))(push), /ExpirationDateTime/],
  [
    'ExpirationDateTime beyond a year',
    (push) => consent('ExpirationDateTime', inDays(367))(push),
    /ExpirationDateTime/,
  ],
  ['ExpirationDateTime without a zone', consent('ExpirationDateTime', '2027-01-01T00:00:00'), /ExpirationDateTime/],
  ['ExpirationDateTime a date', consent('ExpirationDateTime', '2027-01-01'), /ExpirationDateTime/],
  ['FromDate not a date', consent('FromDate', '2026-13-01'), /FromDate/],
  [
    'FromDate after ToDate',
    (push) => Object.assign(detailOf(push).consent, { FromDate: '2026-02-01', ToDate: '2026-01-01' }),
    /FromDate/,
  ],
  ['an unknown AccountType', consent('AccountType', ['Private']), /AccountType/],
  ['an unknown AccountSubType', consent('AccountSubType', ['Piggy']), /AccountSubType/],
  ['OnBehalfOf with a member too many', consent('OnBehalfOf', { LegalName: 'x', More: 1 }), /OnBehalfOf/],
  ['OnBehalfOf of another kind', consent('OnBehalfOf', { IdentifierType: 'Passport' }), /OnBehalfOf/],
  ['no OpenFinanceBilling', consent('OpenFinanceBilling', undefined), /OpenFinanceBilling/],
  ['no UserType', consent('OpenFinanceBilling', { Purpose: 'TaxFiling' }), /UserType/],
  ['an unknown Purpose', consent('OpenFinanceBilling', { UserType: 'Retail', Purpose: 'Curiosity' }), /Purpose/],
  [
    'IsLargeCorporate, which is not for the TPP to say',
    consent('OpenFinanceBilling', { UserType: 'Retail', Purpose: 'TaxFiling', IsLargeCorporate: true }),
    /OpenFinanceBilling/,
  ],
  ['a NUL in a name', consent('OnBehalfOf', { LegalName: 'x\u0000' }), /cannot be kept/],
  ['half a surrogate pair in a name', consent('OnBehalfOf', { LegalName: '\ud800' }), /cannot be kept/],
  ['a NUL in a webhook', webhook({ Url: 'https://localhost/webhooks\u0000' }), /cannot be kept/],
  ['half a surrogate pair in a webhook', webhook({ Url: 'https://localhost/\udc00' }), /cannot be kept/],
  ['subscription empty', detail('subscription', {}), /Webhook/],
  ['a webhook without IsActive', webhook({ IsActive: undefined }), /IsActive/],
  ['IsActive as text', webhook({ IsActive: 'true' }), /IsActive/],
  ['a webhook with a member too many', webhook({ Secret: 'x' }), /Webhook/],
  ['an unregistered webhook', webhook({ Url: 'https://evil.example/hook' }), /Webhook/],
  ['a webhook without TLS', webhook({ Url: 'http://localhost/webhooks' }), /Webhook/],
  [
    'Subscription as in answers',
    detail('Subscription', { Webhook: { Url: 'https://x.example', IsActive: true } }),
    /Subscription|additional/,
  ],
]
