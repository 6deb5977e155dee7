/** Webhooks to TPPs, from the change to the receiver, over real TLS. */
import { generateKeyPairSync, hash } from 'node:crypto'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { createAuditReader } from '../../src/audit/index.ts'
import type { CorrelationId } from '../../src/ids.ts'
import { silence, status } from './support/receiver.ts'
import { createRig, type Options, type Rig } from './support/rig.ts'

let rig: Rig
/** Of all tests that need no other. */
let shared: Rig
beforeAll(async () => {
  shared = await createRig()
})
afterAll(() => shared.close())
const end = () => (rig === shared ? rig.rest() : rig.close())
const begin = async (options: Options = {}) => {
  await end()
  rig = await createRig(options)
}
beforeEach(() => {
  rig = shared
})
afterEach(end)

const MINUTE_MS = 60_000
const outcomes = async () => (await rig.settled('tpp-webhook')).map(({ state, outcome }) => [state, outcome])

describe('an event', () => {
  test('is signed by the hub, encrypted to the TPP, and says what the consent was at the change', async () => {
    rig.work()
    const id = await rig.subscribed()
    await rig.authorize(id)
    const [received] = await rig.tpp.receiver.until(1)
    expect(received).toMatchObject({
      method: 'POST',
      path: '/events',
      headers: {
        'content-type': 'application/jwe',
        'x-fapi-interaction-id': expect.stringMatching(/^[0-9a-f]{8}-[0-9a-f-]{27}$/),
      },
    })
    const { header, jwsHeader, claims } = await rig.open(rig.tpp, received?.body ?? '')
    expect(header).toEqual({ alg: 'RSA-OAEP-256', enc: 'A256GCM', cty: 'JWT', kid: 'tpp-enc' })
    expect(jwsHeader).toMatchObject({ alg: 'PS256', kid: rig.hubJwk.kid })
    const now = Math.floor(rig.clock.now() / 1000)
    expect(claims).toEqual({
      iss: 'https://auth.aurora.example',
      aud: [rig.tpp.clientId],
      iat: expect.any(Number),
      nbf: expect.any(Number),
      exp: expect.any(Number),
      jti: (await rig.rows('tpp-webhook'))[0]?.event_id,
      message: {
        Data: {
          ConsentId: id,
          Permissions: ['ReadAccountsBasic', 'ReadBalances'],
          ExpirationDateTime: expect.any(String),
          OpenFinanceBilling: { UserType: 'Retail', Purpose: 'AccountAggregation' },
          Status: 'Authorized',
          CreationDateTime: expect.any(String),
          StatusUpdateDateTime: expect.any(String),
        },
        Meta: {
          EventDateTime: (await rig.rows('tpp-webhook'))[0]?.at.toISOString(),
          EventResource: `https://rs.aurora.example/open-finance/account-information/v2.1/account-access-consents/${id}`,
          EventType: 'Resource.Updated',
          ConsentId: id,
        },
      },
    })
    expect(Number(claims['exp']) - Number(claims['nbf'])).toBe(300)
    expect(Math.abs(Number(claims['nbf']) - now)).toBeLessThan(30)
    // Nothing of what the LFI knows of the user is in it.
    expect(JSON.stringify(claims)).not.toContain('user-7')
    expect(await outcomes()).toEqual([['delivered', 'answered 202']])
  })

  test('is on record attempt by attempt: what was sent, what came of it, and what led to it', async () => {
    rig.tpp.receiver.answer = status(503)
    const id = await rig.subscribed()
    await rig.authorize(id)
    rig.work()
    await rig.tried(1)
    rig.tpp.receiver.answer = status(204)
    rig.advance(60 * MINUTE_MS)
    await rig.settled('tpp-webhook')
    const [notice] = await rig.rows('tpp-webhook')
    const { received } = rig.tpp.receiver
    expect(received).toHaveLength(2)
    const reader = createAuditReader({ db: rig.db })
    for (const [at, { headers, body }] of received.entries()) {
      const entries = await reader.findByInteraction(headers['x-fapi-interaction-id'] as CorrelationId)
      expect(entries.map(({ entry }) => entry)).toMatchObject([
        {
          ...{ kind: 'webhook-call', clientId: rig.tpp.clientId, consentId: id, resource: 'consent' },
          ...{ eventId: notice?.event_id, attempt: at + 1, outcome: 'answered', status: at === 0 ? 503 : 204 },
          requestDigest: hash('sha256', body, 'base64'),
          parentInteractionId: notice?.interaction_id,
        },
      ])
    }
  })

  test.each([200, 202, 204])('is acknowledged by %i', async (code) => {
    rig.tpp.receiver.answer = status(code)
    rig.work()
    await rig.authorize(await rig.subscribed())
    expect(await outcomes()).toEqual([['delivered', `answered ${code}`]])
    expect(rig.tpp.receiver.received).toHaveLength(1)
  })

  test('comes for changes of status alone, and for each of them in its order', async () => {
    const id = await rig.subscribed()
    await rig.authorize(id)
    await rig.suspend(id)
    await rig.resume(id)
    await rig.revoke(id)
    rig.work()
    expect(await outcomes()).toEqual(Array.from({ length: 4 }, () => ['delivered', 'answered 202']))
    const said = await Promise.all(rig.tpp.receiver.received.map(({ body }) => rig.open(rig.tpp, body)))
    expect(said.map(({ claims }) => claims.message.Data['Status'])).toEqual([
      'Authorized',
      'Suspended',
      'Authorized',
      'Revoked',
    ])
    expect(said.at(-1)?.claims.message.Data['RevokedBy']).toBe('LFI.InitiatedByUser')
    expect(new Set(said.map(({ claims }) => claims.jti)).size).toBe(4)
  })

  test('cannot be read by anybody else, nor changed on its way', async () => {
    rig.work()
    await rig.authorize(await rig.subscribed())
    const [received] = await rig.tpp.receiver.until(1)
    const body = received?.body ?? ''
    const other = { ...rig.tpp, decryption: generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey }
    await expect(rig.open(other, body)).rejects.toThrow()
    const parts = body.split('.')
    for (const [index, part] of parts.entries()) {
      const flipped = `${part.slice(0, 4)}${part[4] === 'A' ? 'B' : 'A'}${part.slice(5)}`
      await expect(rig.open(rig.tpp, parts.with(index, flipped).join('.'))).rejects.toThrow()
    }
    await expect(rig.open(rig.tpp, body)).resolves.toBeDefined()
  })
})

