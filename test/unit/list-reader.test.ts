/** Reading a revocation list: bounded, from the place that was named, and from no private place that a certificate names. */
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { Milliseconds, Seconds } from '../../src/clock.ts'
import { createListReader, type ListReader } from '../../src/revocation/fetch.ts'
import { type ListSource, startListSource } from '../support/list-source.ts'

let source: ListSource
let readers: ListReader[]
const BYTES_MAX = 1000
const reader = (crlUrls: readonly string[], allowed: readonly string[] = []): ListReader => {
  const config = {
    crl: 'required',
    refreshSeconds: 1 as Seconds,
    believedSeconds: 1 as Seconds,
    bytesMax: BYTES_MAX,
  } as const
  const made = createListReader({ serverCa: null, timeoutMs: 300 as Milliseconds }, { ...config, crlUrls }, allowed)
  readers.push(made)
  return made
}
beforeEach(async () => {
  source = await startListSource()
  readers = []
})
afterEach(async () => {
  for (const each of readers) await each.close()
  await source.close()
})

test('a list that the operator names is read wherever it is', async () => {
  source.publish(Buffer.from('list'))
  expect((await reader([source.url]).fetch(source.url, BYTES_MAX)).toString()).toBe('list')
})

test('a list that a certificate names is not read from a private place, unless the operator allows it', async () => {
  source.publish(Buffer.from('list'))
  const port = new URL(source.url).port
  for (const host of ['127.0.0.1', 'localhost', '2130706433', '0x7f.1', '[::ffff:127.0.0.1]', '169.254.169.254']) {
    await expect(reader([]).fetch(`http://${host}:${port}/x`, BYTES_MAX), host).rejects.toThrow(
      /does not connect there/,
    )
  }
  await expect(reader([]).fetch('file:///etc/passwd', BYTES_MAX)).rejects.toThrow()
  expect(source.asked()).toBe(0)
  expect((await reader([], ['127.0.0.1']).fetch(source.url, BYTES_MAX)).toString()).toBe('list')
})

test('a list that is too long is not read to its end', async () => {
  source.answer((_request, response) => {
    const more = setInterval(() => response.write(Buffer.alloc(600)), 5)
    response.on('close', () => clearInterval(more))
  })
  await expect(reader([source.url]).fetch(source.url, BYTES_MAX)).rejects.toThrow('too large')
})

test('a source that is slow, or never ends, is left', async () => {
  source.answer(() => {})
  await expect(reader([source.url]).fetch(source.url, BYTES_MAX)).rejects.toThrow(/abort|timeout/i)
  source.answer((_request, response) => {
    const more = setInterval(() => response.write('x'), 20)
    response.on('close', () => clearInterval(more))
  })
  await expect(reader([source.url]).fetch(source.url, BYTES_MAX)).rejects.toThrow(/abort|timeout/i)
})

test.each([301, 302, 307, 404, 500])('an answer %i is no list, and leads nowhere', async (status) => {
  source.answer((_request, response) => void response.writeHead(status, { location: `${source.url}2` }).end('list'))
  await expect(reader([source.url]).fetch(source.url, BYTES_MAX)).rejects.toThrow(`answered ${status}`)
  expect(source.asked()).toBe(1)
})
