/** What is demanded of every answer on the way of a successful flow, whichever module the flow belongs to. */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { type Json, readVerified } from '../auth-server/support/jws.ts'
import { now, type Push, type Tpp } from '../auth-server/support/tpp.ts'
import type { Answer } from '../auth-server/support/wire.ts'
import { KNOWN, metadataFor } from './metadata.ts'
import type { Metadata, Suite } from './suite.ts'

/** The suite's bounds for what must not be guessed: as measured in the value, and as its length allows. */
const MEASURED_BITS_MIN = 96
const LENGTH_BITS_MIN = 128
const BITS_OF_A_CHARACTER = 6
const DATE_OFF_MAX_MS = 5 * 60_000
/** FAPI 2.0 SP 5.3.2.2: under ten minutes; the suite itself only minds less than five seconds. */
const REQUEST_URI_SECONDS = { min: 5, max: 599 } as const
const ACCESS_TOKEN_SECONDS_MAX = 600
/** Names of tokens; none of them belongs into the address that a browser is sent to. */
const NOT_IN_FRONT = ['access_token', 'id_token', 'refresh_token', 'token_type', 'response', 'error'] as const
/** Protocol claims of OIDC Core 2 and 3.3.2.11, and what `openid` alone asks for. */
const ID_TOKEN_CLAIMS = new Set([
  ...['iss', 'sub', 'aud', 'exp', 'iat', 'nonce', 'auth_time', 'acr', 'amr', 'azp', 'jti'],
  ...['at_hash', 'c_hash', 's_hash'],
])

export function checkDiscovery({ issuer, style }: Suite, answer: Answer): void {
  assert.equal(answer.status, 200, 'discovery answers 200')
  checkDate(answer)
  const metadata: Metadata = answer.json
  assert.equal(metadata['issuer'], issuer, 'the issuer is the address of its document without the suffix')
  for (const [name, rule] of metadataFor(style)) {
    const value = metadata[name]
    if (value === undefined) assert.ok(!rule.isRequired, `${name} is published`)
    else assert.ok(rule.fits(value), `${name} has a form that is allowed: ${JSON.stringify(value)}`)
  }
  const unknown = Object.keys(metadata).filter((name) => !KNOWN.has(name))
  assert.deepEqual(unknown, [], 'no member that nobody has registered')
}

export function checkPushed(answer: Answer, interactionId: string): void {
  assert.equal(answer.status, 201, `/par answers 201: ${answer.text}`)
  checkOAuth(answer, interactionId)
  const { request_uri: uri, expires_in: seconds } = answer.json
  assert.match(String(uri), /^urn:ietf:params:oauth:request_uri:[^\s]+$/)
  checkSecret(String(uri).slice(String(uri).lastIndexOf(':') + 1), 'request_uri')
  const { min, max } = REQUEST_URI_SECONDS
  assert.ok(Number.isInteger(seconds) && Number(seconds) >= min && Number(seconds) <= max, `expires_in is ${seconds}`)
}

export type Redirect = { readonly status: number; readonly location: string }
export type Expected = { readonly redirectUri: string; readonly issuer: string; readonly state: unknown }

/** Of the code that it brings. */
export function checkAuthorizationResponse({ status, location }: Redirect, expected: Expected): string {
  assert.equal(status, 303, 'the browser is sent on with 303')
  const parameters = backAtClient(location, expected)
  assert.deepEqual(
    NOT_IN_FRONT.filter((name) => parameters.has(name)),
    [],
    'the front channel brings the code and nothing else',
  )
  const code = parameters.get('code') ?? ''
  checkSecret(code, 'code')
  return code
}

/** Parameters that came back to the redirect URI; what that URI has of its own is unharmed. */
export function backAtClient(location: string, { redirectUri, issuer, state }: Expected): URLSearchParams {
  const [at, registered] = [new URL(location), new URL(redirectUri)]
  assert.equal(`${at.origin}${at.pathname}`, `${registered.origin}${registered.pathname}`, 'back to the redirect URI')
  assert.equal(at.hash, '', 'nothing is in the fragment')
  for (const [name, value] of registered.searchParams) assert.equal(at.searchParams.get(name), value, `${name} is kept`)
  for (const name of at.searchParams.keys()) assert.equal(at.searchParams.getAll(name).length, 1, `${name} comes once`)
  assert.equal(at.searchParams.get('iss'), issuer, 'iss is the issuer (RFC 9207)')
  assert.equal(at.searchParams.get('state'), state ?? null, 'state comes back as it was sent, or not at all')
  return at.searchParams
}

export type TokenAnswer = {
  readonly accessToken: string
  readonly refreshToken: string | null
  readonly idToken: string
}

export function checkTokens({ style }: Pick<Suite, 'style'>, answer: Answer, interactionId: string): TokenAnswer {
  assert.equal(answer.status, 200, `/token answers 200: ${answer.text}`)
  checkOAuth(answer, interactionId)
  const { json } = answer
  const [accessToken, refreshToken] = [json['access_token'], json['refresh_token']]
  checkSecret(accessToken, 'access_token')
  if (refreshToken !== undefined) checkSecret(refreshToken, 'refresh_token')
  assert.equal(String(json['token_type']).toLowerCase(), style.binding === 'key' ? 'dpop' : 'bearer')
  const seconds = Number(json['expires_in'])
  assert.ok(Number.isInteger(seconds) && seconds > 0 && seconds <= ACCESS_TOKEN_SECONDS_MAX, `expires_in ${seconds}`)
  const details = json['authorization_details']
  assert.ok(Array.isArray(details) && details.length > 0, 'authorization_details is a list (RFC 9396 7)')
  for (const each of details as readonly Json[]) assert.equal(typeof each['type'], 'string', 'each detail has its type')
  return {
    accessToken: String(accessToken),
    refreshToken: refreshToken === undefined ? null : String(refreshToken),
    idToken: String(json['id_token']),
  }
}

