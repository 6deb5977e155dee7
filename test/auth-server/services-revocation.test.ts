/** Giving tokens back (RFC 7009) at the real listener, who may ask for it, what is recorded, and how often one may ask. */

import { hash, randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createAuditReader } from '../../src/audit/index.ts'
import type { CorrelationId } from '../../src/ids.ts'
import { inDatabase } from './support/database.ts'
import { compact, type Json } from './support/jws.ts'
import { type SecondNode, startSecondNode } from './support/second-node.ts'
import { NO_TOKENS, UNAUTHENTICATED } from './support/service-cases.ts'
import { expectChallenge, expectInactive, expectRevoked, tokenServices } from './support/token-services.ts'
import { now, send, type Tpp } from './support/tpp.ts'
import { startWorld, type Tokens, type World } from './support/world.ts'

const BOOT_MS = 180_000

let world: World
let other: SecondNode
/** One authorized consent for all that leaves it as it is. */
let kept: Tokens
beforeAll(async () => {
  world = await startWorld()
  other = await startSecondNode(world, {}, { requestsPerSecond: 3 })
  kept = await world.tokens()
}, BOOT_MS)
afterAll(async () => {
  await other.close()
  await world.close()
}, BOOT_MS)

const { at, revoke, introspect, userinfo, ownToken, refreshed } = tokenServices(() => world)
const ownConsents = (token: string) =>
  world.tpp.read(token, `/account-access-consents?baseConsentId=${kept.journey.consentId}`)

describe.each(['/token/revoke', '/introspection'])('POST %s', (path) => {
  test.each(UNAUTHENTICATED)('with %s is refused, and the token stays good', async (_name, corrupt, status, error) => {
    const draft = world.tpp.post(at(path), { token: kept.accessToken })
    corrupt(draft, world)
    const answer = await send(draft)
    expect([answer.status, answer.json]).toEqual([status, { error, error_description: expect.stringMatching(/./) }])
    expect(answer.headers['cache-control']).toContain('no-store')
    expect((await world.tpp.read(kept.accessToken)).status).toBe(200)
  })

  test('takes an assertion once', async () => {
    const draft = world.tpp.post(at(path), { token: 'nonsense' })
    expect((await send(draft)).status).toBe(200)
    expect((await send(draft)).status).toBe(401)
  })

  test.each(['GET', 'PUT', 'DELETE', 'HEAD', 'OPTIONS'])('is not %s', async (method) => {
    const answer = await world.tpp.wire.send(at(path), { method })
    expect([answer.status, answer.headers.allow, answer.text]).toEqual([405, 'POST', ''])
  })
})

