import { once } from 'node:events'
import { Agent, type RequestOptions, request } from 'node:https'
import { connect as connectTcp } from 'node:net'
import { text } from 'node:stream/consumers'
import { type ConnectionOptions, connect, createServer, getCiphers, type TLSSocket } from 'node:tls'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { readBody } from '../src/body.ts'
import { systemClock, toSeconds } from '../src/clock.ts'
import { toHubError } from '../src/errors.ts'
import { isUuid, type TenantId } from '../src/ids.ts'
import {
  type ClientCertificates,
  createApp,
  type Door,
  type Listeners,
  openDoors,
  SERVER_LIMITS,
} from '../src/listener.ts'
import { createLog } from '../src/log.ts'
import { Secret } from '../src/secret.ts'
import { type Authority, type Certificate, createAuthority } from './gateway/support/pki.ts'
import { freePort } from './support/free-port.ts'
import { connectRaw, exchangeRaw } from './support/raw-tls.ts'
import { rsaCertificate } from './support/rsa-certificate.ts'

const log = createLog({ level: 'silent', name: 'test' })
const INTERACTION = '7f3c6f0e-0d3a-4a35-9d53-0a4a3c3d2b11'
const BODY_BYTES_MAX = 1000
const OU = 'cd7e71fa-1863-44be-9ce1-e3add79d70f8'

let framework: Authority
let rogue: Authority
let one: Certificate
let two: Certificate
let tpp: Certificate
let stranger: Certificate
beforeAll(async () => {
  framework = await createAuthority('Test Trust Framework')
  rogue = await createAuthority('Test Trust Framework')
  one = await framework.issue({ O: 'Hub', dns: 'one.example' })
  two = await framework.issue({ O: 'Hub', dns: 'two.example' })
  tpp = await framework.issue({ O: 'Wadi, Money', OU, CN: 'app' })
  stranger = await rogue.issue({ O: 'Wadi, Money', OU, CN: 'app' })
})

/** How often an app was asked: what the listener refuses never gets there. */
let asked = 0
let release: () => void
let listeners: Listeners | null = null
afterEach(async () => {
  release?.()
  await listeners?.close()
  listeners = null
  asked = 0
})

function door(
  name: string,
  port: number,
  certificate: { certificate: string; key: string },
  asking: ClientCertificates,
): Door {
  const app = createApp({ log, clock: systemClock })
  app.use(async (ctx) => {
    asked += 1
    if (ctx.path === '/slow') {
      await new Promise<void>((resolve) => {
        release = resolve
      })
    }
    if (ctx.path === '/body') {
      try {
        await readBody(ctx.req, BODY_BYTES_MAX)
      } catch (thrown) {
        ctx.status = toHubError(thrown).status
        ctx.body = ''
        return
      }
    }
    const { correlationGiven, correlationMalformed, correlationId, peer } = ctx.state
    ctx.body = { door: name, correlationGiven, correlationMalformed, correlationId, peer }
  })
  const listener = {
    origin: `https://${name}.example:${port}`,
    address: '127.0.0.1',
    port,
    certificate: certificate.certificate,
    key: new Secret(certificate.key),
  }
  return { tenantId: 'aurora' as TenantId, role: 'as', listener, clientCertificates: asking, app }
}

const required = (): ClientCertificates => ({ mode: 'required', ca: framework.certificate })
const requested = (): ClientCertificates => ({ mode: 'requested', ca: framework.certificate })

async function open(asking: ClientCertificates = 'none', drain = 0, limits = {}): Promise<number> {
  const port = await freePort()
  const doors = [door('one', port, one, asking), door('two', port, two, asking)]
  listeners = await openDoors(doors, { log, drainSeconds: toSeconds(drain), limits: { ...SERVER_LIMITS, ...limits } })
  return port
}

