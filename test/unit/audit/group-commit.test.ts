import { describe, expect, test } from 'vitest'
import { createGroupCommit } from '../../../src/audit/group-commit.ts'

/** A disk that is slow, and that the test lets finish one write at a time. */
function slowDisk() {
  const writes: { batch: readonly number[]; finish: PromiseWithResolvers<void> }[] = []
  const write = (batch: readonly number[]): Promise<void> => {
    const finish = Promise.withResolvers<void>()
    writes.push({ batch, finish })
    return finish.promise
  }
  return { writes, write, batches: () => writes.map(({ batch }) => batch) }
}

const settle = () => new Promise((resolve) => setImmediate(resolve))

async function stateOf(promise: Promise<void>): Promise<string> {
  const pending = settle().then(() => 'pending')
  return Promise.race([
    promise.then(
      () => 'stored',
      (thrown) => thrown.code ?? thrown.message,
    ),
    pending,
  ])
}

describe('group commit', () => {
  test('shares the next write among all who come during one', async () => {
    const disk = slowDisk()
    const commits = createGroupCommit({ write: disk.write, batchMax: 100, queueMax: 100 })
    const calls = [1, 2, 3].map((each) => commits.add([each, each * 10]))
    expect(disk.batches()).toEqual([[1, 10]])
    disk.writes[0]?.finish.resolve()
    await settle()
    expect(disk.batches()).toEqual([
      [1, 10],
      [2, 20, 3, 30],
    ])
    expect(await Promise.all(calls.map(stateOf))).toEqual(['stored', 'pending', 'pending'])
    disk.writes[1]?.finish.resolve()
    expect(await Promise.all(calls.map(stateOf))).toEqual(['stored', 'stored', 'stored'])
  })

  test('fails all callers of a failed write, and nobody else', async () => {
    const disk = slowDisk()
    const commits = createGroupCommit({ write: disk.write, batchMax: 100, queueMax: 100 })
    const calls = [1, 2, 3].map((each) => commits.add([each]))
    const states = Promise.all(
      calls.map((call) =>
        call.then(
          () => 'stored',
          (thrown) => thrown.code,
        ),
      ),
    )
    disk.writes[0]?.finish.resolve()
    await settle()
    const late = commits.add([4])
    disk.writes[1]?.finish.reject(new Error('disk'))
    await settle()
    disk.writes[2]?.finish.resolve()
    expect(await states).toEqual(['stored', 'GenericRecoverableError', 'GenericRecoverableError'])
    expect(await stateOf(late)).toBe('stored')
  })

  test('never splits a call, and keeps batches within their limit otherwise', async () => {
    const disk = slowDisk()
    const commits = createGroupCommit({ write: disk.write, batchMax: 3, queueMax: 100 })
    const calls = [[1], [2, 3], [4], [5, 6, 7, 8], [9]].map((items) => commits.add(items))
    for (let index = 0; index < 5; index += 1) {
      disk.writes[index]?.finish.resolve()
      await settle()
    }
    await Promise.all(calls)
    expect(disk.batches()).toEqual([[1], [2, 3, 4], [5, 6, 7, 8], [9]])
  })

  test('refuses beyond its limit, and recovers', async () => {
    const disk = slowDisk()
    const commits = createGroupCommit({ write: disk.write, batchMax: 100, queueMax: 2 })
    const calls = [commits.add([0]), commits.add([1]), commits.add([2])]
    expect(await stateOf(commits.add([3]))).toBe('GenericRecoverableError')
    disk.writes[0]?.finish.resolve()
    await settle()
    disk.writes[1]?.finish.resolve()
    await Promise.all(calls)
    const again = commits.add([4])
    disk.writes[2]?.finish.resolve()
    expect(await stateOf(again)).toBe('stored')
    expect(disk.batches()).toEqual([[0], [1, 2], [4]])
  })

  test('closes after what it has accepted, and accepts no more', async () => {
    const disk = slowDisk()
    const commits = createGroupCommit({ write: disk.write, batchMax: 100, queueMax: 100 })
    const calls = [commits.add([1]), commits.add([2])]
    const closed = commits.close()
    expect(await stateOf(commits.add([3]))).toBe('GenericRecoverableError')
    expect(await stateOf(closed)).toBe('pending')
    disk.writes[0]?.finish.resolve()
    await settle()
    disk.writes[1]?.finish.resolve()
    await closed
    expect(await Promise.all(calls.map(stateOf))).toEqual(['stored', 'stored'])
  })

  test('has nothing to write for an empty call', async () => {
    const disk = slowDisk()
    await createGroupCommit({ write: disk.write, batchMax: 1, queueMax: 1 }).add([])
    expect(disk.writes).toEqual([])
  })
})