describe('revocation', () => {
  test('of an access token: it alone is refused, from the next request on', async () => {
    const { journey, accessToken, refreshToken } = await world.tokens()
    const [sibling, later] = [await refreshed(refreshToken), await refreshed(refreshToken)]
    expectRevoked(await revoke(accessToken))
    const refused = await world.tpp.read(accessToken)
    expect([refused.status, refused.headers['www-authenticate']]).toEqual([401, expect.stringMatching(/revoked/)])
    expectInactive(await introspect(accessToken))
    expectChallenge(await userinfo(accessToken), 401, 'invalid_token')
    for (const token of [sibling, later, await refreshed(refreshToken)]) {
      expect((await world.tpp.read(token)).status).toBe(200)
    }
    expect(await world.statusOf(journey.consentId)).toBe('Authorized')
  })

  test.each([
    'access_token',
    'refresh_token',
    'id_token',
    '',
  ])('with the hint "%s" finds the token all the same', async (hint) => {
    const { accessToken, refreshToken } = await world.tokens()
    expectRevoked(await revoke(accessToken, world.tpp, hint))
    expect((await world.tpp.read(accessToken)).status).toBe(401)
    const again = await refreshed(refreshToken)
    expectRevoked(await revoke(refreshToken, world.tpp, hint))
    expect((await send(world.tpp.refresh(refreshToken))).json['error']).toBe('invalid_grant')
    expect((await world.tpp.read(again)).status).toBe(401)
  })

  test('of a refresh token ends everything issued under the grant, but not the consent', async () => {
    const { journey, accessToken, refreshToken } = await world.tokens()
    const second = await refreshed(refreshToken)
    expectRevoked(await revoke(refreshToken))
    for (const token of [accessToken, second]) {
      expect((await world.tpp.read(token)).status).toBe(401)
      expectInactive(await introspect(token))
    }
    const answer = await send(world.tpp.refresh(refreshToken))
    expect([answer.status, answer.json['error']]).toEqual([400, 'invalid_grant'])
    expectInactive(await introspect(refreshToken))
    expect(await world.statusOf(journey.consentId)).toBe('Authorized')
    expect((await world.tpp.read(kept.accessToken)).status).toBe(200)
  })

  test("of a client's own token", async () => {
    const [token, sibling] = [await ownToken(), await ownToken()]
    expect((await ownConsents(token)).status).toBe(200)
    expectRevoked(await revoke(token))
    expect((await ownConsents(token)).status).toBe(401)
    expectInactive(await introspect(token))
    expect((await ownConsents(sibling)).status).toBe(200)
  })

  test('again, and of what is dead already, is no fault', async () => {
    const { journey, accessToken, refreshToken } = await world.tokens()
    expectRevoked(await revoke(accessToken))
    expectRevoked(await revoke(accessToken))
    expect((await world.bank.revoke(journey.consentId)).status).toBe(204)
    for (const token of [accessToken, refreshToken]) expectRevoked(await revoke(token))
    expect(await world.statusOf(journey.consentId)).toBe('Revoked')
  })

  test('of a token of a suspended consent holds when the consent is resumed', async () => {
    const { journey, accessToken, refreshToken } = await world.tokens()
    const sibling = await refreshed(refreshToken)
    expect((await world.bank.patch(journey.consentId, 'Suspended')).status).toBe(204)
    expectRevoked(await revoke(accessToken))
    expect((await world.bank.patch(journey.consentId, 'Authorized')).status).toBe(204)
    expect((await world.tpp.read(accessToken)).status).toBe(401)
    expect((await world.tpp.read(sibling)).status).toBe(200)
  })

  test("of another client's token looks alike, and changes nothing", async () => {
    const own = await ownToken()
    for (const token of [kept.accessToken, kept.refreshToken, own]) expectRevoked(await revoke(token, world.second))
    expect((await world.tpp.read(kept.accessToken)).status).toBe(200)
    expect((await send(world.tpp.refresh(kept.refreshToken))).status).toBe(200)
    expect((await ownConsents(own)).status).toBe(200)
  })

  test.each(NO_TOKENS)('of %s changes nothing', async (_name, make) => {
    const answer = await revoke(make(kept.accessToken))
    // A body that is too large never gets as far as its token.
    if (answer.status !== 413) expectRevoked(answer)
    expect((await world.tpp.read(kept.accessToken)).status).toBe(200)
  })

  test('of an id_token changes nothing', async () => {
    expectRevoked(await revoke(String(kept.answer.json['id_token'])))
    expect((await world.tpp.read(kept.accessToken)).status).toBe(200)
  })

  test('at one node is known at the other', async () => {
    const { accessToken } = await world.tokens()
    expect((await world.tpp.read(accessToken)).status).toBe(200)
    expectRevoked(await send(world.tpp.post(`${other.as}/token/revoke`, { token: accessToken })))
    expect((await world.tpp.read(accessToken)).status).toBe(401)
    const own = await ownToken()
    expect((await ownConsents(own)).status).toBe(200)
    expectRevoked(await send(world.tpp.post(`${other.as}/token/revoke`, { token: own })))
    expect((await ownConsents(own)).status).toBe(401)
  })

  test('of many tokens at once ends each of them', async () => {
    const { refreshToken } = await world.tokens()
    const tokens = await Promise.all(Array.from({ length: 8 }, () => refreshed(refreshToken)))
    for (const answer of await Promise.all(tokens.map((token) => revoke(token)))) expectRevoked(answer)
    for (const token of tokens) expect((await world.tpp.read(token)).status).toBe(401)
    expect((await world.tpp.read(await refreshed(refreshToken))).status).toBe(200)
  })
})

