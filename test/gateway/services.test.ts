/** Every operation for a client, end to end: what the LFI is asked, what the TPP is told, what is recorded. */
import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { keyOf, type ServiceRoute } from '../../src/gateway/routes.ts'
import { SERVICES } from '../../src/gateway/transform/services.ts'
import { sign, verify } from '../../src/jose.ts'
import { complete, mutualAnswers, SERVICE_ROUTES, tppBodies } from '../unit/gateway/service-samples.ts'
import { undeclared } from './support/declared.ts'
import { json } from './support/outside.ts'
import { bodyOf, callService, claimsOfMessage, errorOf, readMessage, type Service } from './support/signed.ts'
import type { Answer, Call } from './support/tpp.ts'
import { createWorld, newSigningKey, type Tpp, type World } from './support/world.ts'

let world: World
beforeAll(async () => {
  world = await createWorld()
})
afterAll(async () => {
  expect(await undeclared(world)).toEqual([])
  await world.close()
})
beforeEach(() => {
  world.lfi.asked.length = 0
})

const IBAN = 'AE070331234567890123456'
const WEBHOOK = { Webhook: { Url: 'https://tpp.example/events', IsActive: true } }

const asOf = (route: ServiceRoute): Service['as'] =>
  SERVICES[route.service].ask === null ? 'none' : route.signedOnly || route.method === 'PATCH' ? 'jwt' : 'json'
const serviceOf = (route: ServiceRoute, id = 'none'): Service => ({
  method: route.method,
  path: `${world.registry.basePath(route.document)}${route.path.replace(/\{\w+\}/, id)}`,
  scope: route.scope,
  as: asOf(route),
})
function bodyFor(route: ServiceRoute): unknown {
  if (SERVICES[route.service].ask === null) return undefined
  const body = complete(tppBodies(route)) as { Data: Record<string, unknown>; Subscription?: unknown }
  if ('Subscription' in body) body.Subscription = WEBHOOK
  if (route.service === 'payee-query')
    Object.assign(body.Data, { Identification: IBAN, Name: { FullName: 'Layla Mansoori' } })
  return body
}
type Body = { readonly Data: Readonly<Record<string, unknown>> }
const OWNERS = {
  data: [{ id: 'cus-1', verifiedClaims: [{ claims: { fullName: 'Layla Al-Mansouri' } }] }],
  meta: {},
}
function lfiBodyFor(route: ServiceRoute): unknown {
  const { data } = SERVICES[route.service].answer
  if (data === 'match') return OWNERS
  if (data === 'none') return undefined
  const body = complete(mutualAnswers(route)) as { data: Record<string, unknown> }
  if (route.kind !== null) body.data[route.kind === 'fx-quote' ? 'FxQuoteId' : 'AccountId'] = randomUUID()
  return body
}
const answering = (route: ServiceRoute): unknown => {
  const body = lfiBodyFor(route)
  world.lfi.answer =
    body === undefined ? (_asked, response) => response.writeHead(204).end() : json(route.lfi.answers, body)
  return body
}

/** A quote or opening of this client. */
async function begun(kind: ServiceRoute['kind'], tpp: Tpp = world.one): Promise<string> {
  const route = SERVICE_ROUTES.find((each) => each.kind === kind && each.follows === 'begin-request')
  if (route === undefined) throw new Error('nothing begins it')
  answering(route)
  const body = { ...(bodyFor(route) as object) } as Record<string, unknown>
  delete body['Subscription']
  const answer = await callService(world, serviceOf(route), body, { tpp })
  expect(answer.status).toBe(201)
  world.lfi.asked.length = 0
  const { Data } = bodyOf(answer) as { Data: Record<string, string> }
  return Data['FxQuoteId'] ?? Data['AccountId'] ?? ''
}
const idFor = (route: ServiceRoute, tpp?: Tpp) => (route.path.includes('{') ? begun(route.kind, tpp) : 'none')

