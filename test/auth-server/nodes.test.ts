/**
 * Two processes of one hub on one database. What may happen once happens once, whichever node is asked; and a journey
 * may be at another node at each step. The second node lets a request_uri live for five seconds only.
 */
import { randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Db, openDatabase } from '../../src/db.ts'
import { Secret } from '../../src/secret.ts'
import { outcomeOf } from './support/bank.ts'
import type { Json } from './support/jws.ts'
import { type SecondNode, startSecondNode } from './support/second-node.ts'
import { detailOf, type Push, send } from './support/tpp.ts'
import { startWorld, type World } from './support/world.ts'

const BOOT_MS = 180_000
const REQUEST_URI_SECONDS = 5

let world: World
let other: SecondNode
beforeAll(async () => {
  world = await startWorld()
  other = await startSecondNode(world, { requestUriSeconds: REQUEST_URI_SECONDS })
}, BOOT_MS)
afterAll(async () => {
  await other.close()
  await world.close()
}, BOOT_MS)

const authAt = (hh: string, requestUri: string) =>
  world.bank.call(`${hh}/auth?${new URLSearchParams({ client_id: world.tpp.clientId, request_uri: requestUri })}`)
const interactionOf = (answer: { readonly json: Readonly<Record<string, unknown>> }): string =>
  String((answer.json['interaction'] as Json)['interactionId'])
const confirmAt = (hh: string, interactionId: string) =>
  world.bank.call(`${hh}/auth/${interactionId}/doConfirm`, { method: 'POST' })

describe('a request_uri that has run out', () => {
  test('goes back to the TPP, while a journey that it began goes on to its code, once', async () => {
    const push = world.tpp.push()
    push.url = `${other.as}/par`
    const pushed = await send(push)
    expect([pushed.status, pushed.json['expires_in']]).toEqual([201, REQUEST_URI_SECONDS])
    const requestUri = String(pushed.json['request_uri'])
    const begun = await authAt(other.hh, requestUri)
    expect(begun.status).toBe(200)
    await new Promise((done) => setTimeout(done, (REQUEST_URI_SECONDS + 1) * 1000))
    const late = await authAt(world.doors.hh, requestUri)
    expect([late.status, late.text, Object.fromEntries(outcomeOf(late).query)]).toEqual([
      303,
      '',
      {
        error: 'invalid_request',
        error_description: expect.stringMatching(/expired/),
        state: push.state,
        iss: world.server.issuer,
      },
    ])
    await world.bank.authorize(push.consentId)
    expect(outcomeOf(await confirmAt(world.doors.hh, interactionOf(begun))).query.get('code')).toMatch(/^[\w-]{22,}$/)
  })
})

describe('a key that a node has not heard of', () => {
  test('is asked for at the directory, once it is named over the certificate of its client', async () => {
    const { softwareStatementId } = world.second.client
    await inDatabase(async (db) => {
      const statement = () => db('software_statement').where({ software_statement_id: softwareStatementId })
      const keysKnown = async () => (await statement().first('jwks')).jwks.keys.length
      const pushTo = (push: Push) => send(Object.assign(push, { url: `${other.as}/par` }))
      // As if the directory had published the keys just now, and the hub had looked just before.
      expect(await statement().update({ jwks: JSON.stringify({ keys: [] }), fetched_at: new Date() })).toBe(1)
      const overAnother = Object.assign(world.second.push(), { wire: world.tpp.wire })
      expect((await pushTo(overAnother)).status).toBe(401)
      expect(await keysKnown()).toBe(0)
      expect((await pushTo(world.second.push())).status).toBe(201)
      expect(await keysKnown()).toBeGreaterThan(0)
    })
  })
})

