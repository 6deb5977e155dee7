import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import type { IncomingHttpHeaders, IncomingMessage, RequestListener, ServerResponse } from 'node:http'
import { request } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { connect, type TLSSocket } from 'node:tls'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { type Edge, type EdgeSettings, startEdge } from '../../sandbox/edge/edge.ts'
import { type KeyFiles, type Listening, listenTls } from '../../sandbox/tls.ts'
import type { CertificateKind } from '../../sandbox/trust-framework/certificate-kinds.ts'
import { material } from '../../sandbox/trust-framework/material.ts'
import { openAuthority } from '../../sandbox/trust-framework/pki.ts'

const folder = mkdtempSync(join(tmpdir(), 'falaj-edge-'))
let server: KeyFiles
let rogueServer: KeyFiles
let tls: Pick<EdgeSettings, 'cert' | 'key' | 'ca'>
const open: { close(): Promise<void> }[] = []

beforeAll(async () => {
  const make = (name: string, kind: CertificateKind = 'server-transport') =>
    material(openAuthority(join(folder, name), name), join(folder, name), {
      kind,
      subject: { organisation: 'Edge Test', organisationId: 'edge' },
    })
  ;[server, rogueServer] = await Promise.all([make('good'), make('rogue')])
  tls = {
    cert: readFileSync(server.certFile, 'utf8'),
    key: readFileSync(server.keyFile, 'utf8'),
    ca: readFileSync(join(folder, 'good', 'bundle.pem'), 'utf8'),
  }
})
afterEach(async () => {
  await Promise.all(open.splice(0).map((each) => each.close()))
})
afterAll(() => rmSync(folder, { recursive: true }))

const target = async (handle: RequestListener, files = server): Promise<Listening> => {
  const listening = await listenTls({ port: 0, server: files }, handle)
  open.push(listening)
  return listening
}
const edgeTo = async (routes: Record<string, number>, timeoutMs?: number): Promise<Edge> => {
  const edge = await startEdge({
    port: 0,
    ...tls,
    routes: Object.entries(routes).map(([prefix, port]) => ({ prefix, target: `https://localhost:${port}` })),
    ...(timeoutMs === undefined ? {} : { timeoutMs }),
  })
  open.push(edge)
  return edge
}

type Sent = { readonly method?: string; readonly headers?: Record<string, string>; readonly body?: string }
type Answer = { readonly status: number; readonly headers: IncomingHttpHeaders; readonly body: string }

function send(edge: Edge, path: string, { method = 'GET', headers = {}, body }: Sent = {}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const tlsOptions = { ca: tls.ca, servername: 'localhost', agent: false }
    const sent = request(edge.url, { path, method, headers, ...tlsOptions }, (response) => {
      text(response).then(
        (answer) => resolve({ status: response.statusCode ?? 0, headers: response.headers, body: answer }),
        reject,
      )
    })
    sent.on('error', reject)
    sent.end(body)
  })
}

/** Bytes as they are, for requests that Node's client would not send. */
async function sendRaw(edge: Edge, bytes: string): Promise<string> {
  const socket = connect({ host: 'localhost', port: Number(new URL(edge.url).port), ca: tls.ca })
  await once(socket, 'secureConnect')
  socket.end(bytes)
  return text(socket)
}

/** Tells back what arrived. */
const echo =
  (name: string): RequestListener =>
  async (incoming: IncomingMessage, response: ServerResponse) => {
    const seen = {
      name,
      method: incoming.method,
      url: incoming.url,
      headers: incoming.headers,
      body: await text(incoming),
    }
    response.setHeader('content-type', 'application/json')
    response.setHeader('set-cookie', ['one=1; Secure', 'two=2; Secure'])
    response.end(JSON.stringify(seen))
  }
type Echo = { name: string; method: string; url: string; headers: Record<string, string>; body: string }
const seen = (answer: Answer): Echo => JSON.parse(answer.body)

describe('routing', () => {
  const app = async (): Promise<Edge> => {
    const [tpp, bank, pages] = await Promise.all(['tpp', 'bank', 'pages'].map((name) => target(echo(name))))
    return edgeTo({ '/': tpp?.port ?? 0, '/banks/aurora': bank?.port ?? 0, '/banks/aurora/pages': pages?.port ?? 0 })
  }

  test.for([
    ['/', 'tpp'],
    ['/callback?code=1&iss=https%3A%2F%2Flocalhost', 'tpp'],
    ['/banks/aurora', 'bank'],
    ['/banks/aurora/login', 'bank'],
    ['/banks/aurora?x=/banks/meridian', 'bank'],
    ['/banks/aurora/pages/x', 'pages'],
    ['/banks/auroras', 'tpp'],
    ['/banks', 'tpp'],
  ] as const)('%s goes to %s', async ([path, name]) => {
    const answer = seen(await send(await app(), path))
    expect([answer.name, answer.url]).toEqual([name, path])
  })

  test('path and query arrive as they were sent', async () => {
    const path = "/a%20b/'{x}|y?q={1}|'2'&u=https://h//p&e="
    expect(seen(await send(await app(), path)).url).toBe(path)
  })

  test('a posted body and several cookies pass', async () => {
    const headers = { 'content-type': 'text/plain', 'content-length': '5' }
    const answer = await send(await app(), '/banks/aurora/login', { method: 'POST', headers, body: 'hello' })
    expect([seen(answer).method, seen(answer).body]).toEqual(['POST', 'hello'])
    expect(answer.headers['set-cookie']).toEqual(['one=1; Secure', 'two=2; Secure'])
  })

  test('a path no route covers is not found', async () => {
    const { port } = await target(echo('bank'))
    expect((await send(await edgeTo({ '/banks/aurora': port }), '/elsewhere')).status).toBe(404)
  })
})

