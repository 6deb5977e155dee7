/**
 * The hub lives on, and the caller never gets the answer: it has hung up. It repeats its request and gets the same
 * answer. Nobody else does, the database does not tell it, and once it has arrived it is gone.
 */
import { dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { loadEnrolment } from '../../sandbox/trust-framework/enrolment.ts'
import { outcomeOf } from '../auth-server/support/bank.ts'
import { send, setField } from '../auth-server/support/tpp.ts'
import type { Answer, Wire } from '../auth-server/support/wire.ts'
import { type Journey, startWorld, type World } from '../auth-server/support/world.ts'
import { createHangingWire, HungUp } from './support/hang-up.ts'
import { openTraces, type Traces } from './support/traces.ts'

const BOOT_MS = 180_000
const FORM = { 'content-type': 'application/x-www-form-urlencoded' }

let world: World
let traces: Traces
let tpp: Wire
let bank: Wire
beforeAll(async () => {
  world = await startWorld()
  traces = openTraces(world)
  const { trustFramework, lfis } = world.manifest
  const { client } = loadEnrolment(join(dirname(lfis.aurora.hubConfigFile), '../..')).banks.aurora
  const ofBank = { certificateFile: client.certFile, keyFile: client.keyFile }
  tpp = createHangingWire(trustFramework.caFile, world.tpp.client.transport, traces.awaited)
  bank = createHangingWire(trustFramework.caFile, ofBank, traces.awaited)
}, BOOT_MS)
afterAll(async () => {
  await traces.db.destroy()
  await world.close()
}, BOOT_MS)

/** The row of the answer that nobody has got: its caller went away while the hub was about to commit. */
async function lost(consentId: string, sent: () => Promise<Answer>): Promise<string> {
  await nothingKept()
  await traces.locked(consentId, async () => {
    await expect(sent()).rejects.toThrow(HungUp)
    // The hub has to hear of it before it answers.
    await sleep(250)
  })
  return vi.waitFor(async () => {
    const rows = await traces.keptAnswers()
    expect(rows).toHaveLength(1)
    return rows[0] ?? ''
  })
}
const nothingKept = () => vi.waitFor(async () => expect(await traces.keptAnswers()).toEqual([]))

describe('the exchange of a code', () => {
  const exchange = (code: string, journey: Journey) => world.tpp.exchange(code, journey.push.verifier)
  const lose = async () => {
    const { journey, code } = await world.approve()
    const row = await lost(journey.consentId, () => send({ ...exchange(code, journey), wire: tpp }))
    return { journey, code, row }
  }

  test('is answered when it is repeated, and once it has arrived the code is a used one', async () => {
    const { journey, code, row } = await lose()
    const answer = await send(exchange(code, journey))
    expect(answer.status).toBe(200)
    const { access_token: accessToken, refresh_token: refreshToken, id_token: idToken } = answer.json
    for (const secret of [code, accessToken, refreshToken, idToken, journey.consentId]) {
      expect(row).not.toContain(String(secret))
    }
    expect((await world.tpp.read(String(accessToken))).status).toBe(200)
    expect(await traces.held(journey.consentId)).toMatchObject({ AuthorizationCode: 1, Grant: 1, RefreshToken: 1 })
    await nothingKept()
    const again = await send(exchange(code, journey))
    expect([again.status, again.json['error']]).toEqual([400, 'invalid_grant'])
    expect((await world.tpp.read(String(accessToken))).status).toBe(401)
    expect((await send(world.tpp.refresh(String(refreshToken)))).status).toBe(400)
  })

  test('is not answered to another client, nor without the verifier, and then still to its own', async () => {
    const { journey, code } = await lose()
    const foreign = world.second.exchange(code, journey.push.verifier)
    const guessed = exchange(code, journey)
    setField(guessed, 'code_verifier', 'x'.repeat(43))
    for (const draft of [foreign, guessed]) {
      const answer = await send(draft)
      expect([answer.status, answer.json['error']]).toEqual([400, 'invalid_grant'])
    }
    expect((await send(exchange(code, journey))).status).toBe(200)
  })

  test('is not answered once the consent has ended, and nothing of it is left', async () => {
    const { journey, code } = await lose()
    expect((await world.bank.revoke(journey.consentId)).status).toBe(204)
    expect(await traces.keptAnswers()).toEqual([])
    expect((await send(exchange(code, journey))).status).toBe(400)
  })

  test('repeated several times at once gives one set of tokens', async () => {
    const { journey, code } = await lose()
    const answers = await Promise.all(Array.from({ length: 4 }, () => send(exchange(code, journey))))
    const given = answers.filter(({ status }) => status === 200)
    expect(given.length).toBeGreaterThan(0)
    expect(new Set(given.map(({ text }) => text)).size).toBe(1)
  })
})

describe('doConfirm', () => {
  const confirm = (id: string, body: string, wire: Wire = world.bank.wire): Promise<Answer> =>
    world.bank.call(`${world.doors.hh}/auth/${id}/doConfirm`, { method: 'POST', headers: FORM, body, wire })
  const lose = async () => {
    const journey = await world.begin()
    await world.bank.authorize(journey.consentId)
    const row = await lost(journey.consentId, () => confirm(journey.interactionId, 'acr=sca', bank))
    return { journey, row }
  }

  test('is answered when it is repeated, with the one code there is', async () => {
    const { journey, row } = await lose()
    const answer = await confirm(journey.interactionId, 'acr=sca')
    const code = outcomeOf(answer).query.get('code') ?? ''
    expect([answer.status, answer.text, code]).toEqual([303, '', expect.stringMatching(/^[\w-]{22,}$/)])
    for (const secret of [code, journey.interactionId, journey.push.state]) expect(row).not.toContain(secret)
    await nothingKept()
    expect((await confirm(journey.interactionId, 'acr=sca')).status).toBe(400)
    expect((await send(world.tpp.exchange(code, journey.push.verifier))).status).toBe(200)
    expect(await traces.held(journey.consentId)).toMatchObject({ AuthorizationCode: 1, Grant: 1, RefreshToken: 1 })
  })

  test('is not answered to a call that says something else', async () => {
    const { journey } = await lose()
    const others = [
      await confirm(journey.interactionId, 'acr=none'),
      await confirm(journey.interactionId, ''),
      await world.bank.doFail(journey.interactionId),
    ]
    for (const answer of others) {
      expect([answer.status, answer.headers.location]).toEqual([400, undefined])
    }
    expect((await confirm(journey.interactionId, 'acr=sca')).status).toBe(303)
  })
})
