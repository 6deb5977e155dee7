/** All that the engine does in a request is written together or not at all; what it must see of it, it sees before. */
import { randomUUID } from 'node:crypto'
import { errors } from 'oidc-provider'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { RecordsDeps } from '../../../src/auth-server/engine-records.ts'
import { createUnits, type InUnit, type Unit } from '../../../src/auth-server/unit-of-work.ts'
import { query } from '../../../src/db.ts'
import { clockAt, type Engine, startEngine } from './engine.ts'

const NOW = Math.floor(Date.now() / 1000)
const clock = clockAt(NOW)
let engine: Engine
let deps: RecordsDeps
let inUnit: InUnit
let detached: string[]
beforeAll(async () => {
  engine = await startEngine(clock)
  detached = []
  deps = { db: engine.database.db, clock, detachGrant: async (_tx, grantId) => void detached.push(grantId) }
  inUnit = createUnits(deps)
})
afterAll(() => engine.database.close())

const done = async () => {}
const commit = <T>(work: (unit: Unit) => Promise<T>) =>
  inUnit(async (unit) => {
    const result = await work(unit)
    await unit.commit(done)
    return result
  })
const count = async (id: string) =>
  (
    await query(engine.database.db, 'select 1 from oidc_model where payload::text like ? or grant_id = ?', [
      `%${id}%`,
      id,
    ])
  ).rowCount

/** A code and what is behind it, as a redeemable journey has it. */
async function redeemable() {
  const [grantId, code] = [randomUUID(), randomUUID()]
  await engine.adapter('Grant').upsert(grantId, { jti: grantId }, 600)
  await engine.adapter('AuthorizationCode').upsert(code, { jti: code, grantId }, 60)
  return { grantId, code }
}
const redeem = async ({ grantId, code }: { grantId: string; code: string }) => {
  await engine.adapter('ReplayDetection').upsert(randomUUID(), { iss: grantId }, 60)
  await engine.adapter('AuthorizationCode').consume(code)
  await engine.adapter('RefreshToken').upsert(randomUUID(), { grantId }, 600)
}
const held = async (grantId: string) => {
  const sql = 'select model, consumed_at is not null as used from oidc_model where grant_id = ? or payload::text like ?'
  const { rows } = await query<{ model: string; used: boolean }>(engine.database.db, sql, [grantId, `%${grantId}%`])
  return rows.map(({ model, used }) => (used ? `${model} used` : model)).sort()
}
const BEFORE = ['AuthorizationCode', 'Grant']
const REDEEMED = ['AuthorizationCode used', 'Grant', 'RefreshToken', 'ReplayDetection']

test('nothing is written before the commit, and everything with it', async () => {
  const given = await redeemable()
  await inUnit(async (unit) => {
    await redeem(given)
    expect(await held(given.grantId)).toEqual(BEFORE)
    await unit.commit(done)
  })
  expect(await held(given.grantId)).toEqual(REDEEMED)
})

test('what is joined fails, and nothing is written', async () => {
  const given = await redeemable()
  const work = commit(async (unit) => {
    await redeem(given)
    unit.join(async () => {
      throw new Error('the consent has ended')
    })
  })
  await expect(work).rejects.toThrow('the consent has ended')
  expect(await held(given.grantId)).toEqual(BEFORE)
})

test('the last words of the transaction fail, and nothing is written', async () => {
  const given = await redeemable()
  const work = inUnit(async (unit) => {
    await redeem(given)
    await unit.commit(async () => {
      throw new Error('no audit entry')
    })
  })
  await expect(work).rejects.toThrow('no audit entry')
  expect(await held(given.grantId)).toEqual(BEFORE)
})

