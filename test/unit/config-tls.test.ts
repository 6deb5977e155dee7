/** Where TLS ends, and what revocation asks for, as configured: what is filled in, and what is refused. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { ConfigError, loadConfig, ROLES } from '../../src/config.ts'
import { type ConfigFiles, EXAMPLE_ENV, writeConfigFiles } from '../support/config-files.ts'
import { type Json, put } from '../support/json-paths.ts'

let files: ConfigFiles
beforeAll(async () => {
  files = await writeConfigFiles()
})
afterAll(() => files.close())

/** The example's own authority file serves as the proxies'. */
const behind = (changes: Json = {}): Json => ({
  mode: 'behind-proxy',
  caFile: String((files.tenant()['lfi'] as Json)['caFile']),
  peers: ['10.1.0.0/16'],
  ...changes,
})
/** On a port of its own, which the example shares. */
const tenantWith = (tls: unknown): Json =>
  put(put(files.tenant(), ['listeners', 'as', 'tls'], tls), ['listeners', 'as', 'port'], 9543)
const load = (changed: { readonly tenant?: Json; readonly deployment?: Json }) => {
  files.write(changed)
  return loadConfig(files.deploymentFile, { env: EXAMPLE_ENV })
}
function faultsOf(changed: { readonly tenant?: Json; readonly deployment?: Json }): readonly string[] {
  try {
    load(changed)
    return []
  } catch (thrown) {
    if (!(thrown instanceof ConfigError)) throw thrown
    return thrown.faults
  }
}

describe('where TLS ends', () => {
  test('is in this process while nothing else is said', () => {
    const [tenant] = load({}).tenants
    const modes = Object.entries(tenant?.listeners ?? {}).map(([role, { tls }]) => [role, tls?.mode])
    const roles = ROLES.filter((role) => role !== 'worker')
    expect(Object.fromEntries(modes)).toEqual(Object.fromEntries(roles.map((role) => [role, 'in-process'])))
  })

  test('may be at a proxy, whose authorities are read', () => {
    const [tenant] = load({ tenant: tenantWith(behind()) }).tenants
    expect(tenant?.listeners.as.tls).toEqual({
      mode: 'behind-proxy',
      ca: expect.stringContaining('BEGIN CERTIFICATE'),
      peers: ['10.1.0.0/16'],
      addressHeader: 'x-forwarded-for',
    })
    expect(tenant?.listeners.rs.tls).toEqual({ mode: 'in-process' })
  })

  const pin = `sha256:${'A'.repeat(43)}`
  test('takes networks, addresses and certificates', () => {
    const peers = ['10.1.2.3', '192.168.0.0/24', '2001:db8::/32', '::1', pin]
    expect(faultsOf({ tenant: tenantWith(behind({ peers, addressHeader: 'forwarded' })) })).toEqual([])
  })

  test.each<[string, () => unknown, RegExp]>([
    ['a mode of another name', () => ({ mode: 'elsewhere' }), /names none of the forms/],
    ['no mode', () => ({}), /missing key|names none/],
    ['no authorities', () => ({ ...behind(), caFile: undefined }), /missing key listeners\.as\.tls\.caFile/],
    ['no peers', () => behind({ peers: [] }), /peers must NOT have fewer than 1/],
    ['certificates alone', () => behind({ peers: [pin] }), /names no network that the proxies call from/],
    ['everybody', () => behind({ peers: ['0.0.0.0/0'] }), /0\.0\.0\.0\/0 is no network/],
    ['everybody, in IPv6', () => behind({ peers: ['::/0'] }), /is no network/],
    ['half a network', () => behind({ peers: ['10.1/16'] }), /10\.1\/16 is no network/],
    ['too long a prefix', () => behind({ peers: ['10.1.0.0/33'] }), /is no network/],
    ['a name', () => behind({ peers: ['proxy.example'] }), /peers\.0 must match pattern/],
    ['a short thumbprint', () => behind({ peers: ['10.0.0.0/8', 'sha256:AAAA'] }), /peers\.1 must match pattern/],
    ['another header', () => behind({ addressHeader: 'x-real-ip' }), /addressHeader must be one of/],
    ['authorities of nobody', () => behind({ caFile: 'absent.pem' }), /does not exist/],
    ['more than is described', () => behind({ verifyHeader: 'x' }), /unknown key listeners\.as\.tls\.verifyHeader/],
    ['a proxy’s words in this process', () => ({ ...behind(), mode: 'in-process' }), /unknown key/],
  ])('is not %s', (_what, tls, fault) => {
    expect(faultsOf({ tenant: tenantWith(tls()) }).join('\n')).toMatch(fault)
  })

  test('is the same for listeners that share a port, which then may ask of callers what they like', () => {
    const shared = (change: (listeners: Record<string, Json>) => void): Json => {
      const tenant = files.tenant()
      const listeners = tenant['listeners'] as Record<string, Json>
      for (const role of ['auth', 'as', 'hh']) Object.assign(listeners[role] ?? {}, { port: 9443, address: '10.1.0.9' })
      change(listeners)
      return tenant
    }
    const apart = shared((listeners) => Object.assign(listeners['as'] ?? {}, { tls: behind() }))
    expect(faultsOf({ tenant: apart }).join('\n')).toMatch(/share 10\.1\.0\.9 port 9443 and end TLS differently/)
    const together = shared((listeners) => {
      for (const role of ['auth', 'as', 'hh']) Object.assign(listeners[role] ?? {}, { tls: behind() })
    })
    expect(faultsOf({ tenant: together })).toEqual([])
    expect(faultsOf({ tenant: shared(() => {}) }).join('\n')).toMatch(/treat client certificates differently/)
  })
})

describe('revocation', () => {
  const withRevocation = (value: unknown): Json => put(files.deployment(), ['trustFramework', 'revocation'], value)

  test('is by lists, where there are any, while nothing else is said', () => {
    expect(load({}).trustFramework.revocation).toEqual({
      crl: 'when-available',
      crlUrls: [],
      refreshSeconds: 300,
      believedSeconds: 86_400,
      bytesMax: 1_048_576,
    })
  })

  test.each<[string, unknown, RegExp]>([
    ['a mode of another name', { crl: 'sometimes' }, /crl must be one of required, when-available, off/],
    ['a place that is no address', { crlUrls: ['crl.example'] }, /crlUrls\.0 must match pattern/],
    ['a file', { crlUrls: ['file:///etc/passwd'] }, /crlUrls\.0 must match pattern/],
    ['somebody’s password', { crlUrls: ['http://user:secret@crl.example/x'] }, /crlUrls\.0 must match pattern/],
    ['no time at all', { refreshSeconds: 0 }, /refreshSeconds must be >= 1/],
    ['for ever', { believedSeconds: 10_000_000 }, /believedSeconds must be <= 604800/],
    ['lists without end', { bytesMax: 1e9 }, /bytesMax must be <= 8388608/],
  ])('is not %s', (_what, value, fault) => {
    const faults = faultsOf({ deployment: withRevocation(value) }).join('\n')
    expect(faults).toMatch(fault)
    expect(faults).not.toContain('secret')
  })
})
