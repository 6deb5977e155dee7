/**
 * Signed authorization responses (JARM, FAPI 2.0 Message Signing 5.4), for clients that may ask for them. The engine
 * makes them; what the hub itself sends back to a TPP is made here in the same way, with the engine's keys.
 */
import { decodeJwt } from 'jose'
import type { IdToken, Provider } from 'oidc-provider'

/** What `response_mode` asks for one by. */
export const asksForJarm = (mode: unknown): boolean => mode === 'jwt' || mode === 'query.jwt'

/** The parameters of a response as one JWT. */
export async function signResponse(
  provider: Provider,
  clientId: string,
  parameters: Readonly<Record<string, string>>,
): Promise<string> {
  const client = await provider.Client.find(clientId)
  if (client === undefined) throw new Error('a response to a client that does not exist')
  const token = new provider.IdToken({}, { client, ctx: undefined } as never) as IdToken & { extra: object }
  token.extra = { ...parameters }
  return token.issue({ use: 'authorization' } as never)
}

/** The error that an address sends back, whichever way it is told. */
export function errorIn(location: string): string | null {
  const { searchParams } = new URL(location)
  const told = searchParams.get('error') ?? responseIn(location)?.['error']
  return typeof told === 'string' ? told : null
}

/** Claims of the signed response in an address of the hub's own making; null: there is none. */
export function responseIn(location: string): Readonly<Record<string, unknown>> | null {
  const response = new URL(location).searchParams.get('response')
  try {
    return response === null ? null : decodeJwt(response)
  } catch {
    // A parameter of that name is part of what the TPP has registered.
    return null
  }
}
