/** Participants as the engine gets to see them. */
import { randomUUID } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { clientFault, findClient, toMetadata } from '../../../src/auth-server/clients.ts'
import type { Client, Participants } from '../../../src/participants/index.ts'

const clientId = randomUUID()
const rsa = (kid: string, more: object = {}) => ({ kty: 'RSA', n: 'AQAB', e: 'AQAB', kid, use: 'sig', ...more })
const client = (more: object = {}): Client =>
  ({
    clientId,
    clientName: 'Wadi Budget',
    status: 'active',
    redirectUris: ['https://tpp.example/callback'],
    scopes: ['openid', 'accounts', 'payments', 'unserved'],
    rarTypes: ['urn:openfinanceuae:account-access-consent:v2.1', 'urn:openfinanceuae:service-initiation-consent:v2.1'],
    jwks: { keys: [rsa('old')] },
    ...more,
  }) as unknown as Client

/** Counts how often the directory is asked again. */
function participants(known: Client | null, renewed: Client | null = known) {
  const asked = { times: 0 }
  const room = {
    client: async () => known,
    refresh: async () => {
      asked.times += 1
      return renewed
    },
  } as unknown as Participants
  return { room, asked }
}
const kidsOf = (found: unknown) => (found as { jwks: { keys: { kid: string }[] } }).jwks.keys.map(({ kid }) => kid)

describe('a client of the engine', () => {
  test('is bound to its certificate, signs with PS256 and has what is served, no more', () => {
    expect(toMetadata(client())).toMatchObject({
      tls_client_certificate_bound_access_tokens: true,
      token_endpoint_auth_method: 'private_key_jwt',
      token_endpoint_auth_signing_alg: 'PS256',
      request_object_signing_alg: 'PS256',
      id_token_signed_response_alg: 'PS256',
      scope: 'openid accounts payments',
      authorization_details_types: [
        'urn:openfinanceuae:account-access-consent:v2.1',
        'urn:openfinanceuae:service-initiation-consent:v2.1',
      ],
    })
  })

  test('has its RSA signing keys, in their public half', () => {
    const keys = [
      rsa('sig', { d: 'secret', p: 'secret', x5u: 'https://x' }),
      rsa('enc', { use: 'enc' }),
      { kty: 'EC', kid: 'ec' },
    ]
    expect(toMetadata(client({ jwks: { keys } }))['jwks']).toEqual({
      keys: [{ kty: 'RSA', n: 'AQAB', e: 'AQAB', kid: 'sig', use: 'sig', alg: 'PS256' }],
    })
  })

  test.each(['inactive', 'blocked'])('is none while it is %s', async (status) => {
    const { room, asked } = participants(client({ status }))
    expect(await findClient(room, () => ['new'])(clientId)).toBeUndefined()
    expect(asked.times).toBe(0)
    expect(await clientFault(room, clientId)).toMatch(status === 'inactive' ? /activation/ : /blocked/)
  })

  test('is none when it never registered, or its id is no id', async () => {
    const { room } = participants(null)
    expect(await findClient(room, () => [])(clientId)).toBeUndefined()
    expect(await findClient(participants(client()).room, () => [])('x')).toBeUndefined()
    expect(await clientFault(room, clientId)).toMatch(/not registered/)
    expect(await clientFault(participants(client()).room, clientId)).toBeNull()
  })
})

describe('a new key of a client', () => {
  test('is looked for when a request names it, and only then', async () => {
    const { room, asked } = participants(client(), client({ jwks: { keys: [rsa('old'), rsa('new')] } }))
    expect(kidsOf(await findClient(room, () => ['old'])(clientId))).toEqual(['old'])
    expect(kidsOf(await findClient(room, () => [])(clientId))).toEqual(['old'])
    expect(asked.times).toBe(0)
    expect(kidsOf(await findClient(room, () => ['old', 'new'])(clientId))).toEqual(['old', 'new'])
    expect(asked.times).toBe(1)
  })

  test('does not help a client that the directory has dropped meanwhile', async () => {
    const { room } = participants(client(), client({ status: 'blocked' }))
    expect(await findClient(room, () => ['new'])(clientId)).toBeUndefined()
  })
})