type Body = {
  door: string
  correlationGiven: boolean
  correlationMalformed: boolean
  peer: Record<string, unknown> | null
}
async function ask(port: number, options: RequestOptions & { readonly host?: string } = {}) {
  const { headers, body, ...others } = options as RequestOptions & { body?: string }
  const sent = request({
    port,
    host: '127.0.0.1',
    servername: 'one.example',
    ca: framework.certificate,
    agent: false,
    ...others,
    headers: { host: `one.example:${port}`, ...headers },
  })
  sent.end(body)
  const [response] = await once(sent, 'response')
  const answer = await text(response)
  return {
    status: response.statusCode as number,
    headers: response.headers,
    body: (answer === '' ? null : JSON.parse(answer)) as Body,
  }
}

describe('the host', () => {
  test('named by the origin is answered', async () => {
    const port = await open()
    expect(await ask(port)).toMatchObject({ status: 200, body: { door: 'one' } })
    expect(await ask(port, { headers: { host: `ONE.example:${port}` } })).toMatchObject({ status: 200 })
  })

  test.each([
    'evil.example',
    'one.example',
    'one.example:1',
    'one.example.evil.example',
    'localhost',
  ])('is refused when it is %s', async (host) => {
    const port = await open()
    const { status, headers } = await ask(port, { headers: { host } })
    expect(status).toBe(421)
    expect(isUuid(headers['x-fapi-interaction-id'])).toBe(true)
    expect(headers['connection']).toBe('close')
    expect(asked).toBe(0)
  })

  test('is not believed from a header that proxies write', async () => {
    const port = await open()
    const headers = {
      host: 'evil.example',
      'x-forwarded-host': `one.example:${port}`,
      forwarded: `host=one.example:${port}`,
    }
    expect((await ask(port, { headers })).status).toBe(421)
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
    const port = await open()
    const answer = await exchangeRaw(port, lines(port, ...request))
    expect(answer).toMatchObject({ statuses: [status], isClosed: true })
    expect(asked).toBe(0)
  })

  test('tells two doors on one socket apart, each with its own certificate', async () => {
    const port = await open()
    for (const [name, certificate] of [
      ['one', one],
      ['two', two],
    ] as const) {
      const servername = `${name}.example`
      const { status, body } = await ask(port, { servername, headers: { host: `${name}.example:${port}` } })
      expect([status, body.door]).toEqual([200, name])
      const socket = await connectRaw(port, { servername, ca: framework.certificate, rejectUnauthorized: true })
      expect(socket.getPeerX509Certificate()?.toString()).toBe(certificate.certificate.trim().concat('\n'))
      socket.destroy()
    }
  })

  test('is known to TLS in any case, and a stranger gets the first certificate', async () => {
    const port = await open()
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
    const doors = [door('one', port, one, 'none'), door('two', port, two, required())]
    await expect(openDoors(doors, { log, drainSeconds: toSeconds(0) })).rejects.toThrow('client certificates alike')
  })

  test('are all closed again when one socket is taken', async () => {
    const [free, taken] = [await freePort(), await open()]
    const doors = [door('one', free, one, 'none'), door('two', taken, two, 'none')]
    await expect(openDoors(doors, { log, drainSeconds: toSeconds(0) })).rejects.toThrow(
      `cannot listen on 127.0.0.1 port ${taken}: EADDRINUSE`,
    )
    await expect(connectRaw(free)).rejects.toThrow('ECONNREFUSED')
  })
})

describe('the interaction id', () => {
  test('of the caller comes back', async () => {
    const port = await open()
    const { headers, body } = await ask(port, { headers: { 'x-fapi-interaction-id': INTERACTION } })
    expect(headers['x-fapi-interaction-id']).toBe(INTERACTION)
    expect(body).toMatchObject({ correlationGiven: true, correlationMalformed: false, correlationId: INTERACTION })
  })

  test.each<[string, Record<string, string | string[]>, boolean]>([
    ['nothing', {}, false],
    ['no UUID', { 'x-fapi-interaction-id': 'abc' }, true],
    ['markup', { 'x-fapi-interaction-id': '<script>' }, true],
    ['two', { 'x-fapi-interaction-id': [INTERACTION, INTERACTION] }, true],
  ])('is minted for a caller who sends %s', async (_what, headers, correlationMalformed) => {
    const port = await open()
    const answer = await ask(port, { headers })
    const minted = answer.headers['x-fapi-interaction-id']
    expect(isUuid(minted)).toBe(true)
    expect(minted).not.toBe(INTERACTION)
    expect(answer.body).toMatchObject({ correlationGiven: false, correlationMalformed, correlationId: minted })
  })
})

