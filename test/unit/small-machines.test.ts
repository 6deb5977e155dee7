/** Parts with a little state or a stream in them: the replay memory, the timer, bodies. */

import type { IncomingMessage } from 'node:http'
import { PassThrough } from 'node:stream'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { mediaType, parseForm, parseJson, readBody } from '../../src/body.ts'
import { toHubError } from '../../src/errors.ts'
import { createLog } from '../../src/log.ts'
import { createReplayMemory } from '../../src/replay.ts'
import { every } from '../../src/timer.ts'
import { handClock } from '../support/clock.ts'

const codeOf = async (work: () => unknown): Promise<string> => {
  try {
    await work()
    return 'none'
  } catch (thrown) {
    return toHubError(thrown).code
  }
}

describe('the replay memory', () => {
  test('knows a value until its time is over', () => {
    const clock = handClock(0)
    const firstUse = createReplayMemory(clock, 10)
    expect([firstUse('a', 5), firstUse('a', 5), firstUse('b', 5)]).toEqual([true, false, true])
    clock.advance(4999)
    expect(firstUse('a', 9)).toBe(false)
    clock.advance(1)
    expect(firstUse('a', 9)).toBe(true)
  })

  test('holds no more than it may, and is strict when full', () => {
    const clock = handClock(0)
    const firstUse = createReplayMemory(clock, 3)
    for (const [index, value] of ['a', 'b', 'c'].entries()) expect(firstUse(value, index + 1)).toBe(true)
    expect(firstUse('d', 9)).toBe(false)
    clock.advance(1000)
    expect(firstUse('d', 9)).toBe(true)
    expect(firstUse('e', 9)).toBe(false)
    for (const value of ['b', 'c', 'd']) expect(firstUse(value, 9)).toBe(false)
  })

  test('keeps names apart that objects confuse', () => {
    const firstUse = createReplayMemory(handClock(0), 10)
    for (const value of ['__proto__', 'constructor', 'toString']) {
      expect([firstUse(value, 5), firstUse(value, 5)]).toEqual([true, false])
    }
  })
})

describe('the timer', () => {
  afterEach(() => {
    vi.useRealTimers()
  })
  const lines: string[] = []
  const log = createLog({ level: 'error', name: 'test' }, { write: (line) => void lines.push(line) })

  test('never runs twice at once, and waits between runs', async () => {
    vi.useFakeTimers()
    let [running, most, runs] = [0, 0, 0]
    const timer = every(100, 'work', log, async () => {
      runs += 1
      running += 1
      most = Math.max(most, running)
      await new Promise((resolve) => setTimeout(resolve, 250))
      running -= 1
    })
    await vi.advanceTimersByTimeAsync(99)
    expect(runs).toBe(0)
    await vi.advanceTimersByTimeAsync(1000)
    expect([most, runs]).toEqual([1, 3])
    const stopped = timer.stop()
    await vi.advanceTimersByTimeAsync(1000)
    await stopped
    expect(runs).toBe(3)
  })

  test('logs a failure and goes on', async () => {
    vi.useFakeTimers()
    let runs = 0
    const timer = every(10, 'sweep', log, async () => {
      runs += 1
      throw new Error('no luck')
    })
    await vi.advanceTimersByTimeAsync(35)
    await timer.stop()
    expect(runs).toBe(3)
    expect(lines).toHaveLength(3)
    expect(JSON.parse(lines[0] ?? '')).toMatchObject({ msg: 'sweep failed', err: { message: 'no luck' } })
  })

  test('stops after the run that is under way', async () => {
    let finish = (): void => {}
    let isDone = false
    const started = Promise.withResolvers<void>()
    const timer = every(1, 'work', log, async () => {
      started.resolve()
      await new Promise<void>((resolve) => {
        finish = resolve
      })
      isDone = true
    })
    await started.promise
    const stopped = timer.stop().then(() => isDone)
    finish()
    expect(await stopped).toBe(true)
  })
})

describe('a body', () => {
  const request = (chunks: readonly string[], headers: Record<string, string> = {}): IncomingMessage => {
    const stream = new PassThrough()
    for (const chunk of chunks) stream.write(chunk)
    stream.end()
    return Object.assign(stream, { headers }) as unknown as IncomingMessage
  }

  test('is read whole up to the limit', async () => {
    expect((await readBody(request(['ab', 'cd']), 4)).toString()).toBe('abcd')
    expect((await readBody(request([]), 4)).length).toBe(0)
  })

  test('beyond the limit is refused, declared or not, and the stream is left alone', async () => {
    expect(await codeOf(() => readBody(request(['abcde']), 4))).toBe('PayloadTooLarge')
    expect(await codeOf(() => readBody(request([], { 'content-length': '5' }), 4))).toBe('PayloadTooLarge')
    const stream = request(['abc', 'def', 'ghi'])
    expect(await codeOf(() => readBody(stream, 4))).toBe('PayloadTooLarge')
    expect(stream.destroyed).toBe(false)
  })

  test('of a caller who leaves is no body', async () => {
    const stream = new PassThrough()
    const read = readBody(Object.assign(stream, { headers: {} }) as unknown as IncomingMessage, 10)
    stream.destroy(new Error('aborted'))
    await expect(read).rejects.toThrow('aborted')
  })

  test.each([
    '',
    '{',
    '{"a":1}x',
    "{'a':1}",
    'NaN',
    '\ufeff{}',
    '\xff',
  ])('that is no JSON is refused: %j', async (text) => {
    expect(await codeOf(() => parseJson(Buffer.from(text, text === '\xff' ? 'latin1' : 'utf8')))).toBe(
      text === '\ufeff{}' ? 'none' : 'Body.InvalidFormat',
    )
  })

  test('of a form names each parameter once', async () => {
    expect([...parseForm(Buffer.from('a=1&b=%20&c='))]).toEqual([
      ['a', '1'],
      ['b', ' '],
      ['c', ''],
    ])
    for (const text of ['a=1&a=1', 'a=1&b=2&%61=3']) {
      expect(await codeOf(() => parseForm(Buffer.from(text)))).toBe('Body.InvalidFormat')
    }
    expect(parseForm(Buffer.from('__proto__=x')).get('__proto__')).toBe('x')
  })

  test.each([
    ['application/json', 'application/json'],
    ['Application/JWT; charset=utf-8', 'application/jwt'],
    [' text/plain ;x', 'text/plain'],
    [undefined, ''],
    ['', ''],
  ])('has a media type: %s', (header, type) => {
    expect(mediaType(header)).toBe(type)
  })
})
