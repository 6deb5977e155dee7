/** The LFI's server at the hub's two inner doors: headless authorization and consent manager. */
import { randomUUID } from 'node:crypto'
import { compact, type Json, type Jws, privateKeyIn } from './jws.ts'
import { now } from './tpp.ts'
import { type Answer, type Call, createWire, type Identity, type Wire } from './wire.ts'

export type BankSettings = {
  readonly organisation: string
  readonly organisationId: string
  readonly client: Identity
  readonly signing: { readonly kid: string; readonly keyFile: string }
  /** Who agrees, as the bank knows the person. */
  readonly user: { readonly userId: string; readonly accountIds: readonly string[] }
  /** The hub's configured PROVIDER_ID. */
  readonly audience: string
  readonly hh: string
  readonly cm: string
}
export type Outcome = { readonly status: number; readonly query: URLSearchParams; readonly location: string }

export type Bank = {
  readonly hh: string
  readonly wire: Wire
  /** JWT Auth (lfi-api 4.3), to be changed before it is signed. */
  auth(): Jws
  /** With `authorization` null nothing is sent in that header. */
  call(url: string, call?: Call & { readonly authorization?: string | null; readonly wire?: Wire }): Promise<Answer>
  getAuth(query: Readonly<Record<string, string>> | string): Promise<Answer>
  /** GET /auth that must succeed. */
  begin(clientId: string, requestUri: string): Promise<string>
  doConfirm(interactionId: string, form?: Readonly<Record<string, string>>): Promise<Answer>
  doFail(interactionId: string, form?: Readonly<Record<string, string>>): Promise<Answer>
  consent(consentId: string): Promise<Answer>
  patch(consentId: string, status: string): Promise<Answer>
  authorize(consentId: string): Promise<void>
  revoke(consentId: string): Promise<Answer>
}

export function createBank(settings: BankSettings, caFile: string): Bank {
  const wire = createWire(caFile, settings.client)
  const key = privateKeyIn(settings.signing.keyFile)
  const { hh, cm } = settings

  const auth = (): Jws => {
    const at = now()
    return {
      header: { alg: 'PS256', kid: settings.signing.kid, typ: 'JOSE', cty: 'json' },
      claims: {
        iss: settings.organisation,
        sub: settings.organisationId,
        aud: settings.audience,
        iat: at,
        exp: at + 30,
        jti: randomUUID(),
      },
      key,
    }
  }
  const call: Bank['call'] = (url, { authorization, wire: over = wire, headers, ...rest } = {}) => {
    const bearer = authorization === undefined ? `Bearer ${compact(auth())}` : authorization
    return over.send(url, { ...rest, headers: { ...headers, ...(bearer === null ? {} : { authorization: bearer }) } })
  }
  const form = (fields: Readonly<Record<string, string>>) => ({
    method: 'POST',
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: new URLSearchParams(fields).toString(),
  })
  const json = (method: string, body: Json) => ({
    method,
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })
  const getAuth: Bank['getAuth'] = (query) =>
    call(`${hh}/auth?${typeof query === 'string' ? query : new URLSearchParams(query).toString()}`)
  const patch: Bank['patch'] = (consentId, status) =>
    call(
      `${cm}/consents/${consentId}`,
      json('PATCH', {
        status,
        'consentBody.Data.Status': status,
        authorizationChannel: 'Web',
        ...(status === 'Authorized'
          ? { psuIdentifiers: { userId: settings.user.userId }, accountIds: settings.user.accountIds }
          : {}),
      }),
    )

  return {
    hh,
    wire,
    auth,
    call,
    getAuth,
    begin: async (clientId, requestUri) => {
      const answer = await getAuth({ client_id: clientId, request_uri: requestUri })
      if (answer.status !== 200) throw new Error(`GET /auth: ${answer.status} ${answer.text}`)
      return String((answer.json['interaction'] as Json)['interactionId'])
    },
    doConfirm: (id, fields = {}) => call(`${hh}/auth/${id}/doConfirm`, form(fields)),
    doFail: (id, fields = {}) => call(`${hh}/auth/${id}/doFail`, form(fields)),
    consent: (consentId) => call(`${cm}/consents/${consentId}`),
    patch,
    authorize: async (consentId) => {
      const answer = await patch(consentId, 'Authorized')
      if (answer.status !== 204) throw new Error(`PATCH of the consent: ${answer.status} ${answer.text}`)
    },
    revoke: (consentId) =>
      call(`${cm}/consents/${consentId}/action/revoke`, json('POST', { revokedBy: 'LFI.InitiatedByUser' })),
  }
}

/** Where a 303 leads, and with what. */
export function outcomeOf(answer: Answer): Outcome {
  const location = answer.headers.location ?? ''
  return {
    status: answer.status,
    query: URL.canParse(location) ? new URL(location).searchParams : new URLSearchParams(),
    location,
  }
}
