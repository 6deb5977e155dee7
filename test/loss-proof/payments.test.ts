/**
 * A node of the hub is killed at every statement and around every commit of a payment, also while the bank is paying and
 * when its answer has come. The node starts again, and the TPP repeats its request with the same idempotency key until it
 * has an answer, as a real one would. The bank has paid exactly once, and the consent has been used exactly once.
 */
import { randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { bankUsers } from '../../sandbox/bank/users.ts'
import { query } from '../../src/db.ts'
import { outcomeOf } from '../auth-server/support/bank.ts'
import { compact, type Json } from '../auth-server/support/jws.ts'
import { detailOf, now, send } from '../auth-server/support/tpp.ts'
import type { Answer } from '../auth-server/support/wire.ts'
import { startWorld, type World } from '../auth-server/support/world.ts'
import { type MortalNode, startMortalNode } from './support/mortal-node.ts'
import type { Count, Moment } from './support/postgres-proxy.ts'
import { openTraces, type Traces } from './support/traces.ts'

const BOOT_MS = 180_000
const KILLS_MS = 600_000
/** Twice this and a little is how long an attempt without an answer keeps its key. */
const LFI_TIMEOUT_MS = 1_000
const PAY_TYPE = 'urn:openfinanceuae:service-initiation-consent:v2.1'
const PATIENCE_MS = 30_000

let world: World
let node: MortalNode
let traces: Traces
let cost: Count
let crashes = 0

beforeAll(async () => {
  world = await startWorld()
  node = await startMortalNode(world, { withGateway: true, lfiTimeoutMs: LFI_TIMEOUT_MS })
  traces = openTraces(world)
  // A first payment fills what a process reads once.
  for (const _ of [1, 2]) {
    const agreed = await agree()
    node.proxy.count()
    expect((await pay(agreed)).status).toBe(201)
    cost = node.proxy.count()
    await expectPaidOnce(agreed)
  }
}, BOOT_MS)
afterAll(async () => {
  await traces.db.destroy()
  await node.close()
  await world.close()
  process.stdout.write(
    `\na payment: ${cost.statements} statements, ${cost.commits} commits; ${crashes} crash points, none paid twice or lost\n`,
  )
}, BOOT_MS)

type Agreed = { readonly consentId: string; readonly accessToken: string; readonly key: string }

/** A consent for one payment, authorized, and the token that goes with it. */
async function agree(): Promise<Agreed> {
  const { tpp, bank } = world
  const push = tpp.push()
  Object.assign(push.request.claims, { scope: 'openid payments' })
  Object.assign(detailOf(push), {
    type: PAY_TYPE,
    consent: {
      ConsentId: push.consentId,
      IsSingleAuthorization: true,
      ExpirationDateTime: new Date(Date.now() + 86_400_000).toISOString(),
      ControlParameters: {
        ConsentSchedule: {
          SinglePayment: { Type: 'SingleInstantPayment', Amount: { Amount: '12.00', Currency: 'AED' } },
        },
      },
      PersonalIdentifiableInformation: JWE,
      PaymentPurposeCode: 'ACM',
    },
  })
  const pushed = await send({ ...push, url: `${node.doors.as}/par` })
  expectStatus(pushed, 201)
  const requestUri = String(pushed.json['request_uri'])
  const parameters = new URLSearchParams({ client_id: tpp.clientId, request_uri: requestUri })
  const interaction = await bank.call(`${node.doors.hh}/auth?${parameters}`)
  expectStatus(interaction, 200)
  const [user] = bankUsers('aurora')
  const patched = await bank.call(`${node.doors.cm}/consents/${push.consentId}`, {
    method: 'PATCH',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      status: 'Authorized',
      'consentBody.Data.Status': 'Authorized',
      authorizationChannel: 'Web',
      psuIdentifiers: { userId: user?.userId },
      accountIds: user?.accountIds.slice(0, 1),
    }),
  })
  expectStatus(patched, 204)
  const id = String((interaction.json['interaction'] as Json)['interactionId'])
  const confirmed = await bank.call(`${node.doors.hh}/auth/${id}/doConfirm`, {
    method: 'POST',
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: '',
  })
  const code = outcomeOf(confirmed).query.get('code') ?? ''
  const tokens = await send({ ...tpp.exchange(code, push.verifier), url: `${node.doors.as}/token` })
  expectStatus(tokens, 200)
  return { consentId: push.consentId, accessToken: String(tokens.json['access_token']), key: randomUUID() }
}

