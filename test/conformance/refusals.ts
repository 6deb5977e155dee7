/** What a refusal looks like: its status, its code, and that nothing worth having came with it. */
import assert from 'node:assert/strict'
import type { Push } from '../auth-server/support/tpp.ts'
import type { Answer } from '../auth-server/support/wire.ts'
import { backAtClient } from './checks.ts'
import { expectedOf } from './flow.ts'
import type { Suite } from './suite.ts'

export type Refusal = { readonly status: readonly number[]; readonly errors: readonly string[] }

export const INVALID_OBJECT: Refusal = { status: [400], errors: ['invalid_request_object', 'invalid_request'] }
export const INVALID_REQUEST: Refusal = { status: [400], errors: ['invalid_request'] }
export const INVALID_GRANT: Refusal = { status: [400], errors: ['invalid_grant'] }
export const UNAUTHENTICATED: Refusal = { status: [400, 401], errors: ['invalid_client', 'invalid_request'] }
/** Who does not show what its tokens are to be bound to. */
export const UNBOUND: Refusal = {
  status: [400, 401],
  errors: ['invalid_client', 'invalid_request', 'invalid_grant', 'invalid_dpop_proof'],
}

const SPOILS = ['access_token', 'refresh_token', 'id_token', 'code', 'request_uri'] as const

/** At the machine endpoints: OAuth JSON. */
export function expectRefused(answer: Answer, { status, errors }: Refusal): void {
  const said = `${answer.status} ${answer.text}`
  assert.ok(status.includes(answer.status), `refused with ${status.join(' or ')}: ${said}`)
  assert.ok(errors.includes(String(answer.json['error'])), `refused with ${errors.join(' or ')}: ${said}`)
  assert.match(answer.headers['cache-control'] ?? '', /no-store/)
  assert.equal(answer.headers.location, undefined, 'nobody is sent anywhere')
  expectNoSpoils(answer)
}

/** At the authorization endpoint: an error page, or back to the client with an error where that is allowed. */
export function expectNotAuthorized(
  suite: Suite,
  answer: Answer,
  { push, errors, isRedirectAllowed }: { push: Push; errors: readonly string[]; isRedirectAllowed: boolean },
): void {
  expectNoSpoils(answer)
  const { location } = answer.headers
  if (location === undefined) {
    expectErrorPage(answer, errors)
    return
  }
  assert.ok(isRedirectAllowed, `no redirect, but ${answer.status} to ${location}`)
  assert.equal(answer.status, 303)
  const parameters = backAtClient(location, expectedOf(suite, push))
  assert.ok(errors.includes(parameters.get('error') ?? ''), `refused with ${errors.join(' or ')}: ${location}`)
  for (const name of SPOILS) assert.equal(parameters.get(name), null, `no ${name} leaks`)
}

function expectErrorPage(answer: Answer, errors: readonly string[]): void {
  const said = `${answer.status} ${answer.text}`
  assert.equal(answer.status, 400, `an error page: ${said}`)
  assert.ok(errors.includes(String(answer.json['error'])), `refused with ${errors.join(' or ')}: ${said}`)
}

export function expectNoSpoils({ json, text }: Answer): void {
  for (const name of SPOILS) assert.equal(json[name], undefined, `no ${name} leaks`)
  assert.doesNotMatch(text, /eyJ[\w-]{8}/, 'no JWT leaks')
}

/** What was refused has left nothing behind. */
export async function expectNothingLodged(suite: Suite, { consentId }: Pick<Push, 'consentId'>): Promise<void> {
  const { status, json } = await suite.bank.consent(consentId)
  assert.deepEqual([status, json['errorCode']], [400, 'Consent.Invalid'], 'no consent was lodged')
}