const named = SERVICE_ROUTES.map((route) => [keyOf(route), route] as const)
const withBody = named.filter(([, route]) => SERVICES[route.service].ask !== null)
const takesSigned = (route: ServiceRoute): boolean => asOf(route) === 'jwt' || route.service === 'new-quote'

describe.each(named)('%s', (_name, route) => {
  test('asks the LFI once, with headers of the hub alone, and answers in the TPP’s form', async () => {
    const id = await idFor(route)
    const body = bodyFor(route)
    const lfiBody = answering(route) as { data?: unknown } | undefined
    const answer = await callService(world, serviceOf(route, id), body)

    expect(answer.status).toBe(route.answers)
    expect(answer.headers['cache-control']).toBe('no-store')
    if (route.answers !== 204) {
      expect(world.registry.response(route.document, route.operationId, route.answers)?.(bodyOf(answer))).toEqual([])
      if (lfiBody !== OWNERS) expect(bodyOf(answer)['Data']).toEqual(lfiBody?.data)
    }
    expect(world.lfi.asked).toHaveLength(1)
    const [asked] = world.lfi.asked
    expect(asked?.method).toBe(route.method)
    expect(asked?.url.split('?')[0]).toBe(`/oc${route.lfi.path.replace(/\{\w+\}/, id)}`)
    const query = new URL(asked?.url ?? '', 'https://lfi').searchParams
    expect(Object.fromEntries(query)).toEqual(route.lfi.paged ? { page: '1', 'page-size': '100' } : {})
    const { host: _, connection: __, 'content-length': ___, ...headers } = asked?.headers ?? {}
    expect(headers).toEqual({
      accept: 'application/json',
      traceparent: expect.stringMatching(/^00-[0-9a-f]{32}-[0-9a-f]{16}-00$/),
      'o3-provider-id': 'aurora',
      'o3-caller-org-id': world.one.organisationId,
      'o3-caller-client-id': world.one.clientId,
      'o3-caller-software-statement-id': world.one.softwareStatementId,
      'o3-api-uri': `${world.registry.basePath(route.document)}${route.path}`,
      'o3-api-operation': route.method,
      'o3-ozone-interaction-id': answer.headers['x-fapi-interaction-id'],
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...(route.lfi.sends.includes('o3-aspsp-id') ? { 'o3-aspsp-id': 'aurora' } : {}),
      ...(route.lfi.sends.includes('x-fapi-customer-ip-address') ? { 'x-fapi-customer-ip-address': '192.0.2.7' } : {}),
    })
    if (body !== undefined) {
      const { document, operationId } = route.lfi
      expect(world.registry.requestBody(document, operationId)?.(JSON.parse(asked?.body ?? ''))).toEqual([])
      expect(Object.keys(JSON.parse(asked?.body ?? ''))).toEqual(['data'])
    }
  })

  test('is recorded, without what was in it', async () => {
    const id = await idFor(route)
    answering(route)
    const answer = await callService(world, serviceOf(route, id), bodyFor(route))
    const entries = await world.entries(answer.headers['x-fapi-interaction-id'])
    expect(entries.filter(({ kind }) => kind === 'tpp-call')).toMatchObject([
      {
        operationId: route.operationId,
        status: route.answers,
        clientId: world.one.clientId,
        consentId: null,
        lfiStatus: route.lfi.answers,
      },
    ])
    expect(entries.filter(({ kind }) => kind === 'lfi-call')).toMatchObject([
      { operationId: route.lfi.operationId, route: route.lfi.path, status: route.lfi.answers, outcome: 'answered' },
    ])
    expect(JSON.stringify(entries)).not.toMatch(/192\.0\.2\.7|AE070331234567890123456|Mansoori|Mansouri|sample/)
  })

  describe('is refused, and the LFI not asked', () => {
    const REFUSALS: readonly [string, (service: Service) => Promise<Answer>, number, string | null][] = [
      [
        'without a token',
        (service) => callService(world, service, bodyFor(route), { headers: { authorization: 'Bearer x' } }),
        401,
        null,
      ],
      [
        'without a certificate',
        (service) => callService(world, service, bodyFor(route), { certificate: null }),
        401,
        null,
      ],
      [
        'with the certificate of another',
        (service) => callService(world, service, bodyFor(route), { certificate: world.two.certificate }),
        401,
        null,
      ],
      [
        'with a certificate that was revoked',
        (service) => callService(world, service, bodyFor(route), { certificate: world.one.revoked }),
        401,
        null,
      ],
      [
        'without the scope',
        async (service) =>
          callService(world, service, bodyFor(route), {
            token: await world.clientToken(world.one, { scope: 'openid accounts' }),
          }),
        403,
        'AccessToken.InvalidScope',
      ],
      [
        'with the token of a user',
        async (service) =>
          callService(world, service, bodyFor(route), {
            token: await world.userToken(await world.consentOf({}), { scope: service.scope }),
          }),
        403,
        'AccessToken.InvalidScope',
      ],
      [
        'with an unknown query parameter',
        (service) => callService(world, { ...service, path: `${service.path}?zz=1` }, bodyFor(route)),
        400,
        'Resource.InvalidFormat',
      ],
      [
        'for another media type',
        (service) => callService(world, service, bodyFor(route), { headers: { accept: 'text/html' } }),
        406,
        null,
      ],
    ]
    test.each(REFUSALS)('%s', async (_why, send, status, code) => {
      const id = await idFor(route)
      answering(route)
      const answer = await send(serviceOf(route, id))
      expect(answer.status).toBe(status)
      if (code === null) expect(answer.text).toBe('')
      else expect(errorOf(answer).Code).toBe(code)
      expect(world.lfi.asked).toEqual([])
    })
  })

  test('an answer that breaks the contract is an error, and counted by its place', async () => {
    const id = await idFor(route)
    if (SERVICES[route.service].answer.data === 'none') {
      world.lfi.answer = json(200, 'not even JSON')
    } else world.lfi.answer = json(route.lfi.answers, { data: 'VERY SECRET' })
    const answer = await callService(world, serviceOf(route, id), bodyFor(route))
    expect([answer.status, errorOf(answer).Code]).toEqual([500, 'GenericError'])
    expect(answer.text).not.toContain('SECRET')
    const counted = (await world.deviations.list()).filter(({ operationId }) => operationId === route.lfi.operationId)
    expect(counted.length).toBeGreaterThan(0)
    expect(JSON.stringify(counted)).not.toContain('SECRET')
  })
})

