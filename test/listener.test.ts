import { once } from 'node:events'
import { Agent } from 'node:https'
import { connect as connectTcp } from 'node:net'
import { text } from 'node:stream/consumers'
import { afterEach, beforeAll, describe, expect, test } from 'vitest'
import { isUuid } from '../src/ids.ts'
import type { ClientCertificates } from '../src/listener.ts'
import { type Certificate, createAuthority } from './gateway/support/pki.ts'
import { createDoors, type Doors, OU } from './support/doors.ts'
import { freePort } from './support/free-port.ts'
import { connectRaw, exchangeRaw } from './support/raw-tls.ts'

const INTERACTION = '7f3c6f0e-0d3a-4a35-9d53-0a4a3c3d2b11'

/** How a refused handshake reaches the caller depends on the version and on who notices first. */
const NO_HANDSHAKE = /alert|ECONNRESET|socket hang up|disconnected before secure/

let doors: Doors
let tpp: Certificate
let stranger: Certificate
let impostor: Certificate
beforeAll(async () => {
  doors = await createDoors()
  const subject = { O: 'Wadi, Money', OU, CN: 'app' }
  tpp = await doors.framework.issue(subject)
  stranger = await (await createAuthority('Another Trust Framework')).issue(subject)
  impostor = await (await createAuthority('Test Trust Framework')).issue(subject)
})
afterEach(() => doors.reset())

const required = (): ClientCertificates => ({ mode: 'required', ca: doors.framework.certificate })
const requested = (): ClientCertificates => ({ mode: 'requested', ca: doors.framework.certificate })

describe('the host', () => {
  test('named by the origin is answered', async () => {
    const port = await doors.open()
    expect(await doors.ask(port)).toMatchObject({ status: 200, body: { door: 'one' } })
    expect(await doors.ask(port, { headers: { host: `ONE.example:${port}` } })).toMatchObject({ status: 200 })
  })

  test.each([
    'evil.example',
    'one.example',
    'one.example:1',
    'one.example.evil.example',
    'localhost',
  ])('is refused when it is %s', async (host) => {
    const port = await doors.open()
    const { status, headers } = await doors.ask(port, { headers: { host } })
    expect(status).toBe(421)
    expect(isUuid(headers['x-fapi-interaction-id'])).toBe(true)
    expect(headers['connection']).toBe('close')
    expect(doors.refusals).toEqual([{ door: 'as', status: 421, reason: 'host' }])
    expect(doors.asked()).toBe(0)
  })

  test('is not believed from a header that proxies write', async () => {
    const port = await doors.open()
    const headers = {
      host: 'evil.example',
      'x-forwarded-host': `one.example:${port}`,
      forwarded: `host=one.example:${port}`,
    }
    expect((await doors.ask(port, { headers })).status).toBe(421)
  })

  const lines = (port: number, ...headers: string[]) =>
    [...headers.map((line) => line.replaceAll('PORT', String(port))), '', ''].join('\r\n')
  test.each<[string, string[], number]>([
    ['with an @', ['GET / HTTP/1.1', 'Host: one.example:PORT@evil.example'], 421],
    ['behind an @', ['GET / HTTP/1.1', 'Host: evil.example@one.example:PORT'], 421],
    ['missing', ['GET / HTTP/1.1'], 400],
    ['missing in HTTP/1.0', ['GET / HTTP/1.0'], 400],
    ['there twice', ['GET / HTTP/1.1', 'Host: one.example:PORT', 'Host: two.example:PORT'], 400],
    ['in an absolute target', ['GET https://one.example:PORT/ HTTP/1.1', 'Host: one.example:PORT'], 421],
    ['other in an absolute target', ['GET https://two.example/ HTTP/1.1', 'Host: one.example:PORT'], 421],
    ['right, the target an asterisk', ['OPTIONS * HTTP/1.1', 'Host: one.example:PORT'], 421],
  ])('%s', async (_what, request, status) => {
    const port = await doors.open()
    const answer = await exchangeRaw(port, lines(port, ...request))
    expect(answer).toMatchObject({ statuses: [status], isClosed: true })
    expect(doors.asked()).toBe(0)
  })

  test('tells two doors on one socket apart, each with its own certificate', async () => {
    const port = await doors.open()
    for (const [name, certificate] of [
      ['one', doors.one],
      ['two', doors.two],
    ] as const) {
      const servername = `${name}.example`
      const { status, body } = await doors.ask(port, { servername, headers: { host: `${name}.example:${port}` } })
      expect([status, body.door]).toEqual([200, name])
      const socket = await connectRaw(port, { servername, ca: doors.framework.certificate, rejectUnauthorized: true })
      expect(socket.getPeerX509Certificate()?.toString()).toBe(certificate.certificate.trim().concat('\n'))
      socket.destroy()
    }
  })

  test('is known to TLS in any case, and a stranger gets the first certificate', async () => {
    const port = await doors.open()
    for (const [servername, subject] of [
      ['TWO.example', 'two.example'],
      ['three.example', 'one.example'],
    ]) {
      const socket = await connectRaw(port, { servername: servername ?? '' })
      expect(socket.getPeerX509Certificate()?.subjectAltName).toBe(`DNS:${subject}`)
      socket.destroy()
    }
  })
})