describe('a client certificate', () => {
  test('that is not asked for is not seen', async () => {
    const port = await open('none')
    expect((await ask(port, { cert: tpp.certificate, key: tpp.key })).body.peer).toBeNull()
  })

  test.each([
    'TLSv1.2',
    'TLSv1.3',
  ] as const)('that is requested is seen, and judged by the app (%s)', async (version) => {
    const port = await open(requested())
    const tls = { minVersion: version, maxVersion: version }
    expect((await ask(port, tls)).body.peer).toBeNull()
    const good = await ask(port, { ...tls, cert: tpp.certificate, key: tpp.key })
    expect(good.body.peer).toMatchObject({
      trusted: true,
      organisation: 'Wadi, Money',
      organisationId: OU,
      thumbprint: tpp.thumbprint,
    })
    const bad = await ask(port, { ...tls, cert: stranger.certificate, key: stranger.key })
    expect(bad.body.peer).toMatchObject({ trusted: false, organisationId: OU })
  })

  test('that was not trusted is not trusted in a resumed session either', async () => {
    const port = await open(requested())
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
    const port = await open(required())
    const tls = { minVersion: version, maxVersion: version }
    expect((await ask(port, { ...tls, cert: tpp.certificate, key: tpp.key })).body.peer).toMatchObject({
      trusted: true,
    })
    await expect(ask(port, tls)).rejects.toThrow(/alert|ECONNRESET|socket hang up/)
    await expect(ask(port, { ...tls, cert: stranger.certificate, key: stranger.key })).rejects.toThrow(
      /alert|ECONNRESET|socket hang up/,
    )
    expect(asked).toBe(1)
  })

  test.each([
    'x-forwarded-client-cert',
    'client-cert',
    'ssl-client-cert',
    'x_forwarded_client_cert',
    'X-SSL-Client-Cert',
  ])('is not believed from the header %s', async (name) => {
    const port = await open(requested())
    expect((await ask(port, { headers: { [name]: encodeURIComponent(tpp.certificate) } })).body.peer).toBeNull()
  })
})

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
    const port = await open()
    expect(await handshake(port, old)).toBeNull()
    const lenient = createServer({ cert: one.certificate, key: one.key, ...old }).listen(0, '127.0.0.1')
    await once(lenient, 'listening')
    expect(await handshake((lenient.address() as { port: number }).port, old)).not.toBeNull()
    lenient.close()
  })

  test('1.3 is preferred', async () => {
    const socket = await handshake(await open(), {})
    expect(socket?.getProtocol()).toBe(null)
    const kept = await connectRaw(await open(), { servername: 'one.example' })
    expect(kept.getProtocol()).toBe('TLSv1.3')
    kept.destroy()
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
    expect(await accepted(await open())).toEqual(['ECDHE-ECDSA-AES128-GCM-SHA256', 'ECDHE-ECDSA-AES256-GCM-SHA384'])
    await listeners?.close()
    const port = await freePort()
    const doors = [door('one', port, await rsaCertificate('one.example'), 'none')]
    listeners = await openDoors(doors, { log, drainSeconds: toSeconds(0) })
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
    const port = await open()
    const bytes = `POST /body HTTP/1.1\r\nHost: one.example:PORT\r\n${rest}${SMUGGLED}`.replaceAll('PORT', String(port))
    const answer = await exchangeRaw(port, bytes)
    expect(answer).toMatchObject({ statuses: [400], isClosed: true })
    expect(answer.text).not.toContain('"door"')
  })

  test('is not this one, and two of them are both answered', async () => {
    const port = await open()
    const good = `POST /body HTTP/1.1\r\nHost: one.example:${port}\r\nContent-Length: 2\r\n\r\nhi`
    expect((await exchangeRaw(port, good + good)).statuses).toEqual([200, 200])
  })
})

