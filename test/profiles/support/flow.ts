/** Requests of TPPs by hand, to be changed before they are sent, and the LFI's part of an authorization. */
import { randomBytes, randomUUID } from 'node:crypto'
import type { Answer, Call } from '../../gateway/support/tpp.ts'
import { digest, type Json, jwt, nowSeconds, type Pair, proofFor, signed } from './keys.ts'
import { type Party, type ProfileWorld, REDIRECT_URI } from './world.ts'

const ACCOUNT_ACCESS = 'urn:openfinanceuae:account-access-consent:v2.1'
const ASSERTION_TYPE = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'
const FORM = 'application/x-www-form-urlencoded'
const DAY_MS = 86_400_000
const GRANTED: Json = { psuIdentifiers: { userId: 'user-7' }, accountIds: ['acc-1'] }

export type Sending = {
  readonly certificate?: Call['certificate']
  /** The DPoP header, one or more of them. */
  readonly dpop?: string | readonly string[] | undefined
  readonly signal?: AbortSignal
}
export type Asked = { readonly answer: Answer; readonly nonce: string | undefined }

export function flowOf(world: ProfileWorld) {
  const { issuer, doors } = world

  const assertion = (by: Party, changes: Json = {}): string => {
    const at = nowSeconds()
    const claims = { iss: by.clientId, sub: by.clientId, aud: issuer, iat: at, exp: at + 60, jti: randomUUID() }
    return jwt({ alg: by.signing.alg, kid: by.signing.kid }, { ...claims, ...changes }, by.signing.privateKey)
  }
  const credentials = (by: Party): Record<string, string> => {
    if (by.setting?.authentication === 'tls_client_auth') return { client_id: by.clientId }
    return { client_assertion_type: ASSERTION_TYPE, client_assertion: assertion(by) }
  }
  const post = async (path: string, form: Readonly<Record<string, string>>, how: Sending): Promise<Asked> => {
    const answer = await world.call('as', {
      method: 'POST',
      path,
      certificate: how.certificate ?? null,
      ...(how.signal === undefined ? {} : { signal: how.signal }),
      headers: { 'content-type': FORM, ...(how.dpop === undefined ? {} : { dpop: how.dpop }) },
      body: new URLSearchParams(form).toString(),
    })
    const nonce = answer.headers['dpop-nonce']
    return { answer, nonce: typeof nonce === 'string' ? nonce : undefined }
  }

  /** Parameters of an authorization request, with the verifier that goes with them. */
  const request = (changes: Json = {}) => {
    const verifier = randomBytes(32).toString('base64url')
    const consentId = randomUUID()
    const detail = {
      type: ACCOUNT_ACCESS,
      consent: {
        ConsentId: consentId,
        Permissions: ['ReadAccountsBasic', 'ReadAccountsDetail', 'ReadBalances'],
        ExpirationDateTime: new Date(Date.now() + 30 * DAY_MS).toISOString(),
        OpenFinanceBilling: { UserType: 'Retail', Purpose: 'BudgetingAnalysis' },
      },
    }
    const params: Json = {
      response_type: 'code',
      redirect_uri: REDIRECT_URI,
      scope: 'openid accounts',
      state: randomUUID(),
      nonce: randomUUID(),
      code_challenge: digest(verifier),
      code_challenge_method: 'S256',
      authorization_details: [detail],
      ...changes,
    }
    return { params, verifier, consentId }
  }
  const objectOf = (by: Party, params: Json, pair: Pair = by.signing): string => {
    const at = nowSeconds()
    const parties = { iss: by.clientId, client_id: by.clientId, aud: issuer }
    const times = { iat: at, nbf: at, exp: at + 300 }
    return jwt(
      { alg: pair.alg, kid: pair.kid, typ: 'oauth-authz-req+jwt' },
      { ...parties, ...times, ...params },
      pair.privateKey,
    )
  }
  const plain = (by: Party, params: Json): Record<string, string> => ({
    client_id: by.clientId,
    ...Object.fromEntries(
      Object.entries(params).map(([name, value]) => [name, typeof value === 'string' ? value : JSON.stringify(value)]),
    ),
  })

  const push = (by: Party, params: Json, how: Sending = {}) =>
    post('/par', { ...credentials(by), request: objectOf(by, params) }, how)
  const pushPlain = (by: Party, params: Json, how: Sending = {}) =>
    post('/par', { ...plain(by, params), ...credentials(by) }, how)
  const token = (by: Party, form: Readonly<Record<string, string>>, how: Sending = {}) =>
    post('/token', { ...credentials(by), ...form }, how)

  /** A proof for an endpoint of the authorization server, with a nonce of its own asking. */
  const freshProof = async (by: Party, pair: Pair, path: '/par' | '/token'): Promise<string> => {
    const to = { method: 'POST', url: `${doors.as.origin}${path}` }
    const how: Sending = by.setting?.transportCertificate === 'required' ? { certificate: by.certificate } : {}
    const { nonce } = await post(
      '/token',
      { ...credentials(by), grant_type: 'client_credentials', scope: 'accounts' },
      {
        ...how,
        ...(by.setting?.authentication === 'tls_client_auth' ? { certificate: by.certificate } : {}),
        dpop: signed(proofFor(pair, { ...to, url: `${doors.as.origin}/token` })),
      },
    )
    if (nonce === undefined) throw new Error('no nonce was given')
    return signed(proofFor(pair, { ...to, nonce }))
  }

  const hh = (method: string, path: string) =>
    world.call('hh', {
      method,
      path,
      certificate: world.bank,
      ...(method === 'POST' ? { headers: { 'content-type': FORM } } : {}),
    })

  /** The LFI takes the browser, asks the customer, who is one of `granted`, and sends it back: where to. */
  const agree = async (by: Party, requestUri: string, consentId: string, granted: Json = GRANTED): Promise<URL> => {
    const begun = await hh('GET', `/auth?${new URLSearchParams({ client_id: by.clientId, request_uri: requestUri })}`)
    if (begun.status !== 200) throw new Error(`GET /auth: ${begun.status} ${begun.text}`)
    const { interaction } = begun.json() as { readonly interaction: { readonly interactionId: string } }
    const patched = await world.call('cm', {
      method: 'PATCH',
      path: `/consents/${consentId}`,
      certificate: world.bank,
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({
        status: 'Authorized',
        'consentBody.Data.Status': 'Authorized',
        ...granted,
        authorizationChannel: 'Web',
      }),
    })
    if (patched.status !== 204) throw new Error(`PATCH: ${patched.status} ${patched.text}`)
    return confirmed(await hh('POST', `/auth/${interaction.interactionId}/doConfirm`))
  }
  const confirmed = (answer: Answer): URL => {
    if (answer.status !== 303) throw new Error(`doConfirm: ${answer.status} ${answer.text}`)
    return new URL(String(answer.headers.location))
  }

  return { assertion, credentials, post, request, objectOf, plain, push, pushPlain, token, freshProof, hh, agree }
}

export type Flow = ReturnType<typeof flowOf>