describe.each(withBody)('the body of %s', (_name, route) => {
  const send = async (body: unknown, more: Partial<Call> = {}) =>
    callService(world, serviceOf(route, await idFor(route)), body, more)

  test('must be there', async () => {
    const answer = await callService(world, { ...serviceOf(route, await idFor(route)), as: 'none' }, undefined)
    expect([answer.status, errorOf(answer).Code, errorOf(answer).Path]).toEqual([400, 'Body.InvalidFormat', '$'])
    expect(world.lfi.asked).toEqual([])
  })

  test.each([
    ['an unknown member', (body: Body) => ({ ...body, Extra: 1 }), 'Extra'],
    ['no Data', ({ Data: _, ...body }: Body) => body, 'Data'],
    ['an unknown member of Data', (body: Body) => ({ ...body, Data: { ...body.Data, Extra: 1 } }), 'Data.Extra'],
    ['a list', () => [], '$'],
  ])('is refused with %s', async (_what, change, path) => {
    answering(route)
    const answer = await send(change(bodyFor(route) as Body))
    expect([answer.status, errorOf(answer).Code, errorOf(answer).Path]).toEqual([400, 'Body.InvalidFormat', path])
    expect(world.lfi.asked).toEqual([])
  })
})

describe.each(withBody.filter(([, route]) => takesSigned(route)))('the signed body of %s', (_name, route) => {
  const send = async (body: unknown, more: Partial<Call> = {}) =>
    callService(world, serviceOf(route, await idFor(route)), body, more)
  const signed = async (change: (claims: Record<string, unknown>) => unknown, signing = world.one.signing) =>
    send(undefined, {
      body: await sign(signing, change(claimsOfMessage(world, bodyFor(route))) as object),
      headers: { 'content-type': 'application/jwt' },
    })
  test('is taken', async () => {
    const id = await idFor(route)
    answering(route)
    const answer = await callService(world, { ...serviceOf(route, id), as: 'jwt' }, bodyFor(route))
    expect(answer.status).toBe(route.answers)
  })
  test.each([
    ['by a key of another', () => signed((claims) => claims, world.two.signing), 'JWS.InvalidSignature'],
    [
      'by a new key under the same id',
      () => signed((claims) => claims, newSigningKey(world.one.signing.kid)),
      'JWS.InvalidSignature',
    ],
    [
      'for another receiver',
      () => signed((claims) => ({ ...claims, aud: 'https://elsewhere.example' })),
      'JWS.InvalidClaim',
    ],
    ['by another sender', () => signed((claims) => ({ ...claims, iss: world.two.clientId })), 'JWS.InvalidClaim'],
    ['too long ago', () => signed((claims) => ({ ...claims, nbf: 1_000_000, exp: 1_000_300 })), 'JWS.InvalidClaim'],
    ['without an end', () => signed(({ exp: _, ...claims }) => claims), 'JWS.InvalidClaim'],
    [
      'and is no JWS',
      () => send(undefined, { body: 'a.b', headers: { 'content-type': 'application/jwt' } }),
      'JWS.Malformed',
    ],
    ['and says nothing', () => signed(({ message: _, ...claims }) => claims), 'JWS.InvalidClaim'],
  ])('is refused when it is signed %s', async (_how, act, code) => {
    const answer = await act()
    expect([answer.status, errorOf(answer).Code]).toEqual([400, code])
    expect(world.lfi.asked).toEqual([])
  })
})

