/** The successful flow, step by step: each step checks its answer and hands on what the next one needs. */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { outcomeOf } from '../auth-server/support/bank.ts'
import type { Json } from '../auth-server/support/jws.ts'
import { type Draft, type Push, setField, type Tpp } from '../auth-server/support/tpp.ts'
import type { Answer } from '../auth-server/support/wire.ts'
import {
  checkAuthorizationResponse,
  checkDiscovery,
  checkIdToken,
  checkPushed,
  checkResource,
  checkTls,
  checkTokens,
  type TokenAnswer,
} from './checks.ts'
import type { Suite } from './suite.ts'

export type Variation = {
  readonly by?: Tpp
  /** Changes the request before it is signed and sent. */
  readonly change?: (push: Push) => void
  /** What the browser brings to the authorization endpoint beside client_id and request_uri. */
  readonly beside?: Readonly<Record<string, string>>
}

export type Lodged = { readonly by: Tpp; readonly push: Push; readonly requestUri: string; readonly expiresIn: number }
export type Coded = Lodged & { readonly code: string }
export type Granted = Coded & TokenAnswer & { readonly claims: Json }

/** As the suite does, each request carries an interaction id of its own. */
export async function sendTraced(
  suite: Suite,
  draft: Draft,
): Promise<{ readonly answer: Answer; readonly interactionId: string }> {
  const interactionId = randomUUID()
  draft.headers = { ...draft.headers, 'x-fapi-interaction-id': interactionId }
  return { answer: await suite.send(draft), interactionId }
}

export async function lodge(suite: Suite, { by = suite.first, change = () => {} }: Variation = {}): Promise<Lodged> {
  checkDiscovery(suite, await suite.discover())
  const push = by.push()
  change(push)
  const { answer, interactionId } = await sendTraced(suite, push)
  checkPushed(answer, interactionId)
  const { request_uri: requestUri, expires_in: expiresIn } = answer.json
  return { by, push, requestUri: String(requestUri), expiresIn: Number(expiresIn) }
}

/** GET of the authorization endpoint, as the bank passes it on. */
export function visit(
  suite: Suite,
  { by, requestUri }: Pick<Lodged, 'by' | 'requestUri'>,
  beside: Readonly<Record<string, string>> = {},
): Promise<Answer> {
  return suite.bank.getAuth({ client_id: by.clientId, request_uri: requestUri, ...beside })
}

/** Of the interaction that the visit began. */
export function begun(answer: Answer): string {
  assert.equal(answer.status, 200, `the authorization request is accepted: ${answer.text} ${answer.headers.location}`)
  return String((answer.json['interaction'] as Json | undefined)?.['interactionId'])
}

export const expectedOf = (suite: Suite, push: Push) => ({
  redirectUri: String(push.request.claims['redirect_uri']),
  issuer: suite.issuer,
  state: push.request.claims['state'],
})

/** The user agrees at the bank, and comes back with a code. */
export async function approve(suite: Suite, lodged: Lodged, interactionId: string): Promise<Coded> {
  await suite.bank.authorize(lodged.push.consentId)
  const outcome = outcomeOf(await suite.bank.doConfirm(interactionId))
  return { ...lodged, code: checkAuthorizationResponse(outcome, expectedOf(suite, lodged.push)) }
}

export async function toCode(suite: Suite, variation: Variation = {}): Promise<Coded> {
  const lodged = await lodge(suite, variation)
  return approve(suite, lodged, begun(await visit(suite, lodged, variation.beside)))
}

export function exchange({ by, code, push }: Coded): Draft {
  const draft = by.exchange(code, push.verifier)
  setField(draft, 'redirect_uri', String(push.request.claims['redirect_uri']))
  return draft
}

export async function redeem(suite: Suite, coded: Coded): Promise<Granted> {
  const { answer, interactionId } = await sendTraced(suite, exchange(coded))
  const tokens = checkTokens(suite, answer, interactionId)
  return { ...coded, ...tokens, claims: await checkIdToken(suite, tokens.idToken, coded) }
}

/** Everything: from discovery to a resource, and to a resource again after a refresh. */
export async function toTokens(suite: Suite, variation: Variation = {}): Promise<Granted> {
  await checkTls(suite)
  const granted = await redeem(suite, await toCode(suite, variation))
  await checkResource(suite, granted.by, granted.accessToken)
  await checkRefresh(suite, granted)
  return granted
}

/** What the tokens would be bound to is not shown. */
export function withoutBinding({ style, anonymous }: Suite, draft: Draft): Draft {
  if (style.binding === 'key') draft.headers['dpop'] = ''
  else draft.wire = anonymous
  return draft
}

/** Whoever holds a refresh token needs the key and the certificate of its client as well. */
export async function checkRefresh(suite: Suite, { by, refreshToken }: Granted): Promise<void> {
  if (refreshToken === null) return
  const other = by === suite.first ? suite.second : suite.first
  const { answer, interactionId } = await sendTraced(suite, by.refresh(refreshToken))
  const renewed = checkTokens(suite, answer, interactionId)
  const read = await suite.read(by, renewed.accessToken)
  assert.equal(read.status, 200, 'a refreshed access token works')
  const current = renewed.refreshToken ?? refreshToken

  const unsigned = by.refresh(current)
  setField(unsigned, 'client_assertion', null)
  setField(unsigned, 'client_assertion_type', null)
  setField(unsigned, 'client_id', by.clientId)
  const bare = withoutBinding(suite, by.refresh(current))
  const refused = await Promise.all([unsigned, bare, other.refresh(current)].map(suite.send))
  for (const { status, json } of refused) {
    assert.ok([400, 401].includes(status), `a refresh by somebody else is answered ${status}`)
    assert.equal(typeof json['error'], 'string')
    assert.equal(json['access_token'], undefined)
  }
}