describe('pages of its own', () => {
  test('are those of the folder, under a policy that lets nothing run; everything else is the routes’', async () => {
    const place = mkdtempSync(join(folder, 'pages-'))
    writeFileSync(join(place, 'index.html'), '<p>hello</p>')
    writeFileSync(join(place, 'style.css'), 'p { margin: 0 }')
    writeFileSync(join(place, 'secret.pem'), 'no page')
    const { port } = await target((_request, response) => response.writeHead(404).end('routed'))
    const edge = await startEdge({
      port: 0,
      ...tls,
      routes: [{ prefix: '/', target: `https://localhost:${port}` }],
      pages: [{ prefix: '/pages', folder: place }],
    })
    open.push(edge)
    const front = await send(edge, '/pages/?q=1')
    expect([front.status, front.body]).toEqual([200, '<p>hello</p>'])
    expect(front.headers['content-security-policy']).toMatch(/^default-src 'none'; style-src 'self';/)
    expect((await send(edge, '/pages/style.css')).headers['content-type']).toBe('text/css; charset=utf-8')
    const moved = await send(edge, '/pages')
    expect([moved.status, moved.headers.location]).toEqual([308, '/pages/'])
    const head = await send(edge, '/pages/index.html', { method: 'HEAD' })
    expect([head.status, head.headers['content-length'], head.body]).toEqual([200, '12', ''])
    for (const path of ['/pages/secret.pem', '/pages/index.html/', '/pages/%69ndex.html', '/pagesindex.html']) {
      expect((await send(edge, path)).body, path).toBe('routed')
    }
    expect((await send(edge, '/pages/', { method: 'POST', body: 'x' })).body).toBe('routed')
  })
})

describe('headers', () => {
  test('only the edge says how a request came', async () => {
    const edge = await edgeTo({ '/': (await target(echo('tpp'))).port })
    const { headers } = seen(
      await send(edge, '/', {
        headers: {
          'X-Forwarded-Proto': 'http',
          'x-forwarded-host': 'evil.example',
          'x-forwarded-for': '203.0.113.7',
          'x-forwarded-client-cert': 'Subject="CN=evil"',
          forwarded: 'for=203.0.113.7;host=evil.example',
          'x-real-ip': '203.0.113.7',
          'x-kept': 'yes',
        },
      }),
    )
    const { host } = new URL(edge.url)
    expect(headers).toMatchObject({ 'x-forwarded-proto': 'https', 'x-forwarded-host': host, 'x-kept': 'yes', host })
    for (const name of ['x-forwarded-for', 'x-forwarded-client-cert', 'forwarded', 'x-real-ip']) {
      expect(headers).not.toHaveProperty(name)
    }
  })

  test('headers of one connection stay on it, in both directions', async () => {
    const { port } = await target((incoming, response) => {
      response.setHeader('connection', 'close, x-secret')
      response.setHeader('x-secret', '1')
      response.setHeader('keep-alive', 'timeout=99')
      response.end(JSON.stringify(incoming.headers))
    })
    const edge = await edgeTo({ '/': port })
    const answer = await send(edge, '/', {
      headers: { connection: 'x-private', 'x-private': '1', te: 'trailers', 'proxy-authorization': 'Basic eA==' },
    })
    const arrived = JSON.parse(answer.body) as Record<string, string>
    for (const name of ['x-private', 'te', 'proxy-authorization']) expect(arrived).not.toHaveProperty(name)
    expect(answer.headers).not.toHaveProperty('x-secret')
    expect(answer.headers['keep-alive']).not.toBe('timeout=99')
  })
})