describe.each(withBody.filter(([, route]) => asOf(route) === 'jwt'))('the body of %s', (_name, route) => {
  test('is not taken in plain', async () => {
    const answer = await callService(world, { ...serviceOf(route, await idFor(route)), as: 'json' }, bodyFor(route))
    expect([answer.status, answer.text]).toEqual([415, ''])
  })
})

describe('signed answers', () => {
  const of = (service: string) => SERVICE_ROUTES.find((route) => route.service === service) as ServiceRoute

  test.each([
    ['payee-query', (clientId: string): unknown => clientId],
    ['new-account', (clientId: string): unknown => [clientId]],
  ])('%s: the audience is written as its document has it', async (service, audience) => {
    const route = of(service)
    answering(route)
    const answer = await callService(world, serviceOf(route), bodyFor(route))
    expect(answer.headers['content-type']).toBe('application/jwt')
    const { claims } = readMessage(answer)
    expect(claims['aud']).toEqual(audience(world.one.clientId))
    expect(claims['iss']).toBe(world.tenant.listeners.auth.origin)
    expect((await verify(answer.text, () => world.hubJwk)).ok).toBe(true)
    // Closed in the documents.
    expect(Object.keys(claims).sort()).toEqual(['aud', 'exp', 'iat', 'iss', 'message', 'nbf'])
  })

  test('an error of an operation that only signs is signed', async () => {
    const answer = await callService(world, serviceOf(of('payee-query')), { Data: {} })
    expect(answer.headers['content-type']).toBe('application/jwt')
    expect(errorOf(answer).Code).toBe('Body.InvalidFormat')
  })

  test('a quote comes as it is asked for', async () => {
    const route = of('new-quote')
    answering(route)
    const answer = await callService(world, serviceOf(route), bodyFor(route), {
      headers: { accept: 'application/jwt' },
    })
    expect(answer.headers['content-type']).toBe('application/jwt')
  })
})

