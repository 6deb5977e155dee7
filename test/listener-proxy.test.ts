/** A door behind a proxy: who is one, what of a certificate is believed from it, and from nobody else (security 4.4). */
import { X509Certificate } from 'node:crypto'
import type { ConnectionOptions } from 'node:tls'
import { afterEach, beforeAll, describe, expect, test } from 'vitest'
import type { ListenerTls } from '../src/config.ts'
import { type Authority, type Certificate, createAuthority } from './gateway/support/pki.ts'
import { createDoors, type Doors, OU } from './support/doors.ts'
import { freePort } from './support/free-port.ts'
import { createRoot } from './support/odd-chains.ts'
import { connectRaw, exchangeRaw } from './support/raw-tls.ts'
import { byteSequence } from './support/tls-proxy.ts'

const NO_ANSWER = /alert|ECONNRESET|socket hang up|disconnected before secure/

let doors: Doors
let proxies: Authority
let proxy: Certificate
let tpp: Certificate
let stranger: Certificate
beforeAll(async () => {
  doors = await createDoors()
  proxies = await createAuthority('Proxies')
  proxy = await proxies.issue({ O: 'Edge', CN: 'proxy' })
  const subject = { O: 'Wadi, Money', OU, CN: 'app' }
  tpp = await doors.framework.issue(subject)
  stranger = await (await createAuthority('Test Trust Framework')).issue(subject)
})
afterEach(() => doors.reset())

type Behind = Partial<Extract<ListenerTls, { readonly mode: 'behind-proxy' }>>
const behind = (changes: Behind = {}): ListenerTls => ({
  mode: 'behind-proxy',
  ca: proxies.certificate,
  peers: ['127.0.0.1/32'],
  addressHeader: 'x-forwarded-for',
  ...changes,
})
const openBehind = (changes: Behind = {}, mode: 'requested' | 'required' = 'requested', ca = doors.framework) =>
  doors.open({ asking: { mode, ca: ca.certificate }, more: { tls: behind(changes) } })
const as = ({ certificate, key }: Certificate): ConnectionOptions => ({ cert: certificate, key })
const sent = ({ certificate }: { readonly certificate: string }): string =>
  byteSequence(new X509Certificate(certificate).raw)
const askWith = (port: number, headers: Record<string, string | string[]>, who = proxy) =>
  doors.ask(port, { ...as(who), headers })

describe('a certificate that is handed on', () => {
  test('is the caller’s, once it leads to the trust framework', async () => {
    const port = await openBehind()
    expect((await askWith(port, {})).body.peer).toBeNull()
    const good = await askWith(port, { 'client-cert': sent(tpp) })
    expect(good.body.peer).toMatchObject({ trusted: true, organisationId: OU, thumbprint: tpp.thumbprint })
    // Asked twice, it is remembered; somebody else's is not taken for it.
    expect((await askWith(port, { 'client-cert': sent(tpp) })).body.peer).toEqual(good.body.peer)
    const bad = await askWith(port, { 'client-cert': sent(stranger) })
    expect(bad.body.peer).toMatchObject({ trusted: false, organisationId: OU, thumbprint: stranger.thumbprint })
  })

  test('may lead there over others that came along', async () => {
    const root = await createRoot()
    const issuing = await root.issue({ name: 'Issuing', authority: true })
    const leaf = await issuing.issue({ subject: [{ O: ['Wadi'] }, { OU: [OU] }, { CN: ['app'] }] })
    const port = await openBehind({}, 'requested', { ...doors.framework, certificate: root.pem })
    const [own, above] = [leaf, issuing].map(({ node }) => byteSequence(node.raw))
    expect((await askWith(port, { 'client-cert': own ?? '' })).body.peer).toMatchObject({ trusted: false })
    for (const chain of [above ?? '', `${above}, ${byteSequence(root.node.raw)}`, [above ?? '', above ?? '']]) {
      const answer = await askWith(port, { 'client-cert': own ?? '', 'client-cert-chain': chain })
      expect(answer.body.peer).toMatchObject({ trusted: true, organisationId: OU })
    }
  })

  test('that has run out, or is for servers, or is an authority’s own, is not trusted', async () => {
    const port = await openBehind()
    const over = await doors.framework.issue({ O: 'x', OU, CN: 'app', notAfter: new Date(Date.now() - 1000) })
    for (const each of [over, doors.one, doors.framework]) {
      expect((await askWith(port, { 'client-cert': sent(each) })).body.peer).toMatchObject({ trusted: false })
    }
  })

  test('is needed where the handshake would need one', async () => {
    const port = await openBehind({}, 'required')
    expect((await askWith(port, { 'client-cert': sent(tpp) })).status).toBe(200)
    expect((await askWith(port, {})).status).toBe(401)
    expect((await askWith(port, { 'client-cert': sent(stranger) })).status).toBe(401)
    expect(doors.asked()).toBe(1)
  })

  test('is not looked at where none is asked for', async () => {
    const port = await doors.open({ more: { tls: behind() } })
    expect((await askWith(port, { 'client-cert': sent(tpp) })).body.peer).toBeNull()
  })
})

