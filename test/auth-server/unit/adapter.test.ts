/** Records of the engine in PostgreSQL: what is used once is used once, and what is a secret is not in the table. */
import { createHash, randomBytes, randomUUID } from 'node:crypto'
import { errors } from 'oidc-provider'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { purgeExpired } from '../../../src/auth-server/engine-records.ts'
import { query } from '../../../src/db.ts'
import { CLIENT_ID, clockAt, type Engine, REQUEST_URI_SECONDS, startEngine } from './engine.ts'

const NOW = Math.floor(Date.now() / 1000)
const clock = clockAt(NOW)
let engine: Engine
beforeAll(async () => {
  engine = await startEngine(clock)
})
afterAll(() => engine.database.close())

const rows = async (sql: string, bindings: readonly string[] = []) =>
  (await query<Record<string, unknown>>(engine.database.db, sql, [...bindings])).rows
const outcomes = async (calls: readonly Promise<unknown>[]) =>
  (await Promise.allSettled(calls)).map(({ status }) => status).sort()
const digest = (id: string) => createHash('sha256').update(id).digest('base64url')

describe('a secret', () => {
  test.each([
    'PushedAuthorizationRequest',
    'AuthorizationCode',
    'RefreshToken',
  ])('of kind %s is filed under its digest', async (model) => {
    const id = randomBytes(32).toString('base64url')
    await engine.adapter(model).upsert(id, { jti: id, clientId: CLIENT_ID, kind: model }, 60)
    const [row] = await rows('select id, payload::text as payload from oidc_model where model = ? and id = ?', [
      model,
      digest(id),
    ])
    expect(row?.['id']).toBe(digest(id))
    const all = await rows('select oidc_model::text as everything from oidc_model')
    expect(all.filter(({ everything }) => String(everything).includes(id))).toEqual([])
    expect(await engine.adapter(model).find(id)).toMatchObject({ jti: id, clientId: CLIENT_ID })
    // Whoever reads the table cannot use what is in it.
    expect(await engine.adapter(model).find(digest(id))).toBeUndefined()
  })
})

describe('what may be used once', () => {
  test.each(['PushedAuthorizationRequest', 'AuthorizationCode'])('%s: one of eight at once', async (model) => {
    for (let round = 0; round < 5; round += 1) {
      const id = randomUUID()
      await engine.adapter(model).upsert(id, { jti: id }, 60)
      const uses = await outcomes(Array.from({ length: 8 }, () => engine.adapter(model).consume(id)))
      expect(uses).toEqual(['fulfilled', ...Array.from({ length: 7 }, () => 'rejected')])
      expect((await engine.adapter(model).find(id))?.['consumed']).toBe(NOW)
    }
  })

  test('an unknown record cannot be used at all', async () => {
    await expect(engine.adapter('AuthorizationCode').consume('nobody')).rejects.toThrow(errors.InvalidGrant)
  })

  test('a jti: one of eight at once, and again after its time', async () => {
    const [id, payload] = [randomUUID(), { jti: randomUUID() }]
    const insert = () => engine.adapter('ReplayDetection').upsert(id, payload, 60)
    expect(await outcomes(Array.from({ length: 8 }, insert))).toEqual([
      'fulfilled',
      ...Array.from({ length: 7 }, () => 'rejected'),
    ])
    await expect(insert()).rejects.toThrow(errors.InvalidClientAuth)
    clock.set(NOW + 61)
    await expect(insert()).resolves.toBeUndefined()
    clock.set(NOW)
  })
})

describe('a grant', () => {
  const lodge = async () => {
    const [grantId, consentId] = [randomUUID(), randomUUID()]
    const codes = [randomUUID(), randomUUID()] as const
    await engine.adapter('Grant').upsert(grantId, { jti: grantId }, 600)
    await engine.adapter('AuthorizationCode').upsert(codes[0], { jti: codes[0], grantId }, 60)
    await engine.adapter('RefreshToken').upsert(codes[1], { jti: codes[1], grantId }, 600)
    return { grantId, consentId, codes }
  }
  const left = async (grantId: string) =>
    (await rows('select model from oidc_model where grant_id = ?', [grantId])).map(({ model }) => model)

  test('takes everything with it that was issued under it', async () => {
    const [one, two] = [await lodge(), await lodge()]
    await engine.adapter('Grant').destroy(one.grantId)
    expect(await left(one.grantId)).toEqual([])
    expect((await left(two.grantId)).sort()).toEqual(['AuthorizationCode', 'Grant', 'RefreshToken'])
  })

  test('loses one kind only when asked for that', async () => {
    const { grantId } = await lodge()
    await engine.adapter('RefreshToken').revokeByGrantId(grantId)
    expect((await left(grantId)).sort()).toEqual(['AuthorizationCode', 'Grant'])
  })
})

describe('time', () => {
  test('a code lives for a minute, as the engine issues it', async () => {
    const { AuthorizationCode, Client } = engine.provider
    const client = await Client.find(CLIENT_ID)
    if (client === undefined) throw new Error('the client is known')
    expect(new AuthorizationCode({ client } as never).expiration).toBe(60)
  })

  test('a pushed request lives as long as the tenant says, whatever the engine asks for', async () => {
    const id = randomUUID()
    await engine.adapter('PushedAuthorizationRequest').upsert(id, { jti: id, exp: NOW + 60 }, 60)
    expect((await engine.adapter('PushedAuthorizationRequest').find(id))?.exp).toBe(NOW + REQUEST_URI_SECONDS)
  })

  test('what has run out is found until no journey can still use it, then it goes', async () => {
    const id = randomUUID()
    const model = engine.adapter('PushedAuthorizationRequest')
    await model.upsert(id, { jti: id }, 60)
    const interactionSeconds = 1800
    const purgeAt = (seconds: number) => purgeExpired(engine.database.db, new Date(seconds * 1000), interactionSeconds)
    await purgeAt(NOW + REQUEST_URI_SECONDS + interactionSeconds)
    expect(await model.find(id)).toBeDefined()
    expect(await purgeAt(NOW + REQUEST_URI_SECONDS + interactionSeconds + 1)).toBeGreaterThan(0)
    expect(await model.find(id)).toBeUndefined()
  })
})

describe('what is not stored', () => {
  test.each([
    'AccessToken',
    'ClientCredentials',
    'DeviceCode',
    'InitialAccessToken',
    'BackchannelAuthenticationRequest',
  ])('%s: writing it is a fault', async (model) => {
    await expect(engine.adapter(model).upsert('x', {}, 60)).rejects.toThrow(/not stored/)
    expect(await engine.adapter(model).find('x')).toBeUndefined()
    await expect(engine.adapter(model).revokeByGrantId('x')).resolves.toBeUndefined()
  })

  test('a client is what the trust framework says, and cannot be written', async () => {
    expect(await engine.adapter('Client').find(CLIENT_ID)).toMatchObject({ client_id: CLIENT_ID })
    expect(await engine.adapter('Client').find(randomUUID())).toBeUndefined()
    await expect(engine.adapter('Client').upsert(CLIENT_ID, {}, 60)).rejects.toThrow(/not stored/)
  })

  test('a session: it comes and goes without a trace', async () => {
    await engine.adapter('Session').upsert('x', { accountId: 'somebody' }, 60)
    expect(await engine.adapter('Session').find('x')).toBeUndefined()
    expect(await rows("select id from oidc_model where model = 'Session'")).toEqual([])
  })
})
