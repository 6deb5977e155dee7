/** Resource calls: the headers of tpp-api 6, answers in JSON or signed, refusals with their code and interaction id. */
import { LfiFault, untrusted } from './errors.ts'
import type { AnswerVerifier } from './signed-answer.ts'
import { INTERACTION_HEADER, type Transport } from './transport.ts'

/** Sent only while the person is in front of the screen; its absence marks a background call. */
export type CustomerPresent = { readonly ipAddress: string; readonly userAgent: string; readonly since: Date }

export type ResourceRequest = {
  readonly method?: 'GET' | 'PATCH' | 'POST'
  readonly accessToken: string
  readonly signed?: boolean
  readonly customer?: CustomerPresent | undefined
  readonly body?: unknown
  /** A signed message instead of a plain body. */
  readonly jws?: string
  readonly idempotencyKey?: string
  readonly interactionId?: string
}
export type ResourceAnswer = {
  readonly status: number
  /** Parsed JSON, or the verified message of a signed answer; null when there was no body. */
  readonly body: unknown
  readonly interactionId: string | null
  readonly signedBy: string | null
}
export type Resources = { call(url: string, request: ResourceRequest): Promise<ResourceAnswer> }

export function createResources(transport: Transport, verify: AnswerVerifier): Resources {
  return {
    call: async (url, request) => {
      const response = await transport.fetch(url, {
        method: request.method ?? 'GET',
        headers: headersOf(request),
        ...bodyOf(request),
      })
      const interactionId = response.headers.get(INTERACTION_HEADER)
      const read = await readBody(response, verify)
      if (response.status < 200 || response.status > 299) throw refusal(response, read.body, interactionId)
      if (request.signed === true && read.signedBy === null && response.status !== 204) {
        throw untrusted('a signed answer was asked for and an unsigned one came')
      }
      return { status: response.status, body: read.body, interactionId, signedBy: read.signedBy }
    },
  }
}

function bodyOf({ body, jws }: ResourceRequest): { readonly body?: string } {
  if (jws !== undefined) return { body: jws }
  return body === undefined ? {} : { body: JSON.stringify(body) }
}

function headersOf(request: ResourceRequest): Record<string, string> {
  const headers: Record<string, string> = {
    authorization: `Bearer ${request.accessToken}`,
    accept: request.signed === true ? 'application/jwt' : 'application/json',
  }
  if (request.interactionId !== undefined) headers[INTERACTION_HEADER] = request.interactionId
  if (request.body !== undefined) headers['content-type'] = 'application/json; charset=utf-8'
  if (request.jws !== undefined) headers['content-type'] = 'application/jwt'
  if (request.idempotencyKey !== undefined) headers['x-idempotency-key'] = request.idempotencyKey
  if (request.customer !== undefined) {
    headers['x-fapi-customer-ip-address'] = request.customer.ipAddress
    headers['x-customer-user-agent'] = request.customer.userAgent
    headers['x-fapi-auth-date'] = request.customer.since.toUTCString()
  }
  return headers
}

type ReadBody = { readonly body: unknown; readonly signedBy: string | null }
async function readBody(response: Response, verify: AnswerVerifier): Promise<ReadBody> {
  const text = await response.text()
  if (text === '') return { body: null, signedBy: null }
  const type = (response.headers.get('content-type') ?? '').split(';')[0]?.trim().toLowerCase()
  if (type === 'application/jwt') {
    const { message, kid } = await verify(text)
    return { body: message, signedBy: kid }
  }
  if (type !== 'application/json') throw untrusted(`an answer of type ${type === '' ? '(none)' : type}`)
  try {
    return { body: JSON.parse(text), signedBy: null }
  } catch (error) {
    throw untrusted('an answer that says it is JSON and is not', error)
  }
}

/** tpp-api 7: `{ Errors: [{ Code, Message }] }`, or no body at all for 401, 404, 405, 406, 415 and 429. */
function refusal(response: Response, body: unknown, interactionId: string | null): LfiFault {
  const errors = (body as { readonly Errors?: unknown } | null)?.Errors
  const first: unknown = Array.isArray(errors) ? errors[0] : undefined
  const { Code: code, Message: message } = (first ?? {}) as { readonly Code?: unknown; readonly Message?: unknown }
  return new LfiFault('resource', typeof message === 'string' ? message : withoutBody(response), {
    status: response.status,
    code: typeof code === 'string' ? code : undefined,
    interactionId,
  })
}

function withoutBody({ status, headers }: Response): string {
  if (status === 401) return 'the access token, or the certificate with it, was not accepted'
  if (status === 429) return `too many requests; try again in ${headers.get('retry-after') ?? 'some'} seconds`
  return `the hub answered ${status}`
}