describe('a consent with as many revoked tokens as can be kept', () => {
  test('has the next one wait (RFC 7009 2.2.1), until the first have run out', async () => {
    const { journey, accessToken } = await world.tokens()
    const full = (ends: number) =>
      inDatabase(world, async (db) => {
        const tokens = Object.fromEntries(Array.from({ length: 256 }, (_, each) => [`jti-${each}`, ends]))
        const row = db('consent').where({ id: journey.consentId })
        expect(await row.update({ revoked_tokens: JSON.stringify(tokens) })).toBe(1)
      })
    await full(now() + 300)
    const answer = await revoke(accessToken)
    expect([answer.status, answer.headers['retry-after'], answer.json['error']]).toEqual([503, '60', 'server_error'])
    expect((await world.tpp.read(accessToken)).status).toBe(200)
    await full(now() - 1)
    expectRevoked(await revoke(accessToken))
    expect((await world.tpp.read(accessToken)).status).toBe(401)
  })
})

describe('the audit log', () => {
  test('says who did which, about which consent, and how it ended; no token is in it', async () => {
    const { journey, accessToken, refreshToken } = await world.tokens()
    const { consentId } = journey
    const calls: readonly [path: string, token: string, by: Tpp, step: object][] = [
      ['/introspection', accessToken, world.tpp, { step: 'introspection', outcome: 'done', consentId }],
      ['/introspection', accessToken, world.second, { step: 'introspection', outcome: 'done', consentId: null }],
      ['/token/revoke', accessToken, world.second, { step: 'revocation', outcome: 'done', consentId: null }],
      ['/token/revoke', accessToken, world.tpp, { step: 'revocation', outcome: 'done', consentId }],
      ['/token/revoke', refreshToken, world.tpp, { step: 'revocation', outcome: 'done', consentId }],
      [
        '/userinfo',
        accessToken,
        world.tpp,
        { step: 'userinfo', outcome: 'refused', consentId, error: 'invalid_token' },
      ],
    ]
    for (const [path, token, by, step] of calls) {
      const interactionId = randomUUID()
      if (path === '/userinfo') await userinfo(token, by, 'GET', { 'x-fapi-interaction-id': interactionId })
      else {
        const draft = by.post(at(path), { token })
        draft.headers['x-fapi-interaction-id'] = interactionId
        await send(draft)
      }
      await inDatabase(world, async (db) => {
        const accepted = await createAuditReader({ db }).findByInteraction(interactionId as CorrelationId)
        const entries = accepted.map(({ entry }) => entry as unknown as Json)
        const clientId = by.clientId
        expect(entries.filter(({ kind }) => kind === 'authorization-step')).toEqual([
          expect.objectContaining({ v: 1, clientId, ...step }),
        ])
        expect(entries.filter(({ kind }) => kind === 'tpp-call')).toEqual([
          expect.objectContaining({ surface: 'as', route: path, operationId: (step as Json)['step'], clientId }),
        ])
        expect(JSON.stringify(entries)).not.toContain(token.slice(-20))
      })
    }
  })

  test('says of each step of a journey which push it follows from, and has the digest of that push', async () => {
    const pushed = world.tpp.push()
    const form = pushed.form.map(([name, value]): [string, string] => [
      name,
      typeof value === 'string' ? value : compact(value),
    ])
    const push = { ...pushed, body: new URLSearchParams(form).toString() }
    const ids = Object.fromEntries(
      ['par', 'auth', 'done', 'code', 'again', 'own'].map((step) => [step, randomUUID() as string]),
    )
    const under = <T extends { readonly headers: Record<string, string> }>(draft: T, step: string): T => {
      draft.headers['x-fapi-interaction-id'] = ids[step] as string
      return draft
    }
    const begun = await send(under(push, 'par'))
    const { bank, tpp } = world
    const hh = (path: string, step: string, more = {}) =>
      bank.call(`${bank.hh}${path}`, { ...more, headers: { 'x-fapi-interaction-id': ids[step] as string } })
    const query = new URLSearchParams({
      client_id: tpp.clientId,
      request_uri: String(begun.json['request_uri']),
    })
    const asked = await hh(`/auth?${query.toString()}`, 'auth')
    await bank.authorize(push.consentId)
    const { interactionId } = asked.json['interaction'] as { readonly interactionId: string }
    const done = await hh(`/auth/${interactionId}/doConfirm`, 'done', { method: 'POST' })
    const code = new URL(String(done.headers.location)).searchParams.get('code') ?? ''
    const tokens = await send(under(tpp.exchange(code, push.verifier), 'code'))
    const refresh = under(tpp.refresh(String(tokens.json['refresh_token'])), 'again')
    expect((await send(refresh)).status).toBe(200)
    await send(under(tpp.clientCredentials('accounts'), 'own'))
    await inDatabase(world, async (db) => {
      const reader = createAuditReader({ db })
      for (const [step, id] of Object.entries(ids)) {
        const [call] = (await reader.findByInteraction(id as CorrelationId)).filter(({ entry }) =>
          ['tpp-call', 'lfi-request'].includes(entry?.kind ?? ''),
        )
        expect([step, call?.entry]).toMatchObject([
          step,
          {
            parentInteractionId: ['par', 'own'].includes(step) ? null : ids['par'],
            requestDigest: step === 'par' ? hash('sha256', push.body, 'base64') : null,
          },
        ])
        // It ties the steps to one person, so it is not in the log itself.
        if (step !== 'par') expect(call?.bytes.toString()).not.toContain(ids['par'])
      }
    })
  })

  test('does not put down to a client what came over the certificate of another', async () => {
    const interactionId = randomUUID()
    const draft = world.tpp.post(at('/introspection'), { token: 'nonsense' })
    draft.headers['x-fapi-interaction-id'] = interactionId
    draft.wire = world.second.wire
    expect((await send(draft)).status).toBe(401)
    await inDatabase(world, async (db) => {
      const rows = (await db('audit_entry').where('interaction_id', interactionId).select('bytes')) as {
        bytes: Buffer
      }[]
      const entries = rows.map(({ bytes }) => JSON.parse(bytes.toString('utf8')) as Json)
      // Recorded by two who do not wait for each other.
      expect(entries.toSorted((one, other) => String(one['kind']).localeCompare(String(other['kind'])))).toMatchObject([
        { kind: 'authorization-step', clientId: null, outcome: 'refused' },
        { kind: 'tpp-call', clientId: null, errorCode: 'invalid_client' },
      ])
    })
  })
})