describe('a header that is not as RFC 9440 writes it', () => {
  const der = (): string => new X509Certificate(tpp.certificate).raw.toString('base64')
  const MALFORMED: readonly [string, () => string][] = [
    ['nothing', () => ''],
    ['two colons', () => '::'],
    ['base64 without colons', der],
    ['PEM', () => encodeURIComponent(tpp.certificate)],
    ['PEM in base64', () => byteSequence(Buffer.from(tpp.certificate))],
    ['two certificates', () => `${sent(tpp)}, ${sent(stranger)}`],
    ['a certificate with a parameter', () => `${sent(tpp)};a=1`],
    [
      'a certificate with something after it',
      () => byteSequence(Buffer.concat([Buffer.from(der(), 'base64'), Buffer.from([0])])),
    ],
    ['half a certificate', () => byteSequence(Buffer.from(der(), 'base64').subarray(0, 200))],
    ['base64url', () => `:${Buffer.from(der(), 'base64').toString('base64url')}:`],
    ['base64 with a space in it', () => sent(tpp).replace(/(.{20})/, '$1 ')],
    ['base64 without its padding', () => `:${Buffer.from('abcd').toString('base64').replaceAll('=', '')}:`],
    ['a quoted string', () => `"${der()}"`],
    ['not DER', () => byteSequence(Buffer.from('not a certificate'))],
  ]
  test.each(MALFORMED)('is refused: %s', async (_what, value) => {
    const port = await openBehind()
    expect((await askWith(port, { 'client-cert': value() })).status).toBe(400)
    expect(doors.asked()).toBe(0)
  })

  test('is refused: a chain without a leaf, of something else, or too long', async () => {
    const port = await openBehind()
    const leaf = { 'client-cert': sent(tpp) }
    expect((await askWith(port, { 'client-cert-chain': sent(tpp) })).status).toBe(400)
    expect((await askWith(port, { ...leaf, 'client-cert-chain': ':AAAA:' })).status).toBe(400)
    expect((await askWith(port, { ...leaf, 'client-cert-chain': '' })).status).toBe(400)
    expect((await askWith(port, { ...leaf, 'client-cert-chain': Array(5).fill(sent(stranger)) })).status).toBe(400)
    expect(doors.asked()).toBe(0)
  })

  const lines = (port: number, ...headers: string[]) =>
    ['GET / HTTP/1.1', `Host: one.example:${port}`, 'Connection: close', ...headers, '', ''].join('\r\n')
  test('is refused: twice, in whatever case, also when both are the same', async () => {
    const port = await openBehind()
    for (const [one, two] of [
      [sent(tpp), sent(tpp)],
      [sent(tpp), sent(stranger)],
    ]) {
      const bytes = lines(port, `Client-Cert: ${one}`, `cLIENT-cERT: ${two}`)
      expect(await exchangeRaw(port, bytes, as(proxy))).toMatchObject({ statuses: [400], isClosed: true })
    }
    expect(doors.asked()).toBe(0)
  })

  test('is refused: folded over two lines', async () => {
    const port = await openBehind()
    const value = sent(tpp)
    const bytes = lines(port, `Client-Cert: ${value.slice(0, 40)}`, ` ${value.slice(40)}`)
    expect(await exchangeRaw(port, bytes, as(proxy))).toMatchObject({ statuses: [400], isClosed: true })
    expect(doors.asked()).toBe(0)
  })

  test('is the header in any case', async () => {
    const port = await openBehind()
    const answer = await exchangeRaw(port, lines(port, `cLiEnT-CeRt: ${sent(tpp)}`), as(proxy))
    expect(answer.text).toContain('"trusted":true')
  })

  test.each([
    'client_cert',
    'Client_Cert',
    'x-client-cert',
    'x-forwarded-client-cert',
    'ssl-client-cert',
    'x-ssl-client-cert',
    'ssl-client-verify',
    'x-ssl-client-verify',
    'x_forwarded_client_cert',
  ])('is not another one: %s', async (name) => {
    const port = await openBehind()
    const raw = new X509Certificate(tpp.certificate).raw.toString('base64')
    for (const value of [sent(tpp), raw, encodeURIComponent(tpp.certificate), `Cert="${raw}"`, 'SUCCESS']) {
      expect((await askWith(port, { [name]: value })).body.peer, value.slice(0, 10)).toBeNull()
    }
    // Nor does a word for it help a certificate that leads nowhere.
    const answer = await askWith(port, { [name]: 'SUCCESS', 'client-cert': sent(stranger) })
    expect(answer.body.peer).toMatchObject({ trusted: false })
  })
})