describe('doors on one socket', () => {
  test('must treat client certificates alike', async () => {
    const port = await freePort()
    const pair = [doors.door('one', port, doors.one, 'none'), doors.door('two', port, doors.two, required())]
    await expect(doors.openThese(pair)).rejects.toThrow('client certificates alike')
  })

  test('are all closed again when one socket is taken', async () => {
    const [free, taken] = [await freePort(), await doors.open()]
    const pair = [doors.door('one', free, doors.one, 'none'), doors.door('two', taken, doors.two, 'none')]
    await expect(doors.openThese(pair)).rejects.toThrow(`cannot listen on 127.0.0.1 port ${taken}: EADDRINUSE`)
    await expect(connectRaw(free)).rejects.toThrow('ECONNREFUSED')
  })
})

describe('the interaction id', () => {
  test('of the caller comes back', async () => {
    const port = await doors.open()
    const { headers, body } = await doors.ask(port, { headers: { 'x-fapi-interaction-id': INTERACTION } })
    expect(headers['x-fapi-interaction-id']).toBe(INTERACTION)
    expect(body).toMatchObject({ correlationGiven: true, correlationMalformed: false, correlationId: INTERACTION })
  })

  test.each<[string, Record<string, string | string[]>, boolean]>([
    ['nothing', {}, false],
    ['no UUID', { 'x-fapi-interaction-id': 'abc' }, true],
    ['markup', { 'x-fapi-interaction-id': '<script>' }, true],
    ['two', { 'x-fapi-interaction-id': [INTERACTION, INTERACTION] }, true],
  ])('is minted for a caller who sends %s', async (_what, headers, correlationMalformed) => {
    const port = await doors.open()
    const answer = await doors.ask(port, { headers })
    const minted = answer.headers['x-fapi-interaction-id']
    expect(isUuid(minted)).toBe(true)
    expect(minted).not.toBe(INTERACTION)
    expect(answer.body).toMatchObject({ correlationGiven: false, correlationMalformed, correlationId: minted })
  })
})