describe('a receiver that does not take it', () => {
  test.each([
    ['429', 429],
    ['408', 408],
    ['500', 500],
    ['503', 503],
  ])('%s: is tried again, later each time, and then no more', async (_name, code) => {
    rig.tpp.receiver.answer = status(code)
    rig.work()
    await rig.authorize(await rig.subscribed())
    const delays: number[] = []
    for (const attempt of [1, 2, 3]) {
      const row = await rig.tried(attempt)
      expect([row.state, row.attempts, row.outcome]).toEqual(['waiting', attempt, `answered ${code}`])
      delays.push(Math.round(((row.due_at?.getTime() ?? 0) - rig.clock.now()) / MINUTE_MS))
      rig.advance((row.due_at?.getTime() ?? 0) - rig.clock.now())
    }
    expect(delays).toEqual([1, 2, 4])
    expect(await outcomes()).toEqual([['dead', `answered ${code}`]])
    expect(rig.tpp.receiver.received).toHaveLength(4)
    const said = await Promise.all(rig.tpp.receiver.received.map(({ body }) => rig.open(rig.tpp, body)))
    // The same event each time, signed anew, under an interaction id of its own.
    expect(new Set(said.map(({ claims }) => claims.jti)).size).toBe(1)
    expect(new Set(said.map(({ claims }) => JSON.stringify(claims.message))).size).toBe(1)
    expect(new Set(rig.tpp.receiver.received.map(({ headers }) => headers['x-fapi-interaction-id'])).size).toBe(4)
  })

  test.each([400, 401, 403, 404, 405, 406, 415, 301, 302, 307, 308])('%i: is final', async (code) => {
    // Somebody who follows would come back to the same receiver.
    rig.tpp.receiver.answer = status(code, { location: `${rig.tpp.receiver.origin}/elsewhere` })
    rig.work()
    await rig.authorize(await rig.subscribed())
    expect(await outcomes()).toEqual([['dead', `answered ${code}`]])
    expect(rig.tpp.receiver.received.map(({ path }) => path)).toEqual(['/events'])
  })

  test('Retry-After is kept, up to the longest delay', async () => {
    rig.tpp.receiver.answer = status(429, { 'retry-after': '600' })
    rig.work()
    await rig.authorize(await rig.subscribed())
    const row = await rig.tried(1)
    expect(Math.round(((row.due_at?.getTime() ?? 0) - rig.clock.now()) / MINUTE_MS)).toBe(10)
    rig.tpp.receiver.answer = status(503, { 'retry-after': '86400' })
    rig.advance(10 * MINUTE_MS)
    const again = await rig.tried(2)
    expect(Math.round(((again.due_at?.getTime() ?? 0) - rig.clock.now()) / MINUTE_MS)).toBe(60)
  })

  test('is given up when the next attempt would be too late', async () => {
    await begin({ webhooks: { giveUpSeconds: 90 as never } })
    rig.tpp.receiver.answer = status(500)
    rig.work()
    await rig.authorize(await rig.subscribed())
    await rig.tried(1)
    rig.advance(MINUTE_MS)
    expect(await outcomes()).toEqual([['dead', 'answered 500']])
    expect(rig.tpp.receiver.received).toHaveLength(2)
  })

  test('nobody there, and somebody with a certificate of another authority', async () => {
    await begin()
    await rig.tpp.receiver.close()
    rig.work()
    await rig.authorize(await rig.subscribed())
    expect(await rig.tried(1)).toMatchObject({ state: 'waiting', outcome: 'unreachable: ECONNREFUSED' })
    await begin({ webhooks: { ca: null } })
    rig.work()
    await rig.authorize(await rig.subscribed())
    expect(await rig.tried(1)).toMatchObject({ state: 'waiting', outcome: expect.stringMatching(/^unreachable: /) })
    expect(rig.tpp.receiver.received).toEqual([])
  })

  test('answers without end are not read to it', async () => {
    await begin({ webhooks: { timeoutMs: 2_000 as never } })
    rig.tpp.receiver.answer = (_received, response) => {
      response.writeHead(202)
      const pour = () => {
        while (!response.destroyed && response.write('x'.repeat(65_536)));
      }
      response.on('drain', pour)
      pour()
    }
    rig.work()
    await rig.authorize(await rig.subscribed())
    expect(await outcomes()).toEqual([['delivered', 'answered 202']])
  })

  test('holds back what comes after it for the same consent, and nothing else', async () => {
    const [held, free] = [await rig.subscribed(), await rig.subscribed()]
    let first = true
    rig.tpp.receiver.answer = (received, response) => {
      status(first ? 500 : 202)(received, response)
      first = false
    }
    await rig.authorize(held)
    rig.work()
    // The time that it waits begins when it is on record, not when the receiver has spoken.
    await rig.tried(1)
    await rig.suspend(held)
    await rig.authorize(free)
    await rig.tpp.receiver.until(2)
    const order = async () =>
      (await Promise.all(rig.tpp.receiver.received.map(({ body }) => rig.open(rig.tpp, body)))).map(
        ({ claims: { message } }) => [message.Data['ConsentId'], message.Data['Status']],
      )
    expect(await order()).toEqual([
      [held, 'Authorized'],
      [free, 'Authorized'],
    ])
    rig.advance(2 * MINUTE_MS)
    await rig.tpp.receiver.until(4)
    expect((await order()).slice(2)).toEqual([
      [held, 'Authorized'],
      [held, 'Suspended'],
    ])
  })

  test('that hangs keeps its own places and slows nobody else', async () => {
    await begin({ tpps: 2, webhooks: { timeoutMs: 60_000 as never, perReceiver: 2 } })
    const [hanging, well] = rig.tpps
    if (hanging === undefined || well === undefined) throw new Error('two TPPs')
    hanging.receiver.answer = silence
    for (let index = 0; index < 10; index += 1) await rig.authorize(await rig.subscribed(hanging))
    for (let index = 0; index < 10; index += 1) await rig.authorize(await rig.subscribed(well))
    rig.work()
    await hanging.receiver.until(2)
    await well.receiver.until(10)
    await rig.count('delivered', 10)
    expect([hanging, well].map(({ receiver }) => receiver.received.length)).toEqual([2, 10])
    const states = Map.groupBy(await rig.rows('tpp-webhook'), ({ state }) => state)
    expect([...states].map(([state, rows]) => [state, rows.length]).sort()).toEqual([
      ['delivered', 10],
      ['sending', 2],
      ['waiting', 8],
    ])
  })
})

