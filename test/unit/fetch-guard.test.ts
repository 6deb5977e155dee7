import { createServer, type Server } from 'node:https'
import type { AddressInfo } from 'node:net'
import { Agent, request } from 'undici'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { faultOfRange, publicOr } from '../../src/address-rule.ts'
import { createFetchGuard, type Resolve } from '../../src/fetch-guard.ts'
import { createAuthority } from '../gateway/support/pki.ts'

describe('an address', () => {
  const allows = publicOr([])

  test.each([
    '1.1.1.1',
    '8.8.8.8',
    '93.184.216.34',
    '100.63.255.255',
    '100.128.0.1',
    '172.15.0.1',
    '172.32.0.1',
    '192.0.1.1',
    '198.17.255.255',
    '198.20.0.1',
    '223.255.255.255',
    '2606:4700:4700::1111',
    '2a00:1450:4001:81b::200e',
    '2001:4860:4860::8888',
  ])('%s is a public one', (address) => {
    expect(allows(address)).toBe(true)
  })

  test.each([
    ['0.0.0.0', 'this host'],
    ['0.1.2.3', 'this network'],
    ['10.0.0.1', 'private'],
    ['100.64.0.1', 'carrier-grade NAT'],
    ['100.127.255.255', 'carrier-grade NAT'],
    ['127.0.0.1', 'loopback'],
    ['127.255.255.254', 'loopback'],
    ['169.254.169.254', 'link-local, where clouds keep credentials'],
    ['172.16.0.1', 'private'],
    ['172.31.255.255', 'private'],
    ['192.0.0.8', 'protocol assignments'],
    ['192.0.2.1', 'documentation'],
    ['192.88.99.1', '6to4 relay'],
    ['192.168.1.1', 'private'],
    ['198.18.0.1', 'benchmarking'],
    ['198.51.100.1', 'documentation'],
    ['203.0.113.9', 'documentation'],
    ['224.0.0.1', 'multicast'],
    ['239.255.255.255', 'multicast'],
    ['240.0.0.1', 'reserved'],
    ['255.255.255.255', 'broadcast'],
    ['::', 'unspecified'],
    ['::1', 'loopback'],
    ['::ffff:127.0.0.1', 'IPv4-mapped'],
    ['::ffff:7f00:1', 'IPv4-mapped, in hexadecimal'],
    ['::ffff:8.8.8.8', 'IPv4-mapped, of a public host'],
    ['::127.0.0.1', 'IPv4-compatible'],
    ['64:ff9b::7f00:1', 'NAT64'],
    ['64:ff9b:1::1', 'NAT64, local'],
    ['100::1', 'discard'],
    ['2001::1', 'Teredo'],
    ['2001:db8::1', 'documentation'],
    ['2002:7f00:1::1', '6to4'],
    ['3fff::1', 'documentation'],
    ['5f00::1', 'segment routing'],
    ['fc00::1', 'unique local'],
    ['fd12:3456::1', 'unique local'],
    ['fe80::1', 'link-local'],
    ['fe80::1%eth0', 'link-local with a zone'],
    ['fec0::1', 'site-local'],
    ['ff02::1', 'multicast'],
    ['localhost', 'no address'],
    ['2130706433', 'no address'],
    ['0x7f.0.0.1', 'no address'],
    ['0177.0.0.1', 'no address'],
    ['', 'no address'],
  ])('%s is none (%s)', (address) => {
    expect(allows(address)).toBe(false)
  })

  test('is allowed when the operator has named it or its range, and only then', () => {
    const some = publicOr(['127.0.0.1', '10.1.0.0/16', 'fd00::/8'])
    const judged = ['127.0.0.1', '127.0.0.2', '10.1.255.1', '10.2.0.1', 'fd12::1', 'fc00::1', '::1', '8.8.8.8']
    expect(judged.map(some)).toEqual([true, false, true, false, true, false, false, true])
  })

  test.each([
    ['127.0.0.1', null],
    ['::1', null],
    ['10.0.0.0/8', null],
    ['fd00::/8', null],
    ['localhost', 'is neither an address nor a range such as 10.1.0.0/16'],
    ['2130706433', 'is neither an address nor a range such as 10.1.0.0/16'],
    ['fe80::1%eth0', 'is neither an address nor a range such as 10.1.0.0/16'],
    ['10.0.0.0/33', 'has no prefix of 0 to 32'],
    ['10.0.0.0/', 'has no prefix of 0 to 32'],
    ['10.0.0.0/-1', 'has no prefix of 0 to 32'],
    ['fd00::/129', 'has no prefix of 0 to 128'],
  ])('named as %s: %s', (range, fault) => {
    expect(faultOfRange(range)).toBe(fault)
  })
})

