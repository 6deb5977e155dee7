import { randomUUID } from 'node:crypto'
import { sign } from '../../../src/jose.ts'
import type { Answer, Call } from './tpp.ts'
import type { Tpp, World } from './world.ts'

const seconds = (): number => Math.floor(Date.now() / 1000)

/** The claims of a TPP's signed message, as the documents want them. */
export const claimsOfMessage = (world: World, message: unknown, tpp: Tpp = world.one): Record<string, unknown> => ({
  iss: tpp.clientId,
  aud: world.tenant.listeners.auth.origin,
  nbf: seconds(),
  exp: seconds() + 300,
  iat: seconds(),
  jti: randomUUID(),
  message,
})

export const signMessage = (world: World, message: unknown, tpp: Tpp = world.one): Promise<string> =>
  sign(tpp.signing, claimsOfMessage(world, message, tpp))

/** What a JWS says, without a look at its signature. */
export function readMessage(answer: Answer): {
  readonly header: Record<string, unknown>
  readonly claims: Record<string, unknown> & { readonly message: Record<string, unknown> }
} {
  const [header = '', payload = ''] = answer.text.split('.')
  const read = (part: string): unknown => JSON.parse(Buffer.from(part, 'base64url').toString())
  return {
    header: read(header) as Record<string, unknown>,
    claims: read(payload) as Record<string, unknown> & { readonly message: Record<string, unknown> },
  }
}

/** The body of an answer, signed or not. */
export const bodyOf = (answer: Answer): Record<string, unknown> =>
  String(answer.headers['content-type']).startsWith('application/jwt')
    ? readMessage(answer).claims.message
    : (answer.json() as Record<string, unknown>)

/** First error of an answer, signed or not. */
export const errorOf = (answer: Answer): { readonly Code: string; readonly Path?: string; readonly Message: string } =>
  ((bodyOf(answer)['Errors'] as unknown[])[0] ?? {}) as never

export type Service = {
  readonly method: string
  readonly path: string
  readonly scope: string
  /** Content type of the body. */
  readonly as: 'jwt' | 'json' | 'none'
}

/** One call of a client with a token of its own. */
export async function callService(
  world: World,
  service: Service,
  body: unknown,
  more: Partial<Call> & { readonly token?: string; readonly tpp?: Tpp } = {},
): Promise<Answer> {
  const { token, tpp = world.one, ...call } = more
  const bearer = token ?? (await world.clientToken(tpp, { scope: service.scope }))
  const written =
    service.as === 'none'
      ? undefined
      : service.as === 'json'
        ? JSON.stringify(body)
        : await signMessage(world, body, tpp)
  return world.call({
    method: service.method,
    path: service.path,
    certificate: tpp.certificate,
    ...(written === undefined ? {} : { body: written }),
    ...call,
    headers: {
      authorization: `Bearer ${bearer}`,
      'x-fapi-customer-ip-address': '192.0.2.7',
      ...(service.as === 'none' ? {} : { 'content-type': `application/${service.as}` }),
      ...call.headers,
    },
  })
}