describe('limits', () => {
  test('headers that are too large are refused', async () => {
    const port = await open()
    const headers = (size: number) =>
      `GET / HTTP/1.1\r\nHost: one.example:${port}\r\nX-Large: ${'a'.repeat(size)}\r\n\r\n`
    expect(await exchangeRaw(port, headers(15_000))).toMatchObject({ statuses: [200] })
    expect(await exchangeRaw(port, headers(16_500))).toMatchObject({ statuses: [431], isClosed: true })
  })

  test.each([
    'Content-Length',
    'chunks',
  ])('a body that is too large is told so, by %s, and its connection closed', async (how) => {
    const port = await open()
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
    const port = await open('none', 0, quick)
    const answer = await exchangeRaw(port, `GET / HTTP/1.1\r\nHost: one.example:${port}\r\nX-Slow: `, { quietMs: 3000 })
    expect(answer).toMatchObject({ statuses: [408], isClosed: true })
  })

  test('a caller who sends a body slowly is cut off', async () => {
    const port = await open('none', 0, quick)
    const head = `POST /body HTTP/1.1\r\nHost: one.example:${port}\r\nContent-Length: 10\r\n\r\nabc`
    expect(await exchangeRaw(port, head, { quietMs: 3000 })).toMatchObject({ isClosed: true })
  })

  test('a caller who never speaks TLS is cut off', async () => {
    const port = await open('none', 0, quick)
    const silent = connectTcp(port, '127.0.0.1').resume()
    await once(silent, 'close')
  })

  test('are never off', () => {
    for (const [name, value] of Object.entries(SERVER_LIMITS)) expect(value, name).toBeGreaterThan(0)
    expect(SERVER_LIMITS.headersTimeout).toBeLessThanOrEqual(SERVER_LIMITS.requestTimeout)
  })
})

describe('closing', () => {
  test('answers what is in flight, closes what is idle and takes nothing new', async () => {
    const port = await open('none', 5)
    const agent = new Agent({ keepAlive: true })
    const idle = await connectRaw(port, { servername: 'one.example' })
    idle.write(`GET / HTTP/1.1\r\nHost: one.example:${port}\r\n\r\n`)
    await once(idle, 'data')
    const slow = ask(port, { path: '/slow', agent })
    while (asked < 2) await new Promise((resolve) => setTimeout(resolve, 5))
    let isClosed = false
    const closing = listeners?.close().then(() => {
      isClosed = true
    })
    await once(idle, 'close')
    await expect(connectRaw(port)).rejects.toThrow('ECONNREFUSED')
    expect(isClosed).toBe(false)
    release()
    expect((await slow).status).toBe(200)
    await closing
    agent.destroy()
  })

  test('cuts what takes longer than it may', async () => {
    const port = await open('none', 1)
    const slow = ask(port, { path: '/slow' })
    const cut = expect(slow).rejects.toThrow(/socket hang up|ECONNRESET/)
    while (asked < 1) await new Promise((resolve) => setTimeout(resolve, 5))
    const began = performance.now()
    await listeners?.close()
    expect(performance.now() - began).toBeGreaterThan(900)
    await cut
  })

  test('does not wait for a connection that never got past the handshake', async () => {
    const port = await open('none', 0)
    const silent = connectTcp(port, '127.0.0.1').resume()
    await once(silent, 'connect')
    const began = performance.now()
    await Promise.all([listeners?.close(), once(silent, 'close')])
    expect(performance.now() - began).toBeLessThan(2000)
  })
})

afterAll(() => expect(listeners).toBeNull())
