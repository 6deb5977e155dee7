import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Clock, toInstant } from '../../src/clock.ts'
import { createDeviations } from '../../src/deviations/index.ts'
import { createLog } from '../../src/log.ts'
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts'

const log = createLog({ level: 'silent', name: 'test' })
let database: TestDatabase
let now = Date.parse('2026-03-01T10:00:00Z')
const clock: Clock = { now: () => toInstant(now) }
const open = () => createDeviations({ db: database.db, clock, log })
beforeAll(async () => {
  database = await createTestDatabase()
})
afterAll(() => database.close())

describe('deviations', () => {
  test('are counted by operation, path and rule, over processes and time', async () => {
    const [one, other] = [open(), open()]
    one.note('findAccounts', { 'data[].status enum': 2, ' content-type': 1 })
    await one.list()
    now += 60_000
    other.note('findAccounts', { 'data[].status enum': 3 })
    other.note('GetProducts', { 'data[].status enum': 1 })
    expect(await other.list()).toEqual([
      {
        operationId: 'findAccounts',
        path: 'data[].status',
        rule: 'enum',
        count: 5,
        firstAt: '2026-03-01T10:00:00.000Z',
        lastAt: '2026-03-01T10:01:00.000Z',
      },
      {
        operationId: 'GetProducts',
        path: 'data[].status',
        rule: 'enum',
        count: 1,
        firstAt: '2026-03-01T10:01:00.000Z',
        lastAt: '2026-03-01T10:01:00.000Z',
      },
      {
        operationId: 'findAccounts',
        path: '',
        rule: 'content-type',
        count: 1,
        firstAt: '2026-03-01T10:00:00.000Z',
        lastAt: '2026-03-01T10:00:00.000Z',
      },
    ])
    await Promise.all([one.close(), other.close()])
  })

  test('are written by the time that a process ends', async () => {
    const one = open()
    one.note('getAtms', { 'data required': 1 })
    await one.close()
    const other = open()
    expect((await other.list()).map(({ operationId }) => operationId)).toContain('getAtms')
    await other.close()
  })

  test('do not tell a number that an LFI has made the name of a member', async () => {
    const one = open()
    one.note('findAccounts', { 'data[].784199012345678.x additionalProperties': 1 })
    expect(JSON.stringify(await one.list())).not.toContain('7841')
    await one.close()
  })

  test('are forgotten on request', async () => {
    const one = open()
    one.note('findAccounts', { 'data type': 1 })
    await one.clear()
    expect(await one.list()).toEqual([])
    await one.close()
  })

  test('are bounded, whatever an LFI invents; what is known already is counted all the same', async () => {
    const one = open()
    for (let round = 0; round < 3; round++) {
      one.note('findAccounts', { 'known rule': 1 })
      one.note(
        'findAccounts',
        Object.fromEntries(Array.from({ length: 400 }, (_, at) => [`m${round}x${'a'.repeat(at % 7)}${at} rule`, 1])),
      )
      await one.list()
    }
    const found = await one.list()
    expect(found).toHaveLength(500)
    expect(found[0]).toMatchObject({ path: 'known', count: 3 })
    await one.close()
  })
})
