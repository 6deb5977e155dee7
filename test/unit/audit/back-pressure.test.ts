import { expect, test } from 'vitest'
import { type Backlog, createBackPressure } from '../../../src/audit/back-pressure.ts'
import { createGroupCommit } from '../../../src/audit/group-commit.ts'

const settle = () => new Promise((resolve) => setImmediate(resolve))

/** A writer under a clock that only resting and the test move, and a log that is as the test says. */
function rig() {
  let now = 0
  const asked: number[] = []
  const rests: number[] = []
  const written: number[] = []
  const log: Backlog & { size: number; waitedMs: number; isAway: boolean } = { size: 10, waitedMs: 0, isAway: false }
  /** What becomes of the log while the writer rests. */
  const during: { rest: () => void } = { rest: () => {} }
  const pressure = createBackPressure({
    backlog: async () => {
      asked.push(now)
      if (log.isAway) throw new Error('no database')
      return { ...log }
    },
    restAfterMs: 1_000,
    monotonic: () => now,
    pause: async (ms) => {
      rests.push(ms)
      now += ms
      during.rest()
    },
  })
  const commits = createGroupCommit<number>({
    write: async (batch) => {
      await pressure.rest()
      pressure.look()
      written.push(...batch)
    },
    batchMax: 1,
    queueMax: 100,
  })
  const write = async (item: number, afterMs = 0): Promise<void> => {
    now += afterMs
    await commits.add([item])
    await settle()
  }
  /** As a sealer at work leaves it that does not keep up. */
  const fallBehind = async (): Promise<void> => {
    await write(0)
    Object.assign(log, { size: log.size + 1, waitedMs: 1_001 })
    await write(0, 250)
    rests.length = 0
    written.length = 0
  }
  return { log, asked, rests, written, during, pressure, commits, write, fallBehind, clock: () => now }
}

test('while the sealer keeps up nobody rests, and the log is asked four times a second at most', async () => {
  const { asked, rests, log, write } = rig()
  for (let item = 0; item < 100; item += 1) {
    log.size += 1
    log.waitedMs = 1_000
    await write(item, 10)
  }
  expect(rests).toEqual([])
  expect(asked).toEqual([10, 260, 510, 760])
})

test('behind a sealer at work a writer rests until the oldest entry is young enough', async () => {
  const { rests, written, during, log, pressure, write, fallBehind } = rig()
  await fallBehind()
  during.rest = () => {
    expect(written).toEqual([])
    log.size += 1
    if (rests.length === 3) log.waitedMs = 900
  }
  await write(1)
  expect([rests, written, pressure.restedMs()]).toEqual([[250, 250, 250], [1], 750])
  await write(2)
  expect([rests.length, written]).toEqual([3, [1, 2]])
})

test('what was over before the next batch is not rested for', async () => {
  const { rests, log, write, fallBehind } = rig()
  await fallBehind()
  log.waitedMs = 0
  await write(1, 60_000)
  expect(rests).toEqual([])
})

test('no call waits longer than a second for its batch, however far behind the sealer is', async () => {
  const { rests, written, during, log, write, fallBehind } = rig()
  await fallBehind()
  during.rest = () => {
    log.size += 1
  }
  await write(1)
  await write(2)
  expect([rests.length, written]).toEqual([8, [1, 2]])
})

test('for a sealer that has died writers rest three seconds in all, and then never again', async () => {
  const { rests, written, write, fallBehind } = rig()
  await fallBehind()
  for (let item = 1; item <= 50; item += 1) await write(item)
  expect(written).toHaveLength(50)
  expect(rests.length * 250).toBeLessThanOrEqual(3_000)
  rests.length = 0
  await write(51, 250)
  expect(rests).toEqual([])
})

test('for a sealer that has never been there nobody rests; when it comes and lags, they do', async () => {
  const { rests, log, write } = rig()
  log.waitedMs = 3_600_000
  for (let item = 0; item < 20; item += 1) await write(item, 100)
  expect(rests).toEqual([])
  log.size += 1
  await write(20, 250)
  await write(21)
  expect(rests.length).toBeGreaterThan(0)
})

test('growth of which nobody knows when it was is no sign of life', async () => {
  const { rests, log, write } = rig()
  await write(0)
  Object.assign(log, { size: log.size + 1, waitedMs: 5_000 })
  await write(1, 60_000)
  await write(2)
  expect(rests).toEqual([])
})

test('a database that does not answer holds nobody up, and closing waits for the answer', async () => {
  const { rests, log, asked, pressure, commits, write, fallBehind } = rig()
  await fallBehind()
  log.isAway = true
  await write(1, 250)
  expect(rests).toEqual([])
  await commits.add([2])
  await commits.close()
  await pressure.close()
  expect(asked.length).toBeGreaterThan(2)
})