describe('a client certificate', () => {
  test('that is not asked for is not seen', async () => {
    const port = await doors.open()
    expect((await doors.ask(port, { cert: tpp.certificate, key: tpp.key })).body.peer).toBeNull()
  })

  test.each([
    'TLSv1.2',
    'TLSv1.3',
  ] as const)('that is requested is seen, and judged by the app (%s)', async (version) => {
    const port = await doors.open({ asking: requested() })
    const tls = { minVersion: version, maxVersion: version }
    expect((await doors.ask(port, tls)).body.peer).toBeNull()
    const good = await doors.ask(port, { ...tls, cert: tpp.certificate, key: tpp.key })
    expect(good.body.peer).toMatchObject({
      trusted: true,
      organisation: 'Wadi, Money',
      organisationId: OU,
      thumbprint: tpp.thumbprint,
    })
    const bad = await doors.ask(port, { ...tls, cert: stranger.certificate, key: stranger.key })
    expect(bad.body.peer).toMatchObject({ trusted: false, organisationId: OU })
  })

  test.each([
    'TLSv1.2',
    'TLSv1.3',
  ] as const)('from an authority of the same name is not trusted (%s)', async (version) => {
    const port = await doors.open({ asking: requested() })
    const tls = { minVersion: version, maxVersion: version, cert: impostor.certificate, key: impostor.key }
    // Node ends a 1.2 connection over the wrong signature without a word.
    const trusted = await doors.ask(port, tls).then(
      ({ body }) => body.peer?.['trusted'],
      () => 'no answer',
    )
    expect(trusted).toBe(version === 'TLSv1.2' ? 'no answer' : false)
  })

  test('that was not trusted is not trusted in a resumed session either', async () => {
    const port = await doors.open({ asking: requested() })
    const options = {
      servername: 'one.example',
      cert: stranger.certificate,
      key: stranger.key,
      maxVersion: 'TLSv1.2',
    } as const
    const first = await connectRaw(port, options)
    const session = first.getSession()
    first.destroy()
    const again = await connectRaw(port, { ...options, ...(session === undefined ? {} : { session }) })
    expect(again.isSessionReused()).toBe(true)
    again.write(`GET / HTTP/1.1\r\nHost: one.example:${port}\r\nConnection: close\r\n\r\n`)
    expect(await text(again)).toContain('"trusted":false')
  })

  test.each(['TLSv1.2', 'TLSv1.3'] as const)('that is required decides the handshake (%s)', async (version) => {
    const port = await doors.open({ asking: required() })
    const tls = { minVersion: version, maxVersion: version }
    expect((await doors.ask(port, { ...tls, cert: tpp.certificate, key: tpp.key })).body.peer).toMatchObject({
      trusted: true,
    })
    await expect(doors.ask(port, tls)).rejects.toThrow(NO_HANDSHAKE)
    await expect(doors.ask(port, { ...tls, cert: stranger.certificate, key: stranger.key })).rejects.toThrow(
      NO_HANDSHAKE,
    )
    expect(doors.asked()).toBe(1)
  })

  test.each([
    'x-forwarded-client-cert',
    'client-cert',
    'ssl-client-cert',
    'x_forwarded_client_cert',
    'X-SSL-Client-Cert',
  ])('is not believed from the header %s', async (name) => {
    const port = await doors.open({ asking: requested() })
    expect((await doors.ask(port, { headers: { [name]: encodeURIComponent(tpp.certificate) } })).body.peer).toBeNull()
  })
})

describe('closing', () => {
  test('answers what is in flight, closes what is idle and takes nothing new', async () => {
    const port = await doors.open({ drainSeconds: 5 })
    const agent = new Agent({ keepAlive: true })
    const idle = await connectRaw(port, { servername: 'one.example' })
    idle.write(`GET / HTTP/1.1\r\nHost: one.example:${port}\r\n\r\n`)
    await once(idle, 'data')
    const slow = doors.ask(port, { path: '/slow', agent })
    await doors.untilAsked(2)
    let isClosed = false
    const closing = doors.close().then(() => {
      isClosed = true
    })
    await once(idle, 'close')
    await expect(connectRaw(port)).rejects.toThrow('ECONNREFUSED')
    expect(isClosed).toBe(false)
    doors.release()
    expect((await slow).status).toBe(200)
    await closing
    agent.destroy()
  })

  test('cuts what takes longer than it may', async () => {
    const port = await doors.open({ drainSeconds: 1 })
    const slow = doors.ask(port, { path: '/slow' })
    const cut = expect(slow).rejects.toThrow(/socket hang up|ECONNRESET/)
    await doors.untilAsked(1)
    const began = performance.now()
    await doors.close()
    expect(performance.now() - began).toBeGreaterThan(900)
    await cut
  })

  test('does not wait for a connection that never got past the handshake', async () => {
    const port = await doors.open({ drainSeconds: 0 })
    const silent = connectTcp(port, '127.0.0.1').resume()
    await once(silent, 'connect')
    const began = performance.now()
    await Promise.all([doors.close(), once(silent, 'close')])
    expect(performance.now() - began).toBeLessThan(2000)
  })
})