describe('refusals', () => {
  const counted = async (): Promise<{ edge: Edge; arrivals: () => number }> => {
    let arrivals = 0
    const { port } = await target((_incoming, response) => {
      arrivals += 1
      response.end()
    })
    return { edge: await edgeTo({ '/': port }), arrivals: () => arrivals }
  }

  test.for(['DELETE', 'PUT', 'PATCH', 'OPTIONS', 'TRACE'])('%s is not forwarded', async (method) => {
    const { edge, arrivals } = await counted()
    const answer = await send(edge, '/', { method })
    expect([answer.status, answer.headers.allow, arrivals()]).toEqual([405, 'GET, HEAD, POST', 0])
  })

  test.for(['DELETE', 'OPTIONS', 'GET', 'POST'])('a chunked %s carries no second request', async (method) => {
    const { edge, arrivals } = await counted()
    const hidden = 'POST /hidden HTTP/1.1\r\nhost: localhost\r\ncontent-length: 0\r\n\r\n'
    const chunk = `${hidden.length.toString(16)}\r\n${hidden}\r\n0\r\n\r\n`
    const answer = await sendRaw(
      edge,
      `${method} / HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: chunked\r\n\r\n${chunk}`,
    )
    expect(answer).toMatch(/^HTTP\/1\.1 4(?:05|11) /)
    expect(answer.match(/HTTP\/1\.1/g)).toHaveLength(1)
    expect(arrivals()).toBe(0)
  })

  test.for([
    '/banks/../secret',
    '/banks/%2e%2E/secret',
    '/a/./b',
    '//evil.example/',
    '/a\\b',
    '/a%5cb',
    'https://evil.example/',
    '/a/..',
  ])('%s is ambiguous and refused', async (path) => {
    const { edge, arrivals } = await counted()
    const answer = await sendRaw(edge, `GET ${path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n`)
    expect(answer).toMatch(/^HTTP\/1\.1 400 /)
    expect(arrivals()).toBe(0)
  })

  test('a GET with a body and a POST of more than a mebibyte are refused', async () => {
    const { edge, arrivals } = await counted()
    const get = await sendRaw(edge, 'GET / HTTP/1.1\r\nhost: localhost\r\ncontent-length: 1\r\n\r\nx')
    const post = await sendRaw(edge, 'POST / HTTP/1.1\r\nhost: localhost\r\ncontent-length: 1048577\r\n\r\n')
    expect([get.slice(9, 12), post.slice(9, 12), arrivals()]).toEqual(['400', '413', 0])
  })
})

describe('failures', () => {
  /** A target that answers when told; `gone` counts the requests that were abandoned. */
  const silent = async () => {
    const waiting: ServerResponse[] = []
    let gone = 0
    const { port } = await target((incoming, response) => {
      waiting.push(response)
      incoming.resume()
      response.on('close', () => {
        if (!response.writableFinished) gone += 1
      })
    })
    return { port, waiting, gone: () => gone }
  }

  test('a target that is down is a page with 502', async () => {
    const listening = await listenTls({ port: 0, server }, echo('tpp'))
    await listening.close()
    const answer = await send(await edgeTo({ '/': listening.port }), '/')
    expect(answer.status).toBe(502)
    expect(answer.headers['content-type']).toContain('text/html')
    expect(answer.body).toContain('<!doctype html>')
  })

  test('a target of another authority is a 502, whatever Host says', async () => {
    const { port } = await target(echo('rogue'), rogueServer)
    const edge = await edgeTo({ '/': port })
    expect((await send(edge, '/')).status).toBe(502)
    expect((await send(edge, '/', { headers: { host: 'rogue.example' } })).status).toBe(502)
  })

  test('the name to verify is the target’s, not the one in Host', async () => {
    const edge = await edgeTo({ '/': (await target(echo('tpp'))).port })
    expect((await send(edge, '/', { headers: { host: 'other.example' } })).status).toBe(200)
  })

  test('a target that stays silent is a 502', async () => {
    const { port } = await silent()
    expect((await send(await edgeTo({ '/': port }, 100), '/')).status).toBe(502)
  })

  test.for([
    { method: 'GET', when: 'before the answer' },
    { method: 'POST', when: 'before the answer' },
    { method: 'GET', when: 'in the middle of it' },
    { method: 'POST', when: 'in the middle of it' },
  ])('a client that leaves a $method $when takes the upstream request along', async ({ method, when }) => {
    const { port, waiting, gone } = await silent()
    const edge = await edgeTo({ '/': port })
    const socket: TLSSocket = connect({ host: 'localhost', port: Number(new URL(edge.url).port), ca: tls.ca })
    await once(socket, 'secureConnect')
    socket.write(
      `${method} / HTTP/1.1\r\nhost: localhost\r\n${method === 'POST' ? 'content-length: 2\r\n\r\nok' : '\r\n'}`,
    )
    await expect.poll(() => waiting.length).toBe(1)
    if (when === 'in the middle of it') {
      waiting[0]?.write('half')
      await once(socket, 'data')
    }
    socket.destroy()
    await expect.poll(gone).toBe(1)
  })

  test('a target that dies in the middle ends the client’s answer as well', async () => {
    const { port, waiting } = await silent()
    const edge = await edgeTo({ '/': port })
    const answer = send(edge, '/')
    await expect.poll(() => waiting.length).toBe(1)
    waiting[0]?.write('half')
    setTimeout(() => waiting[0]?.destroy(), 20)
    await expect(answer).rejects.toThrow()
  })

  test('close ends at once when nothing is open, and soon when something is', async () => {
    const { port, waiting } = await silent()
    const edge = await startEdge({ port: 0, ...tls, routes: [{ prefix: '/', target: `https://localhost:${port}` }] })
    const left = send(edge, '/').catch(() => 'cut')
    await expect.poll(() => waiting.length).toBe(1)
    await edge.close()
    expect(await left).toBe('cut')
  })
})