describe('too often', () => {
  test('is 429 with Retry-After and no body, for that caller alone', async () => {
    // The bucket may not be full after what went before.
    const path = `${other.as}/token`
    const answers = await Promise.all(
      Array.from({ length: 12 }, () => send({ ...world.tpp.clientCredentials('accounts'), url: path })),
    )
    const refused = answers.filter(({ status }) => status === 429)
    expect(refused.length).toBeGreaterThanOrEqual(6)
    for (const { text, headers } of refused) {
      expect([text, headers['retry-after'], headers['content-type']]).toEqual([
        '',
        expect.stringMatching(/^[1-9]\d*$/),
        undefined,
      ])
      expect(headers['x-fapi-interaction-id']).toMatch(/^[0-9a-f-]{36}$/)
    }
    expect(answers.filter(({ status }) => status === 200).length).toBe(answers.length - refused.length)
    expect((await send({ ...world.second.clientCredentials('accounts'), url: path })).status).toBe(200)
    await new Promise((done) => setTimeout(done, Number(refused[0]?.headers['retry-after']) * 1000))
    expect((await send({ ...world.tpp.clientCredentials('accounts'), url: path })).status).toBe(200)
  })

  test('holds for pushed requests as well', async () => {
    const pushes = Array.from({ length: 8 }, () => ({ ...world.tpp.push(), url: `${other.as}/par` }))
    const statuses = (await Promise.all(pushes.map(send))).map(({ status }) => status)
    expect(new Set(statuses)).toEqual(new Set([201, 429]))
  })
})