const part = (value: string): string => Buffer.from(value).toString('base64url')
const HEADER = JSON.stringify({ alg: 'RSA-OAEP-256', enc: 'A256GCM', kid: 'bank' })
const JWE = [HEADER, 'key', 'iv', 'content', 'tag'].map(part).join('.')

function pay({ consentId, accessToken, key }: Agreed): Promise<Answer> {
  const { tpp, server } = world
  const at = now()
  const body = compact({
    header: { alg: 'PS256', kid: tpp.kid },
    claims: {
      iss: tpp.clientId,
      aud: [server.issuer],
      iat: at,
      nbf: at,
      exp: at + 300,
      message: {
        Data: {
          ConsentId: consentId,
          Instruction: { Amount: { Amount: '12.00', Currency: 'AED' } },
          PaymentPurposeCode: 'ACM',
          OpenFinanceBilling: { Type: 'PushP2P' },
        },
      },
    },
    key: tpp.key,
  })
  return tpp.wire.send(`${node.doors.rs}/open-finance/payment/v2.1/payments`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${accessToken}`,
      'content-type': 'application/jwt',
      'x-idempotency-key': key,
    },
    body,
  })
}

/** As a TPP does that wants its answer: the same key again, as long as it is told to come back. */
async function payUntilAnswered(agreed: Agreed): Promise<Answer> {
  for (const until = Date.now() + PATIENCE_MS; ; await sleep(200)) {
    const answer = await pay(agreed).catch(() => null)
    if (answer?.status === 201 || Date.now() > until) return answer ?? Promise.reject(new Error('no answer'))
  }
}

/** Lines of the bank's own ledger. */
const executed = (consentId: string): readonly { readonly id: string }[] =>
  readFileSync(join(world.dataDir, 'banks/aurora/payments.jsonl'), 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as { readonly id: string; readonly consentId: string })
    .filter((payment) => payment.consentId === consentId)

async function expectPaidOnce({ consentId }: Agreed): Promise<void> {
  const [payment, another] = executed(consentId)
  expect([payment?.id, another]).toEqual([expect.any(String), undefined])
  expect(await traces.consents(consentId)).toEqual(['Consumed'])
  const { rows } = await query<{ state: string; payment_id: string }>(
    traces.db,
    'select state, payment_id from payment_log where consent_id = ?',
    [consentId],
  )
  expect(rows).toEqual([{ state: 'made', payment_id: payment?.id }])
  expect((await traces.recorded(consentId)).filter((change) => change === 'consume')).toHaveLength(1)
}

/** Whether it came to the cut. */
async function killedAt(moment: Moment, at: number): Promise<boolean> {
  const agreed = await agree()
  node.proxy.arm({ moment, at, kill: node.kill })
  const answer = await pay(agreed).catch(() => null)
  const trip = await node.proxy.disarm()
  if (trip === null) {
    expect(answer?.status).toBe(201)
    return false
  }
  crashes += 1
  await node.start()
  const repeated = await payUntilAnswered(agreed)
  expect([at, repeated.status]).toEqual([at, 201])
  await expectPaidOnce(agreed)
  return true
}

describe('a payment, killed', () => {
  test.each(['before', 'after'] as const)(
    '%s each of its commits, is made once',
    async (moment) => {
      expect(cost.commits).toBeGreaterThan(2)
      for (let at = 1; at <= cost.commits; at += 1) await killedAt(moment, at)
    },
    KILLS_MS,
  )

  test(
    'before each of its statements, is made once',
    async () => {
      let cuts = 0
      for (let at = 1; await killedAt('statement', at); at += 1) cuts += 1
      // Every statement there is was one to die at.
      expect(cuts).toBeGreaterThan(cost.commits)
    },
    KILLS_MS,
  )
})

function expectStatus(answer: Answer, status: number): void {
  if (answer.status !== status) throw new Error(`${answer.status} instead of ${status}: ${answer.text}`)
}