describe('errors of the LFI', () => {
  const of = (service: string) => SERVICE_ROUTES.find((route) => route.service === service) as ServiceRoute
  test.each([
    ['new-quote', 404, 404, null],
    ['lead', 404, 400, 'Resource.InvalidFormat'],
    ['new-quote', 409, 400, 'GenericError'],
    ['new-account', 401, 500, 'GenericError'],
    ['atms', 503, 500, 'GenericRecoverableError'],
    ['payee-query', 403, 403, 'Consent.AccountTemporarilyBlocked'],
  ])('%s: %i is told as %i %s', async (service, lfiStatus, status, code) => {
    const route = of(service)
    const errorCode = lfiStatus === 403 ? 'Consent.AccountTemporarilyBlocked' : 'GenericError'
    world.lfi.answer = json(lfiStatus, { errorCode, errorMessage: 'no' })
    const answer = await callService(world, serviceOf(route), bodyFor(route))
    expect(answer.status).toBe(status)
    if (code !== null) expect(errorOf(answer).Code).toBe(code)
  })

  test('a POST is not repeated when the connection dies', async () => {
    world.lfi.answer = (_asked, response) => response.destroy()
    const answer = await callService(world, serviceOf(of('lead')), bodyFor(of('lead')))
    expect([answer.status, errorOf(answer).Code]).toEqual([500, 'GenericRecoverableError'])
    expect(world.lfi.asked).toHaveLength(1)
  })
})

describe('products', () => {
  test('are asked for with the filters of the TPP, in pages of the hub', async () => {
    const route = SERVICE_ROUTES.find(({ service }) => service === 'products') as ServiceRoute
    const body = complete(mutualAnswers(route)) as Record<string, unknown>
    world.lfi.answer = json(200, { ...body, meta: { totalPages: 3, totalRecords: 250 } })
    const service = serviceOf(route)
    const path = `${service.path}?ProductCategory=Finance&IsShariaCompliant=true&SortOrder=desc&page=2`
    const answer = await callService(world, { ...service, path }, undefined)
    const query = new URL(world.lfi.asked[0]?.url ?? '', 'https://lfi').searchParams
    expect(Object.fromEntries(query)).toEqual({
      ProductCategory: 'Finance',
      IsShariaCompliant: 'true',
      SortOrder: 'desc',
      page: '2',
      'page-size': '100',
    })
    const here = `${world.tenant.listeners.rs.origin}${service.path}?ProductCategory=Finance&IsShariaCompliant=true&SortOrder=desc`
    expect(bodyOf(answer)).toMatchObject({
      Links: {
        Self: `${here}&page=2`,
        First: `${here}&page=1`,
        Prev: `${here}&page=1`,
        Next: `${here}&page=3`,
        Last: `${here}&page=3`,
      },
      Meta: { TotalPages: 3 },
    })
    expect(answer.text).not.toContain('250')
  })

  test.each([
    ['ProductCategory=Boats', 'ProductCategory'],
    ['SortOrder=up', 'SortOrder'],
    ['LastUpdatedDateTime=yesterday', 'LastUpdatedDateTime'],
    ['page=0', 'page'],
  ])('%s is refused', async (query, path) => {
    const service = serviceOf(SERVICE_ROUTES.find((route) => route.service === 'products') as ServiceRoute)
    const answer = await callService(world, { ...service, path: `${service.path}?${query}` }, undefined)
    expect([answer.status, errorOf(answer).Code, errorOf(answer).Path]).toEqual([400, 'Resource.InvalidFormat', path])
  })

  test.each(['products', 'lead'])('%s: the address of the customer is required', async (name) => {
    const route = SERVICE_ROUTES.find(({ service }) => service === name) as ServiceRoute
    for (const ip of ['', 'home']) {
      const answer = await callService(world, serviceOf(route), bodyFor(route), {
        headers: { 'x-fapi-customer-ip-address': ip },
      })
      expect([answer.status, errorOf(answer).Code]).toEqual([400, 'Resource.InvalidFormat'])
    }
  })
})