describe('a node that fails while it confirms', () => {
  test('sends the customer back with server_error, and the journey is over', async () => {
    const journey = await world.begin()
    await world.bank.authorize(journey.consentId)
    await inDatabase(async (db) => {
      // Read once per process, and this one has not confirmed anything yet.
      const secret = await db('tenant_secret').where({ name: 'subject' }).first()
      await db('tenant_secret').where({ name: 'subject' }).delete()
      const answer = await confirmAt(other.hh, journey.interactionId)
      await db('tenant_secret').insert(secret)
      expect([answer.status, answer.text, Object.fromEntries(outcomeOf(answer).query)]).toEqual([
        303,
        '',
        {
          error: 'server_error',
          error_description: expect.not.stringMatching(/secret/),
          state: journey.push.state,
          iss: world.server.issuer,
        },
      ])
    })
    expect((await confirmAt(world.doors.hh, journey.interactionId)).status).toBe(400)
  })
})

async function inDatabase(work: (db: Db) => Promise<void>): Promise<void> {
  const url = readFileSync(join(dirname(world.manifest.lfis.aurora.hubConfigFile), 'database.url'), 'utf8').trim()
  const db = openDatabase({ url: new Secret(url), poolMax: 1, applicationName: 'test' })
  try {
    await work(db)
  } finally {
    await db.destroy()
  }
}

describe('two nodes', () => {
  test('share one journey: each step at the other', async () => {
    const { push, requestUri } = await world.lodge()
    const begun = await authAt(other.hh, requestUri)
    await world.bank.authorize(push.consentId)
    const code = outcomeOf(await confirmAt(world.doors.hh, interactionOf(begun))).query.get('code') ?? ''
    const exchange = world.tpp.exchange(code, push.verifier)
    exchange.url = `${other.as}/token`
    const answer = await send(exchange)
    expect(answer.status).toBe(200)
    const refresh = await send(world.tpp.refresh(String(answer.json['refresh_token'])))
    expect(refresh.status).toBe(200)
    expect((await world.tpp.read(String(refresh.json['access_token']))).status).toBe(200)
  })

  test('accept an assertion once between them', async () => {
    for (let round = 0; round < 5; round += 1) {
      const drafts = [world.tpp.clientCredentials('accounts'), world.tpp.clientCredentials('accounts')]
      const jti = randomUUID()
      for (const draft of drafts) draft.assertion.claims['jti'] = jti
      if (drafts[1] !== undefined) drafts[1].url = `${other.as}/token`
      const answers = await Promise.all(drafts.map(send))
      expect(answers.map(({ status }) => status).sort()).toEqual([200, 401])
    }
  })

  test('lodge a ConsentId once between them', async () => {
    const pushes = [world.tpp.push(), world.tpp.push(), world.tpp.push(), world.tpp.push()]
    for (const [at, push] of pushes.entries()) {
      detailOf(push).consent['ConsentId'] = pushes[0]?.consentId
      // Different consents: the same one pushed again would be a TPP that lost its answer.
      detailOf(push).consent['ExpirationDateTime'] = new Date(Date.now() + (at + 1) * 86_400_000).toISOString()
      if (at % 2 === 1) push.url = `${other.as}/par`
    }
    const answers = await Promise.all(pushes.map(send))
    expect(answers.map(({ status }) => status).sort()).toEqual([201, 400, 400, 400])
  })

  test('complete a journey once between them', async () => {
    const journey = await world.begin()
    await world.bank.authorize(journey.consentId)
    const doors = [world.doors.hh, other.hh, world.doors.hh, other.hh]
    const answers = await Promise.all(doors.map((hh) => confirmAt(hh, journey.interactionId)))
    expect(answers.map(({ status }) => status).sort()).toEqual([303, 400, 400, 400])
  })

  test('redeem a code once between them', async () => {
    const { journey, code } = await world.approve()
    const drafts = Array.from({ length: 6 }, () => world.tpp.exchange(code, journey.push.verifier))
    for (const [at, draft] of drafts.entries()) if (at % 2 === 1) draft.url = `${other.as}/token`
    const answers = await Promise.all(drafts.map(send))
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 400, 400, 400, 400, 400])
    for (const { status, json } of answers) expect(status === 200 || json['error'] === 'invalid_grant').toBe(true)
  })
})