describe('who is no proxy', () => {
  test('is not heard without a certificate of the proxies’ authority', async () => {
    const port = await openBehind()
    const headers = { 'client-cert': sent(tpp) }
    const impostor = await (await createAuthority('Proxies')).issue({ O: 'Edge', CN: 'proxy' })
    await expect(doors.ask(port, { headers })).rejects.toThrow(NO_ANSWER)
    for (const who of [impostor, tpp, stranger]) {
      await expect(askWith(port, headers, who)).rejects.toThrow(NO_ANSWER)
    }
    expect(doors.asked()).toBe(0)
  })

  test('is not heard from another address, whatever its certificate', async () => {
    const port = await openBehind({ peers: ['10.0.0.0/8', '::1'] })
    await expect(askWith(port, { 'client-cert': sent(tpp) })).rejects.toThrow(NO_ANSWER)
    expect(doors.asked()).toBe(0)
  })

  test('is not heard with another certificate than those that are named', async () => {
    const other = await proxies.issue({ O: 'Edge', CN: 'proxy' })
    const port = await openBehind({ peers: ['127.0.0.0/8', `sha256:${proxy.thumbprint}`] })
    expect((await askWith(port, { 'client-cert': sent(tpp) })).body.peer).toMatchObject({ trusted: true })
    await expect(askWith(port, { 'client-cert': sent(tpp) }, other)).rejects.toThrow(NO_ANSWER)
    expect(doors.asked()).toBe(1)
  })

  test('says nothing by Client-Cert where TLS ends here', async () => {
    const port = await doors.open({ asking: { mode: 'requested', ca: doors.framework.certificate } })
    const headers = { 'client-cert': sent(tpp), 'client-cert-chain': sent(stranger) }
    expect((await doors.ask(port, { headers })).body.peer).toBeNull()
    const own = await doors.ask(port, { headers, ...as(stranger) })
    expect(own.body.peer).toMatchObject({ trusted: false, thumbprint: stranger.thumbprint })
    // What is malformed for a proxy is nobody's business here.
    expect((await doors.ask(port, { headers: { 'client-cert': 'x' } })).status).toBe(200)
  })
})