export async function checkIdToken(
  suite: Suite,
  idToken: string,
  { by, push }: { by: Tpp; push: Push },
): Promise<Json> {
  const { kid } = JSON.parse(Buffer.from(idToken.split('.')[0] ?? '', 'base64url').toString('utf8')) as Json
  assert.equal(typeof kid, 'string', 'the id_token names its key')
  const jwk = (await suite.keys()).find((key) => key['kid'] === kid)
  assert.ok(jwk !== undefined, 'the key of the id_token is published')
  const read = readVerified(idToken, jwk)
  assert.ok(read !== null, 'the id_token is signed with PS256 by a published key')
  const { claims } = read
  assert.equal(claims['iss'], suite.issuer)
  assert.deepEqual([claims['aud']].flat(), [by.clientId], 'the id_token is for this client alone')
  assert.equal(claims['nonce'], push.request.claims['nonce'], 'nonce comes back as it was sent, or not at all')
  assert.ok(typeof claims['sub'] === 'string' && claims['sub'] !== '', 'sub says who')
  const at = now()
  assert.ok(Number(claims['exp']) > at && Number(claims['iat']) <= at + 10 && Number(claims['iat']) > at - 300)
  assert.deepEqual(
    Object.keys(claims).filter((name) => !ID_TOKEN_CLAIMS.has(name)),
    [],
    'no claim that nobody asked for',
  )
  return claims
}

/** The one way in which a resource is had, and the ways in which it is not. */
export async function checkResource(suite: Suite, by: Tpp, accessToken: string): Promise<void> {
  const other = by === suite.first ? suite.second : suite.first
  const welcome = await Promise.all(
    [
      {},
      { accept: 'application/json;charset=utf-8' },
      { accept: '*/*' },
      { 'x-fapi-customer-ip-address': '2001:db8::1893:25c8:1946' },
    ].map(async (headers) => {
      const sent = { 'x-fapi-interaction-id': randomUUID(), ...headers }
      return { answer: await suite.read(by, accessToken, { headers: sent }), sent }
    }),
  )
  for (const { answer, sent } of welcome) {
    assert.ok([200, 201].includes(answer.status), `the resource answers ${answer.status}: ${answer.text}`)
    checkDate(answer)
    assert.equal(answer.headers['x-fapi-interaction-id'], sent['x-fapi-interaction-id'], 'the interaction id is echoed')
  }
  const inQuery = await by.wire.send(`${suite.resource}?access_token=${accessToken}`, {
    headers: { 'x-fapi-interaction-id': randomUUID() },
  })
  assert.ok([400, 401, 414].includes(inQuery.status), `a token in the query is answered ${inQuery.status}`)
  const stolen = await suite.read(other, accessToken)
  assert.ok(stolen.status >= 400 && stolen.status < 500, `somebody else is answered ${stolen.status}`)
}

export async function checkTls(suite: Suite): Promise<void> {
  for (const finding of await suite.tlsFindings()) {
    const { endpoint, outdated, weakCipher, agreesTo12, agreesTo13, preferred } = finding
    assert.deepEqual(outdated, [], `${endpoint} speaks no TLS before 1.2`)
    assert.equal(weakCipher, null, `${endpoint} speaks TLS 1.2 with ECDHE and GCM only`)
    assert.ok(agreesTo12 || agreesTo13, `${endpoint} speaks TLS`)
    assert.ok(agreesTo13, `${endpoint} speaks TLS 1.3`)
    assert.equal(preferred, 'TLSv1.3', `${endpoint} prefers TLS 1.3`)
  }
}

/** JSON that nobody keeps, with the caller's interaction id. */
export function checkOAuth(answer: Answer, interactionId: string): void {
  checkDate(answer)
  assert.match(answer.headers['content-type'] ?? '', /^application\/json/)
  assert.match(answer.headers['cache-control'] ?? '', /no-store/)
  assert.equal(answer.headers['x-fapi-interaction-id'], interactionId, 'the interaction id is echoed')
}

function checkDate(answer: Answer): void {
  const date = Date.parse(answer.headers.date ?? '')
  assert.ok(Math.abs(date - Date.now()) < DATE_OFF_MAX_MS, `Date is ${answer.headers.date}`)
}

function checkSecret(value: unknown, name: string): void {
  assert.equal(typeof value, 'string', `${name} is text`)
  const text = String(value)
  assert.ok(text.length * BITS_OF_A_CHARACTER >= LENGTH_BITS_MIN, `${name} is long enough for ${LENGTH_BITS_MIN} bits`)
  const bits = measuredBits(text)
  assert.ok(bits >= MEASURED_BITS_MIN, `${name} has ${Math.round(bits)} bits of measured entropy`)
}

/** Shannon's measure over the characters of the one value. */
export function measuredBits(text: string): number {
  const counts = Map.groupBy(text, (character) => character).values()
  let perCharacter = 0
  for (const { length } of counts) perCharacter -= (length / text.length) * Math.log2(length / text.length)
  return perCharacter * text.length
}