describe('of eight at once', () => {
  const outcomes = async (work: () => Promise<unknown>) => {
    const settled = await Promise.allSettled(Array.from({ length: 8 }, work))
    const faults = settled.flatMap((each) => (each.status === 'rejected' ? [each.reason] : []))
    return { done: 8 - faults.length, faults }
  }

  test('one redeems the code, and only its tokens are there', async () => {
    const given = await redeemable()
    const { done, faults } = await outcomes(() => commit(() => redeem(given)))
    expect(done).toBe(1)
    for (const fault of faults) expect(fault).toBeInstanceOf(errors.InvalidGrant)
    expect(await held(given.grantId)).toEqual(REDEEMED)
  })

  test('one uses the jti, and the others leave nothing', async () => {
    const [jti, ids] = [randomUUID(), Array.from({ length: 8 }, () => randomUUID())]
    const left = [...ids]
    const { done, faults } = await outcomes(() =>
      commit(async () => {
        await engine.adapter('ReplayDetection').upsert(jti, { jti }, 60)
        await engine.adapter('PushedAuthorizationRequest').upsert(randomUUID(), { request: left.pop() ?? '' }, 60)
      }),
    )
    expect(done).toBe(1)
    for (const fault of faults) expect(fault).toBeInstanceOf(errors.InvalidClientAuth)
    expect((await Promise.all(ids.map(count))).reduce((sum, each) => sum + each)).toBe(1)
  })
})

test('a refused request keeps what it took away, and gives nothing', async () => {
  const given = await redeemable()
  await inUnit(async (unit) => {
    await redeem(given)
    unit.withdraw()
    await unit.commit(done)
  })
  expect(await held(given.grantId)).toEqual([...BEFORE, 'ReplayDetection'])
  await inUnit(async (unit) => {
    await engine.adapter('RefreshToken').revokeByGrantId(given.grantId)
    await engine.adapter('Grant').destroy(given.grantId)
    expect(unit.endsGrant()).toBe(true)
    unit.withdraw()
    await unit.commit(done)
  })
  expect(await held(given.grantId)).toEqual(['ReplayDetection'])
  expect(detached).toContain(given.grantId)
})

test('a grant that is spared after all stays, with everything under it', async () => {
  const given = await redeemable()
  await commit(() => redeem(given))
  await commit(async (unit) => {
    await engine.adapter('RefreshToken').revokeByGrantId(given.grantId)
    await engine.adapter('AuthorizationCode').revokeByGrantId(given.grantId)
    await engine.adapter('Grant').destroy(given.grantId)
    unit.spareGrants()
  })
  expect(await held(given.grantId)).toEqual(REDEEMED)
})

test('a request that is nobody’s leaves nothing at all', async () => {
  const given = await redeemable()
  await inUnit(async (unit) => {
    await redeem(given)
    await engine.adapter('Grant').destroy(given.grantId)
    expect(unit.isEmpty()).toBe(false)
    unit.forget()
    expect(unit.isEmpty()).toBe(true)
  })
  expect(await held(given.grantId)).toEqual(BEFORE)
})

test('a request sees what it has done itself', async () => {
  const { code } = await redeemable()
  await inUnit(async (unit) => {
    const [id, interaction] = [randomUUID(), engine.adapter('Interaction')]
    await interaction.upsert(id, { jti: id, returnTo: 'first' }, 60)
    await interaction.upsert(id, { jti: id, returnTo: 'second' }, 60)
    expect(await interaction.find(id)).toMatchObject({ returnTo: 'second' })
    await interaction.destroy(id)
    expect(await interaction.find(id)).toBeUndefined()
    expect(unit.gives('Interaction')).toBe(false)
    await engine.adapter('AuthorizationCode').consume(code)
    expect(await engine.adapter('AuthorizationCode').find(code)).toMatchObject({ consumed: NOW })
    await expect(engine.adapter('AuthorizationCode').consume(code)).rejects.toThrow(errors.InvalidGrant)
    await expect(engine.adapter('AuthorizationCode').consume('nobody')).rejects.toThrow(errors.InvalidGrant)
  })
})

test('what one request gathers is not seen by another', async () => {
  const id = randomUUID()
  await inUnit(async () => {
    await engine.adapter('Interaction').upsert(id, { jti: id }, 60)
    await inUnit(async () => expect(await engine.adapter('Interaction').find(id)).toBeUndefined())
  })
  expect(await engine.adapter('Interaction').find(id)).toBeUndefined()
})

test('a transaction that PostgreSQL gave way in is done once more, another fault is not', async () => {
  for (const [code, times] of [
    ['40P01', 2],
    ['57014', 1],
  ] as const) {
    let tries = 0
    const work = inUnit((unit) => {
      unit.join(async () => {
        tries += 1
        throw Object.assign(new Error('no'), { code })
      })
      return unit.commit(done)
    })
    await expect(work).rejects.toThrow('no')
    expect(tries).toBe(times)
  }
})
