/** How much a door takes at a time: requests, connections, silence; and what becomes of the rest. */
import { once } from 'node:events'
import { connect as connectTcp, type Socket } from 'node:net'
import { text } from 'node:stream/consumers'
import { afterEach, beforeAll, describe, expect, test } from 'vitest'
import type { ListenerRole } from '../src/config.ts'
import { createCapacity } from '../src/listener.ts'
import type { Certificate } from './gateway/support/pki.ts'
import { createDoors, type Doors, OU } from './support/doors.ts'
import { connectRaw, exchangeRaw } from './support/raw-tls.ts'

let doors: Doors
let tpp: Certificate
beforeAll(async () => {
  doors = await createDoors()
  tpp = await doors.framework.issue({ O: 'Wadi', OU, CN: 'app' })
})
afterEach(() => doors.reset())

describe('requests at work', () => {
  const full = async (role: ListenerRole) => {
    const port = await doors.open({ more: { role, capacity: createCapacity(1) }, drainSeconds: 1 })
    const slow = doors.ask(port, { path: '/slow' })
    await doors.untilAsked(1)
    return { port, slow }
  }
  const OAUTH = { error: 'temporarily_unavailable', error_description: expect.stringMatching(/too much/) }
  const LFI = { errorCode: 'GenericRecoverableError', errorMessage: expect.stringMatching(/too much/) }
  const RESOURCE = { Errors: [{ Code: 'GenericRecoverableError', Message: expect.stringMatching(/too much/) }] }

  test.each<[ListenerRole, object]>([
    ['auth', OAUTH],
    ['as', OAUTH],
    ['hh', OAUTH],
    ['rs', RESOURCE],
    ['cm', LFI],
    ['admin', LFI],
  ])('beyond the bound are told to come back, in the words of %s', async (role, body) => {
    const { port, slow } = await full(role)
    const beyond = await doors.ask(port)
    expect([beyond.status, beyond.body]).toEqual([503, body])
    expect(beyond.headers).toMatchObject({ 'retry-after': '1', 'cache-control': 'no-store' })
    expect(beyond.headers['x-fapi-interaction-id']).toMatch(/^[\da-f-]{36}$/)
    expect(doors.refusals).toEqual([{ door: role, status: 503, reason: 'capacity' }])
    doors.release()
    expect((await slow).status).toBe(200)
    expect((await doors.ask(port)).status).toBe(200)
    expect(doors.asked()).toBe(2)
  })

  test('are at work until they end, whether or not the caller waits', async () => {
    const { port, slow } = await full('as')
    slow.catch(() => {})
    const impatient = await connectRaw(port, { servername: 'one.example' })
    impatient.destroy()
    expect((await doors.ask(port)).status).toBe(503)
    doors.release()
    await slow
    const hasty = await connectRaw(port, { servername: 'one.example' })
    hasty.write(`GET /slow HTTP/1.1\r\nHost: one.example:${port}\r\n\r\n`)
    await doors.untilAsked(2)
    hasty.destroy()
    await new Promise((done) => setTimeout(done, 50))
    expect((await doors.ask(port)).status).toBe(503)
    doors.release()
    await new Promise((done) => setTimeout(done, 50))
    expect((await doors.ask(port)).status).toBe(200)
  })

  test('that are refused lose no byte of what follows', async () => {
    const { port, slow } = await full('as')
    const head = `POST /body HTTP/1.1\r\nHost: one.example:${port}\r\nContent-Length: 2\r\n\r\n`
    const smuggled = `${head}hiGET / HTTP/1.1\r\nHost: one.example:${port}\r\n\r\n`
    const answer = await exchangeRaw(port, smuggled)
    expect(answer.statuses.every((status) => status === 503)).toBe(true)
    expect(await exchangeRaw(port, head)).toMatchObject({ statuses: [503], isClosed: true })
    expect(doors.asked()).toBe(1)
    doors.release()
    await slow
  })
})

describe('connections', () => {
  test('on which nothing happens are cut, also while their request is at work', async () => {
    const port = await doors.open({ limits: { timeout: 300 } })
    await expect(doors.ask(port, { path: '/slow' })).rejects.toThrow(/hang up|ECONNRESET/)
    expect(doors.asked()).toBe(1)
  })

  test('beyond the bound are closed, and taken again when there is room', async () => {
    const port = await doors.open({ more: { connectionsMax: 1 } })
    // Two doors share the port, and so its sum.
    const held: Socket[] = await Promise.all([1, 2].map(() => connectRaw(port, { servername: 'one.example' })))
    const beyond = connectTcp(port, '127.0.0.1').resume()
    await once(beyond, 'close')
    for (const socket of held) socket.destroy()
    await Promise.all(held.map((socket) => (socket.closed ? null : once(socket, 'close'))))
    await new Promise((done) => setTimeout(done, 50))
    expect((await doors.ask(port)).status).toBe(200)
  })
})

describe('a TLS connection', () => {
  const asking = () => ({ mode: 'requested', ca: doors.framework.certificate }) as const

  test.each([
    'TLSv1.2',
    'TLSv1.3',
  ] as const)('that is resumed is still the certificate’s that began it (%s)', async (version) => {
    const port = await doors.open({ asking: asking() })
    const tls = {
      servername: 'one.example',
      cert: tpp.certificate,
      key: tpp.key,
      minVersion: version,
      maxVersion: version,
    } as const
    const bytes = `GET / HTTP/1.1\r\nHost: one.example:${port}\r\nConnection: close\r\n\r\n`
    const first = await connectRaw(port, tls)
    // With 1.2 it is part of the handshake, with 1.3 it comes later.
    let session: Buffer | undefined = first.getSession()
    first.on('session', (later: Buffer) => {
      session = later
    })
    first.write(bytes)
    expect(await text(first)).toContain(tpp.thumbprint)
    // Another certificate is offered with the session, and none is: both times it is the first one's.
    const stranger = await doors.framework.issue({ O: 'Wadi', OU, CN: 'other' })
    for (const own of [tls, { ...tls, cert: stranger.certificate, key: stranger.key }]) {
      const again = await connectRaw(port, { ...own, ...(session === undefined ? {} : { session }) })
      expect(again.isSessionReused()).toBe(true)
      again.write(bytes)
      const answer = await text(again)
      expect(answer).toContain(tpp.thumbprint)
      expect(answer).toContain('"trusted":true')
      expect(answer).not.toContain(stranger.thumbprint)
    }
  })

  test('is not renegotiated, which could change whose it is', async () => {
    const port = await doors.open({ asking: asking() })
    const socket = await connectRaw(port, { servername: 'one.example', maxVersion: 'TLSv1.2' })
    const outcome = await new Promise<string>((resolve) => {
      socket.on('close', () => resolve('closed'))
      socket.renegotiate({ rejectUnauthorized: false }, (error) => resolve(error === null ? 'renegotiated' : 'refused'))
      socket.setTimeout(2000, () => resolve('ignored'))
    })
    socket.destroy()
    expect(outcome).not.toBe('renegotiated')
  })
})