describe('a connection', () => {
  let server: Server
  let port: number
  let ca: string
  let connections = 0

  beforeAll(async () => {
    const authority = await createAuthority('Test')
    const { certificate, key } = await authority.issue({ O: 'Receiver', dns: 'receiver.example' })
    ca = authority.certificate
    server = createServer({ cert: certificate, key }, (_request, response) => response.end('reached'))
    server.on('connection', () => {
      connections += 1
    })
    await new Promise<void>((ready) => {
      server.listen(0, '127.0.0.1', ready)
    })
    port = (server.address() as AddressInfo).port
  })
  afterAll(() => server.close())

  /** A name server of its own: one list of answers for each time that it is asked. */
  const names = (...answers: readonly (readonly string[])[]): { resolve: Resolve; asked: () => number } => {
    let asked = 0
    return {
      asked: () => asked,
      resolve: (_hostname, _options, done) => {
        const found = answers[Math.min(asked, answers.length - 1)] ?? []
        asked += 1
        done(
          null,
          found.map((address) => ({ address, family: address.includes(':') ? 6 : 4 })),
        )
      },
    }
  }

  const attempt = async (url: string, allowed: readonly string[], resolve?: Resolve): Promise<string> => {
    const guard = createFetchGuard(allowed, resolve)
    const agent = new Agent({ connect: guard({ ca, servername: 'receiver.example', timeout: 2_000 }) })
    try {
      return await (await request(url, { dispatcher: agent })).body.text()
    } catch (thrown) {
      return (thrown as Error).message
    } finally {
      await agent.destroy()
    }
  }
  const REFUSED = 'the hub does not connect there: its address is not a public one'

  test('is made to an address that the operator has named', async () => {
    const { resolve } = names(['127.0.0.1'])
    expect(await attempt(`https://receiver.example:${port}/`, ['127.0.0.1'], resolve)).toBe('reached')
    expect(await attempt(`https://127.0.0.1:${port}/`, ['127.0.0.1'])).toBe('reached')
    // As the URL parser reads it, it is the same address.
    expect(await attempt(`https://2130706433:${port}/`, ['127.0.0.1'])).toBe('reached')
  })

  test.each([
    ['127.0.0.1'],
    ['2130706433'],
    ['0x7f000001'],
    ['0177.0.0.1'],
    ['127.1'],
    ['[::1]'],
    ['[::ffff:127.0.0.1]'],
    ['[::ffff:7f00:1]'],
    ['[64:ff9b::7f00:1]'],
    ['169.254.169.254'],
    ['0.0.0.0'],
    ['localhost'],
  ])('to https://%s is not made', async (host) => {
    const before = connections
    expect(await attempt(`https://${host}:${port}/`, [])).toBe(REFUSED)
    expect(connections).toBe(before)
  })

  test('is not made when one of the addresses of a name is not public', async () => {
    const { resolve } = names(['93.184.216.34', '127.0.0.1'])
    expect(await attempt(`https://receiver.example:${port}/`, [], resolve)).toBe(REFUSED)
  })

  test('is made to what was looked at: a name that resolves differently the next time is asked once', async () => {
    const rebinding = names(['127.0.0.1'], ['10.0.0.1'])
    expect(await attempt(`https://receiver.example:${port}/`, ['127.0.0.1'], rebinding.resolve)).toBe('reached')
    expect(rebinding.asked()).toBe(1)
    const theOtherWay = names(['10.0.0.1'], ['127.0.0.1'])
    expect(await attempt(`https://receiver.example:${port}/`, ['127.0.0.1'], theOtherWay.resolve)).toBe(REFUSED)
    expect(theOtherWay.asked()).toBe(1)
  })

  test('is not made when the name has no address', async () => {
    expect(await attempt(`https://receiver.example:${port}/`, [], names([]).resolve)).toBe(REFUSED)
  })

  test('is not made without TLS', async () => {
    expect(await attempt(`http://127.0.0.1:${port}/`, ['127.0.0.1'])).toBe(
      'the hub does not connect there: it is not https',
    )
  })
})
