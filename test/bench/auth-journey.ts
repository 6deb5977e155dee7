/** One authorization, step by step, as its two callers make it: the TPP at `as`, the bank's server at `hh` and `cm`. */
import { readFileSync } from 'node:fs'
import { Pool } from 'undici'
import type { Asked, LfiParty, TppParty } from './auth-signed.ts'

export type Certificate = { readonly cert: string; readonly key: string }
export type Target = {
  readonly issuer: string
  readonly as: string
  readonly hh: string
  /** Where the bank says what its customer agreed to; null where no consent is kept. */
  readonly cm: string | null
  readonly ca: string
  readonly tpp: TppParty & { readonly transport: Certificate }
  readonly lfi: {
    readonly transport: Certificate
    /** null: mutual TLS alone. */
    readonly jwtAuth: LfiParty | null
  }
}
export type Journey = {
  par(asked: Asked): Promise<string>
  begin(requestUri: string, jwt: string | null): Promise<string>
  authorize(consentId: string, jwt: string | null): Promise<void>
  /** The code. */
  confirm(interactionId: string, jwt: string | null): Promise<string>
  token(body: string): Promise<Readonly<Record<string, unknown>>>
  close(): Promise<void>
}

type Answer = { readonly status: number; readonly location: string; readonly text: string }
type Call = { readonly method: 'GET' | 'POST' | 'PATCH'; readonly type?: string; readonly body?: string }

const FORM = 'application/x-www-form-urlencoded'

export function openJourney(target: Target, connections: number): Journey {
  const pools: Pool[] = []
  const caller = (origin: string, { cert, key }: Certificate) => {
    const connect = { ca: readFileSync(target.ca), cert: readFileSync(cert), key: readFileSync(key) }
    const pool = new Pool(origin, { connections, pipelining: 1, connect })
    pools.push(pool)
    return async (path: string, expected: number, { method, type, body }: Call, jwt: string | null = null) => {
      const headers = {
        ...(type === undefined ? {} : { 'content-type': type }),
        ...(jwt === null ? {} : { authorization: `Bearer ${jwt}` }),
      }
      const response = await pool.request({ method, path, headers, body: body ?? null })
      const text = await response.body.text()
      if (response.statusCode !== expected) throw new Error(`${method} ${path}: ${response.statusCode} ${text}`)
      return { status: response.statusCode, location: String(response.headers['location']), text } satisfies Answer
    }
  }
  const as = caller(target.as, target.tpp.transport)
  const hh = caller(target.hh, target.lfi.transport)
  const cm = target.cm === null ? null : caller(target.cm, target.lfi.transport)
  const json = ({ text }: Answer) => JSON.parse(text) as Readonly<Record<string, unknown>>
  return {
    par: async ({ body }) => String(json(await as('/par', 201, { method: 'POST', type: FORM, body }))['request_uri']),
    begin: async (requestUri, jwt) => {
      const query = new URLSearchParams({ client_id: target.tpp.clientId, request_uri: requestUri })
      const begun = json(await hh(`/auth?${query}`, 200, { method: 'GET' }, jwt))
      return (begun['interaction'] as { readonly interactionId: string }).interactionId
    },
    authorize: async (consentId, jwt) => {
      const body = JSON.stringify({
        status: 'Authorized',
        'consentBody.Data.Status': 'Authorized',
        psuIdentifiers: { userId: 'bench' },
        accountIds: ['acc-0001', 'acc-0002'],
        authorizationChannel: 'Web',
      })
      await cm?.(`/consents/${consentId}`, 204, { method: 'PATCH', type: 'application/json', body }, jwt)
    },
    confirm: async (interactionId, jwt) => {
      const call: Call = { method: 'POST', type: FORM, body: '' }
      const { location } = await hh(`/auth/${interactionId}/doConfirm`, 303, call, jwt)
      const code = new URL(location).searchParams.get('code')
      if (code === null) throw new Error(`doConfirm led to ${location}`)
      return code
    },
    token: async (body) => json(await as('/token', 200, { method: 'POST', type: FORM, body })),
    close: async () => {
      await Promise.all(pools.map((pool) => pool.close()))
    },
  }
}
