/** A TPP that can be wrong in exactly one way at a time. Written from the contract; it shares no code with the hub. */
import { createHash, randomBytes, randomUUID } from 'node:crypto'
import type { ManifestClient } from '../../../sandbox/manifest.ts'
import { compact, type Json, type Jws, privateKeyIn } from './jws.ts'
import { type Answer, createWire, type Wire } from './wire.ts'

export const ACCOUNT_ACCESS = 'urn:openfinanceuae:account-access-consent:v2.1'
export const ASSERTION_TYPE = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'
export const FORM = 'application/x-www-form-urlencoded'

export type Server = {
  readonly issuer: string
  readonly par: string
  readonly token: string
  readonly rs: string
  readonly registration: string
}

/** A request not yet sent. Everything in it may be changed; what is a Jws is signed when it is sent. */
export type Draft = {
  wire: Wire
  method: string
  url: string
  headers: Record<string, string>
  assertion: Jws
  form: [name: string, value: string | Jws][]
  /** Sent instead of the form. */
  body?: string
}
export type Push = Draft & {
  request: Jws
  readonly consentId: string
  readonly verifier: string
  readonly state: string
}

export type Tpp = {
  readonly clientId: string
  readonly client: ManifestClient
  readonly redirectUri: string
  readonly key: Jws['key']
  readonly kid: string
  readonly wire: Wire
  /** POST with a fresh client assertion and this form. */
  post(url: string, form: Readonly<Record<string, string>>): Draft
  push(): Push
  exchange(code: string, verifier: string): Draft
  refresh(refreshToken: string): Draft
  clientCredentials(scope: string): Draft
  read(accessToken: string, path?: string): Promise<Answer>
  register(): Promise<Answer>
}

export const now = (): number => Math.floor(Date.now() / 1000)
const PERMISSIONS = ['ReadAccountsBasic', 'ReadAccountsDetail', 'ReadBalances', 'ReadTransactionsBasic']
const DAY_MS = 86_400_000
const RESOURCES = '/open-finance/account-information/v2.1'

export function createTpp(client: ManifestClient, server: Server, caFile: string): Tpp {
  const { clientId, signing } = client
  const key = privateKeyIn(signing.keyFile)
  const wire = createWire(caFile, client.transport)
  const redirectUri = client.redirectUris[0] ?? ''
  const signedBy = (claims: Json): Jws => ({ header: { alg: 'PS256', kid: signing.kid }, claims, key })

  const post = (url: string, form: Readonly<Record<string, string>>): Draft => {
    const at = now()
    const assertion = signedBy({
      iss: clientId,
      sub: clientId,
      aud: server.issuer,
      iat: at,
      exp: at + 60,
      jti: randomUUID(),
    })
    return {
      wire,
      method: 'POST',
      url,
      headers: { 'content-type': FORM },
      assertion,
      form: [['client_assertion_type', ASSERTION_TYPE], ['client_assertion', assertion], ...Object.entries(form)],
    }
  }

  const push = (): Push => {
    const at = now()
    const [consentId, state, verifier] = [randomUUID(), randomUUID(), randomBytes(32).toString('base64url')]
    const request = signedBy({
      iss: clientId,
      aud: server.issuer,
      iat: at,
      nbf: at,
      exp: at + 300,
      client_id: clientId,
      response_type: 'code',
      redirect_uri: redirectUri,
      scope: 'openid accounts',
      state,
      nonce: randomUUID(),
      code_challenge: createHash('sha256').update(verifier).digest('base64url'),
      code_challenge_method: 'S256',
      authorization_details: [detailFor(consentId)],
    })
    const draft = post(server.par, {})
    return { ...draft, form: [...draft.form, ['request', request]], request, consentId, verifier, state }
  }

  return {
    clientId,
    client,
    redirectUri,
    key,
    kid: signing.kid,
    wire,
    post,
    push,
    exchange: (code, verifier) =>
      post(server.token, {
        grant_type: 'authorization_code',
        code,
        redirect_uri: redirectUri,
        code_verifier: verifier,
      }),
    refresh: (refreshToken) => post(server.token, { grant_type: 'refresh_token', refresh_token: refreshToken }),
    clientCredentials: (scope) => post(server.token, { grant_type: 'client_credentials', scope }),
    read: (accessToken, path = '/accounts') =>
      wire.send(`${server.rs}${RESOURCES}${path}`, {
        headers: {
          authorization: `Bearer ${accessToken}`,
          accept: 'application/json',
          'x-fapi-interaction-id': randomUUID(),
        },
      }),
    register: () => wire.send(server.registration, { method: 'POST' }),
  }
}

const detailFor = (consentId: string): Json => ({
  type: ACCOUNT_ACCESS,
  consent: {
    ConsentId: consentId,
    Permissions: PERMISSIONS,
    ExpirationDateTime: new Date(Date.now() + 30 * DAY_MS).toISOString(),
    OpenFinanceBilling: { UserType: 'Retail', Purpose: 'BudgetingAnalysis' },
  },
})

export function send(draft: Draft): Promise<Answer> {
  const signed = draft.form.map(([name, value]): [string, string] => [
    name,
    typeof value === 'string' ? value : compact(value),
  ])
  const body = draft.body ?? new URLSearchParams(signed).toString()
  return draft.wire.send(draft.url, {
    method: draft.method,
    headers: draft.headers,
    ...(draft.method === 'GET' ? {} : { body }),
  })
}

/** The one element of authorization_details; what a corruption reaches into. */
export function detailOf(push: Push): Json & { consent: Json } {
  const [detail] = push.request.claims['authorization_details'] as readonly (Json & { consent: Json })[]
  if (detail === undefined) throw new Error('the push has no authorization_details')
  return detail
}

export const setField = (draft: Draft, name: string, value: string | Jws | null): void => {
  draft.form = draft.form.filter(([each]) => each !== name)
  if (value !== null) draft.form.push([name, value])
}
