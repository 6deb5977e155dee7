import { once } from 'node:events'
import { connect as connectTcp } from 'node:net'
import { type ConnectionOptions, connect, createServer, getCiphers, type TLSSocket } from 'node:tls'
import { afterEach, beforeAll, describe, expect, test } from 'vitest'
import { SERVER_LIMITS } from '../src/listener.ts'
import { BODY_BYTES_MAX, createDoors, type Doors } from './support/doors.ts'
import { freePort } from './support/free-port.ts'
import { connectRaw, exchangeRaw } from './support/raw-tls.ts'
import { rsaCertificate } from './support/rsa-certificate.ts'

let doors: Doors
beforeAll(async () => {
  doors = await createDoors()
})
afterEach(() => doors.reset())

describe('TLS', () => {
  const handshake = (port: number, options: ConnectionOptions): Promise<TLSSocket | null> =>
    new Promise((resolve) => {
      const socket = connect({
        port,
        host: '127.0.0.1',
        servername: 'one.example',
        rejectUnauthorized: false,
        ...options,
      })
      socket.once('secureConnect', () => {
        socket.destroy()
        resolve(socket)
      })
      socket.once('error', () => resolve(null))
    })
  const old = { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'ALL:@SECLEVEL=0' } as const

  test('1.1 is refused, by us and not by the caller', async () => {
    const port = await doors.open()
    expect(await handshake(port, old)).toBeNull()
    const lenient = createServer({ cert: doors.one.certificate, key: doors.one.key, ...old }).listen(0, '127.0.0.1')
    await once(lenient, 'listening')
    expect(await handshake((lenient.address() as { port: number }).port, old)).not.toBeNull()
    lenient.close()
  })

  test('1.3 is preferred', async () => {
    const socket = await connectRaw(await doors.open(), { servername: 'one.example' })
    expect(socket.getProtocol()).toBe('TLSv1.3')
    socket.destroy()
  })

  test('1.2 has the four suites of FAPI 2.0 and no other', async () => {
    const accepted = async (port: number) => {
      const found: string[] = []
      for (const name of getCiphers().map((each) => each.toUpperCase())) {
        if (name.startsWith('TLS_')) continue
        const tls = { minVersion: 'TLSv1.2', maxVersion: 'TLSv1.2', ciphers: `${name}:@SECLEVEL=0` } as const
        if ((await handshake(port, tls)) !== null) found.push(name)
      }
      return found.sort()
    }
    expect(await accepted(await doors.open())).toEqual([
      'ECDHE-ECDSA-AES128-GCM-SHA256',
      'ECDHE-ECDSA-AES256-GCM-SHA384',
    ])
    await doors.close()
    const port = await freePort()
    const pair = [doors.door('one', port, await rsaCertificate('one.example'), 'none')]
    await doors.openThese(pair)
    expect(await accepted(port)).toEqual(['ECDHE-RSA-AES128-GCM-SHA256', 'ECDHE-RSA-AES256-GCM-SHA384'])
  })
})