describe('nobody to deliver to', () => {
  const turn = async (change: () => unknown): Promise<unknown> => {
    const id = await rig.subscribed()
    await rig.authorize(id)
    await change()
    // What is known of the client is not believed any longer.
    rig.advance(2_000)
    rig.work()
    const [row] = await rig.settled('tpp-webhook')
    expect(rig.tpp.receiver.received).toEqual([])
    return [row?.state, row?.outcome]
  }

  test('without a subscription, or an active one, there is no event', async () => {
    const url = `${rig.tpp.receiver.origin}/events`
    for (const subscription of [null, { Webhook: { Url: url, IsActive: false } }]) {
      await rig.authorize(await rig.lodge(rig.tpp, subscription))
    }
    expect(await rig.rows('tpp-webhook')).toEqual([])
  })

  test('the TPP has unsubscribed since', async () => {
    const fate = await turn(async () => {
      const [row] = await rig.rows('tpp-webhook')
      const webhook = { Url: `${rig.tpp.receiver.origin}/events`, IsActive: false }
      await rig.patchByTpp(rig.tpp, row?.consent_id as never, { Webhook: webhook })
    })
    expect(fate).toEqual(['dropped', 'the TPP has unsubscribed'])
  })

  test('the directory does not list the address any more', async () => {
    expect(await turn(() => void rig.tpp.webhookUris.splice(0))).toEqual([
      'dropped',
      'the directory does not list the address',
    ])
  })

  test('the operator has blocked the client', async () => {
    const by = { actor: 'test', interactionId: null }
    expect(await turn(() => rig.participants.setStatus('client', rig.tpp.clientId, 'blocked', by))).toEqual([
      'dropped',
      'the client is not active',
    ])
  })

  const jwk = (bits: number, members: object) => ({
    ...generateKeyPairSync('rsa', { modulusLength: bits }).publicKey.export({ format: 'jwk' }),
    kid: 'other',
    use: 'enc',
    ...members,
  })
  const elliptic = generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey.export({ format: 'jwk' })
  test.each([
    ['none', []],
    ['one for signatures', [jwk(2048, { use: 'sig' })]],
    ['one that does not say what it is for', [jwk(2048, { use: undefined })]],
    ['one of another algorithm', [jwk(2048, { alg: 'RSA-OAEP' })]],
    ['one for other operations', [jwk(2048, { key_ops: ['verify'] })]],
    ['one that is too short', [jwk(1024, {})]],
    ['one without an id', [jwk(2048, { kid: undefined })]],
    ['one of another kind', [{ ...elliptic, kid: 'other', use: 'enc' }]],
  ])('keys that are no good: %s', async (_name, keys) => {
    expect(await turn(() => void rig.tpp.jwks.keys.splice(0, 9, ...keys))).toEqual([
      'dropped',
      'the TPP has published no key to encrypt to',
    ])
  })

  test('a new key is used once it is published, among others', async () => {
    const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 3072 })
    await rig.authorize(await rig.subscribed())
    const published = { ...publicKey.export({ format: 'jwk' }), kid: 'renewed', use: 'enc', alg: 'RSA-OAEP-256' }
    rig.tpp.jwks.keys.splice(0, 9, jwk(2048, { use: 'sig' }), jwk(1024, {}), published)
    rig.advance(2_000)
    rig.work()
    const [received] = await rig.tpp.receiver.until(1)
    const { header } = await rig.open({ ...rig.tpp, decryption: privateKey }, received?.body ?? '')
    expect(header['kid']).toBe('renewed')
  })

  test('an address that is not public is not connected to', async () => {
    await begin({ allowedAddresses: [] })
    rig.work()
    await rig.authorize(await rig.subscribed())
    expect(await rig.tried(1)).toMatchObject({
      state: 'waiting',
      outcome: 'forbidden: the hub does not connect there: its address is not a public one',
    })
    expect(rig.tpp.receiver.received).toEqual([])
  })
})

describe('as things stand at delivery', () => {
  test('a webhook that has moved gets it where it is now', async () => {
    const id = await rig.subscribed()
    await rig.authorize(id)
    rig.tpp.webhookUris.push(`${rig.tpp.receiver.origin}/moved`)
    rig.advance(2_000)
    await rig.patchByTpp(rig.tpp, id, { Webhook: { Url: `${rig.tpp.receiver.origin}/moved`, IsActive: true } })
    rig.work()
    expect((await rig.tpp.receiver.until(1)).map(({ path }) => path)).toEqual(['/moved'])
  })

  test('a consent that has ended meanwhile keeps nothing back', async () => {
    const id = await rig.subscribed()
    await rig.authorize(id)
    await rig.revoke(id)
    rig.work()
    await rig.tpp.receiver.until(2)
    const said = await Promise.all(rig.tpp.receiver.received.map(({ body }) => rig.open(rig.tpp, body)))
    expect(said.map(({ claims }) => claims.message.Data['Status'])).toEqual(['Authorized', 'Revoked'])
  })
})
