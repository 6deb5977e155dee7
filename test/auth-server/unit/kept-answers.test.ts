/** Answers that were not handed over: who gets them, for how long, and that nobody reads them without the secret. */
import { EventEmitter } from 'node:events'
import type { ServerResponse } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { KEPT_ANSWER, purgeExpired } from '../../../src/auth-server/engine-records.ts'
import {
  ANSWER_KEPT_SECONDS,
  type AnswerKey,
  createKeptAnswers,
  type KeptAnswers,
} from '../../../src/auth-server/kept-answers.ts'
import { createUnits, type InUnit } from '../../../src/auth-server/unit-of-work.ts'
import { query } from '../../../src/db.ts'
import { createLog } from '../../../src/log.ts'
import { clockAt, type Engine, startEngine } from './engine.ts'

const NOW = Math.floor(Date.now() / 1000)
const LOST_AFTER_SECONDS = 1
const clock = clockAt(NOW)
let engine: Engine
let answers: KeptAnswers
let inUnit: InUnit
beforeAll(async () => {
  engine = await startEngine(clock)
  const { db } = engine.database
  answers = createKeptAnswers({ db, clock, log: createLog({ level: 'silent', name: 'test' }) })
  inUnit = createUnits({ db, clock, detachGrant: async () => {} })
})
afterEach(async () => {
  clock.set(NOW)
  await query(engine.database.db, 'delete from oidc_model')
})
afterAll(() => engine.database.close())

const KEY: AnswerKey = { secret: 'the code', about: ['client', 'certificate', 'key'] }
const ANSWER = { access_token: 'very secret' }
const response = (statusCode = 200) => Object.assign(new EventEmitter(), { statusCode }) as unknown as ServerResponse
const keep = (to = response(), grantId: string | null = null) =>
  inUnit(async (unit) => {
    await answers.keep(unit, to, KEY, { answer: ANSWER, grantId })
    await unit.commit(async () => {})
  })
const rows = async () =>
  (await query<{ row: string }>(engine.database.db, 'select oidc_model::text as row from oidc_model')).rows

test('an answer that is lost is had again, and again until it has arrived', async () => {
  await keep()
  clock.set(NOW + LOST_AFTER_SECONDS)
  expect(await answers.again(response(), KEY)).toEqual(ANSWER)
  const arriving = response()
  expect(await answers.again(arriving, KEY)).toEqual(ANSWER)
  arriving.emit('finish')
  await expect.poll(rows).toEqual([])
  expect(await answers.again(response(), KEY)).toBeNull()
})

test('one that leaves is gone; one that turned into a refusal, or did not leave, is not', async () => {
  const [refused, cut, left] = [response(500), response(), response()]
  for (const each of [refused, cut, left]) await keep(each)
  refused.emit('finish')
  cut.emit('close')
  await sleep(50)
  expect(await rows()).toHaveLength(1)
  left.emit('finish')
  await expect.poll(rows).toEqual([])
})

test('who asks while it is on its way waits, and gets nothing when it has left', async () => {
  const leaving = response()
  await keep(leaving)
  const beside = answers.again(response(), KEY)
  expect(await Promise.race([beside, sleep(100, 'still waiting')])).toBe('still waiting')
  leaving.emit('finish')
  expect(await beside).toBeNull()
})

test('who waits long enough gets it, however late the clock is', async () => {
  await keep()
  clock.set(NOW - 3600)
  expect(await answers.again(response(), KEY)).toEqual(ANSWER)
})

test.each<[string, AnswerKey]>([
  ['another secret', { ...KEY, secret: 'another code' }],
  ['another client', { ...KEY, about: ['other', 'certificate', 'key'] }],
  ['another certificate', { ...KEY, about: ['client', 'other', 'key'] }],
  ['another DPoP key', { ...KEY, about: ['client', 'certificate', ''] }],
  ['members that only read alike', { ...KEY, about: ['client', 'certificatekey', ''] }],
])('with %s there is none, without waiting', async (_name, key) => {
  await keep()
  expect(await Promise.race([answers.again(response(), key), sleep(500, 'waiting')])).toBeNull()
})

test('it is gone after its time, and from the table with the next purge', async () => {
  await keep()
  clock.set(NOW + ANSWER_KEPT_SECONDS - 1)
  expect(await answers.again(response(), KEY)).toEqual(ANSWER)
  clock.set(NOW + ANSWER_KEPT_SECONDS)
  expect(await answers.again(response(), KEY)).toBeNull()
  await purgeExpired(engine.database.db, new Date(clock.now() + 1), 1800)
  expect(await rows()).toEqual([])
})

test('the table tells nothing of it, and it ends with its grant', async () => {
  await keep(response(), 'grant')
  const [held] = await rows()
  expect(held?.row).toContain(KEPT_ANSWER)
  for (const secret of ['very secret', 'access_token', KEY.secret, 'client', 'certificate']) {
    expect(held?.row).not.toContain(secret)
  }
  await engine.adapter('Grant').destroy('grant')
  expect(await rows()).toEqual([])
})