describe('the address of the caller', () => {
  const addressWith = async (header: Behind['addressHeader'], headers: Record<string, string | string[]>) => {
    const port = await openBehind(header === undefined ? {} : { addressHeader: header })
    const { address } = (await askWith(port, headers)).body
    await doors.close()
    return address
  }

  test.each<[string, Record<string, string | string[]>, string]>([
    ['nothing', {}, '127.0.0.1'],
    ['one', { 'x-forwarded-for': '203.0.113.7' }, '203.0.113.7'],
    ['what the caller wrote before it', { 'x-forwarded-for': '198.51.100.1, 203.0.113.7' }, '203.0.113.7'],
    ['the same on two lines', { 'x-forwarded-for': ['198.51.100.1', '203.0.113.7'] }, '203.0.113.7'],
    ['another proxy of ours', { 'x-forwarded-for': '203.0.113.7, 127.0.0.1' }, '203.0.113.7'],
    ['IPv6', { 'x-forwarded-for': '2001:DB8::7' }, '2001:db8::7'],
    ['IPv4 in IPv6', { 'x-forwarded-for': '::ffff:203.0.113.7' }, '203.0.113.7'],
    ['no address', { 'x-forwarded-for': '203.0.113.7, unknown' }, '127.0.0.1'],
    ['another header', { forwarded: 'for=203.0.113.7', 'x-real-ip': '203.0.113.7' }, '127.0.0.1'],
  ])('as x-forwarded-for: %s', async (_what, headers, address) => {
    expect(await addressWith('x-forwarded-for', headers)).toBe(address)
  })

  test.each<[string, Record<string, string | string[]>, string]>([
    ['one', { forwarded: 'for=203.0.113.7;proto=https' }, '203.0.113.7'],
    ['the last', { forwarded: 'for=198.51.100.1, proto=https;for="203.0.113.7:4711"' }, '203.0.113.7'],
    ['IPv6', { forwarded: 'For="[2001:db8::7]:4711"' }, '2001:db8::7'],
    ['hidden', { forwarded: 'for=_hidden' }, '127.0.0.1'],
    ['another header', { 'x-forwarded-for': '203.0.113.7' }, '127.0.0.1'],
  ])('as forwarded: %s', async (_what, headers, address) => {
    expect(await addressWith('forwarded', headers)).toBe(address)
  })

  test('is the proxy’s where none is handed on, and its own where no proxy is', async () => {
    expect(await addressWith('none', { 'x-forwarded-for': '203.0.113.7' })).toBe('127.0.0.1')
    const port = await doors.open()
    const headers = { 'x-forwarded-for': '203.0.113.7', forwarded: 'for=203.0.113.7' }
    expect((await doors.ask(port, { headers })).body.address).toBe('127.0.0.1')
  })
})

describe('doors behind one proxy', () => {
  test('are told apart by host, and each asks of the caller what it asks', async () => {
    const port = await freePort()
    const asking = { mode: 'requested', ca: doors.framework.certificate } as const
    const more = { tls: behind() }
    await doors.openThese([
      doors.door('one', port, doors.one, 'none', more),
      doors.door('two', port, doors.two, asking, more),
    ])
    const headers = { 'client-cert': sent(tpp) }
    expect((await askWith(port, headers)).body).toMatchObject({ door: 'one', peer: null })
    expect((await askWith(port, { ...headers, host: `two.example:${port}` })).body).toMatchObject({
      door: 'two',
      peer: { trusted: true },
    })
    expect((await askWith(port, { ...headers, host: 'evil.example' })).status).toBe(421)
    expect((await askWith(port, { ...headers, 'x-forwarded-host': 'two.example' })).body.door).toBe('one')
  })

  test('must end TLS alike', async () => {
    const port = await freePort()
    const pair = [
      doors.door('one', port, doors.one, 'none', { tls: behind() }),
      doors.door('two', port, doors.two, 'none'),
    ]
    await expect(doors.openThese(pair)).rejects.toThrow('end TLS alike')
  })

  test('hold the proxy to the same TLS', async () => {
    const port = await openBehind()
    const old = { ...as(proxy), maxVersion: 'TLSv1.2', ciphers: 'ECDHE-ECDSA-CHACHA20-POLY1305' } as const
    await expect(connectRaw(port, old)).rejects.toThrow(/alert|handshake/)
  })
})