/** Ways to make two programs disagree about where a request ends (security 4.4). */
describe('a request that can be read in two ways', () => {
  const SMUGGLED = 'GET /smuggled HTTP/1.1\r\nHost: one.example:PORT\r\n\r\n'
  const CASES: readonly [string, string][] = [
    ['length and chunks', 'Content-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n'],
    ['chunks and length', 'Transfer-Encoding: chunked\r\nContent-Length: 6\r\n\r\n0\r\n\r\n'],
    ['two lengths that differ', 'Content-Length: 0\r\nContent-Length: 5\r\n\r\n'],
    ['two lengths that agree', 'Content-Length: 0\r\nContent-Length: 0\r\n\r\n'],
    ['a list of lengths', 'Content-Length: 0, 5\r\n\r\n'],
    ['a length with a sign', 'Content-Length: +0\r\n\r\n'],
    ['a length in hexadecimal', 'Content-Length: 0x0\r\n\r\n'],
    ['a negative length', 'Content-Length: -1\r\n\r\n'],
    ['an unknown coding', 'Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n'],
    ['chunked that is not last', 'Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n'],
    ['a coding behind a tab in the name', 'Transfer-Encoding\t: chunked\r\n\r\n0\r\n\r\n'],
    ['a space before the colon', 'Content-Length : 0\r\n\r\n'],
    ['a carriage return alone in a value', 'X-Value: a\rContent-Length: 5\r\n\r\n'],
    ['a line feed alone', 'X-Value: a\nContent-Length: 5\r\n\r\n'],
    ['a folded line', 'X-Value: a\r\n Content-Length: 5\r\n\r\n'],
    ['a NUL in a value', 'X-Value: a\0b\r\n\r\n'],
    ['a chunk size that overflows', 'Transfer-Encoding: chunked\r\n\r\nFFFFFFFFFFFFFFFFF\r\n\r\n'],
    ['a chunk size with a sign', 'Transfer-Encoding: chunked\r\n\r\n+0\r\n\r\n'],
    ['a chunk longer than its size', 'Transfer-Encoding: chunked\r\n\r\n1\r\nabc\r\n0\r\n\r\n'],
  ]
  test.each(CASES)('%s', async (_what, rest) => {
    const port = await doors.open()
    const bytes = `POST /body HTTP/1.1\r\nHost: one.example:PORT\r\n${rest}${SMUGGLED}`.replaceAll('PORT', String(port))
    const answer = await exchangeRaw(port, bytes)
    expect(answer).toMatchObject({ statuses: [400], isClosed: true })
    expect(answer.text).not.toContain('"door"')
    expect(answer.text).toMatch(/\r\nx-fapi-interaction-id: [0-9a-f-]{36}\r\n/)
    expect(doors.refusals).toEqual([{ door: null, status: 400, reason: 'unreadable' }])
  })

  test('in the middle of an answer gets none, for it would be taken for a part of that', async () => {
    const port = await doors.open()
    const bytes = `GET /begun HTTP/1.1\r\nHost: one.example:${port}\r\n\r\nno HTTP\r\n\r\n`
    const answer = await exchangeRaw(port, bytes)
    expect(answer).toMatchObject({ isClosed: true })
    expect(answer.statuses.length).toBeLessThanOrEqual(1)
    expect(answer.text).not.toContain('400')
    expect(doors.refusals).toEqual([{ door: null, status: 400, reason: 'unreadable' }])
  })

  test('is not this one, and two of them are both answered', async () => {
    const port = await doors.open()
    const good = `POST /body HTTP/1.1\r\nHost: one.example:${port}\r\nContent-Length: 2\r\n\r\nhi`
    expect((await exchangeRaw(port, good + good)).statuses).toEqual([200, 200])
  })
})

describe('limits', () => {
  test('headers that are too large are refused', async () => {
    const port = await doors.open()
    const headers = (size: number) =>
      `GET / HTTP/1.1\r\nHost: one.example:${port}\r\nX-Large: ${'a'.repeat(size)}\r\n\r\n`
    expect(await exchangeRaw(port, headers(15_000))).toMatchObject({ statuses: [200] })
    const named = { servername: 'one.example' }
    expect(await exchangeRaw(port, headers(16_500), named)).toMatchObject({ statuses: [431], isClosed: true })
    expect(doors.refusals).toEqual([{ door: 'as', status: 431, reason: 'headers' }])
  })

  test.each([
    'Content-Length',
    'chunks',
  ])('a body that is too large is told so, by %s, and its connection closed', async (how) => {
    const port = await doors.open()
    const head = `POST /body HTTP/1.1\r\nHost: one.example:${port}\r\n`
    const large = 'a'.repeat(BODY_BYTES_MAX + 1)
    const bytes =
      how === 'chunks'
        ? `${head}Transfer-Encoding: chunked\r\n\r\n${large.length.toString(16)}\r\n${large}\r\n`
        : `${head}Content-Length: ${large.length}\r\n\r\n${large}`
    const answer = await exchangeRaw(port, bytes)
    expect(answer).toMatchObject({ statuses: [413], isClosed: true })
    expect(answer.text).toMatch(/connection: close/i)
    expect(answer.text).toMatch(/x-fapi-interaction-id: /i)
  })

  const quick = { handshakeTimeout: 300, headersTimeout: 300, requestTimeout: 600, connectionsCheckingInterval: 100 }
  test('a caller who sends headers slowly is cut off', async () => {
    const port = await doors.open({ limits: quick })
    const answer = await exchangeRaw(port, `GET / HTTP/1.1\r\nHost: one.example:${port}\r\nX-Slow: `, { quietMs: 3000 })
    expect(answer).toMatchObject({ statuses: [408], isClosed: true })
    expect(doors.refusals).toEqual([{ door: null, status: 408, reason: 'time' }])
  })

  test('a caller who sends a body slowly is cut off', async () => {
    const port = await doors.open({ limits: quick })
    const head = `POST /body HTTP/1.1\r\nHost: one.example:${port}\r\nContent-Length: 10\r\n\r\nabc`
    expect(await exchangeRaw(port, head, { quietMs: 3000 })).toMatchObject({ isClosed: true })
  })

  test('a caller who never speaks TLS is cut off', async () => {
    const port = await doors.open({ limits: quick })
    const silent = connectTcp(port, '127.0.0.1').resume()
    await once(silent, 'close')
  })

  test('are never off', () => {
    for (const [name, value] of Object.entries(SERVER_LIMITS)) expect(value, name).toBeGreaterThan(0)
    expect(SERVER_LIMITS.headersTimeout).toBeLessThanOrEqual(SERVER_LIMITS.requestTimeout)
  })
})
