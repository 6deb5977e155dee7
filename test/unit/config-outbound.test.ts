/** What the configuration says about calls to places that others have named, and about what the LFI is asked. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { ConfigError, loadConfig } from '../../src/config.ts'
import { type ConfigFiles, EXAMPLE_ENV, writeConfigFiles } from '../support/config-files.ts'
import type { Json } from '../support/json-paths.ts'

let files: ConfigFiles
beforeAll(async () => {
  files = await writeConfigFiles()
})
afterAll(() => files.close())
beforeEach(() => files.write({}))

const load = () => loadConfig(files.deploymentFile, { env: EXAMPLE_ENV })
const faults = (): readonly string[] => {
  try {
    load()
    return []
  } catch (thrown) {
    if (thrown instanceof ConfigError) return thrown.faults
    throw thrown
  }
}
const tenantWith = (lfi: object, more: object = {}): Json => {
  const tenant = files.tenant()
  return { ...tenant, ...more, lfi: { ...(tenant['lfi'] as object), ...lfi } }
}

test('by default no exceptions, webhooks with their defaults, and an LFI that is asked nothing', () => {
  const tenant = files.tenant()
  delete tenant['webhooks']
  delete (tenant['lfi'] as Json)['consentActions']
  files.write({ tenant })
  const config = load()
  expect(config.outbound).toEqual({ allowedAddresses: [] })
  expect(config.tenants[0]?.webhooks).toEqual({
    ca: null,
    timeoutMs: 10_000,
    perReceiver: 4,
    attemptsMax: 15,
    giveUpSeconds: 86_400,
    firstDelayMs: 5_000,
    delayMaxMs: 14_400_000,
    keepDays: 30,
  })
  expect(config.tenants[0]?.lfi.consentActions).toBeUndefined()
})

test('the defaults give up on a receiver after about a day, not sooner', () => {
  const webhooks = load().tenants[0]?.webhooks
  if (webhooks === undefined) throw new Error('no webhooks')
  let total = 0
  for (let attempt = 1; attempt < webhooks.attemptsMax; attempt += 1) {
    total += Math.min(webhooks.firstDelayMs * 2 ** (attempt - 1), webhooks.delayMaxMs)
  }
  expect(total / 1000).toBeGreaterThan(webhooks.giveUpSeconds / 2)
})

test('what the LFI is asked is named by type of consent, each off by itself', () => {
  files.write({ tenant: tenantWith({ consentActions: { validate: ['account-access'] } }) })
  expect(load().tenants[0]?.lfi.consentActions).toEqual({
    validate: ['account-access'],
    validateFailure: 'refuse',
    augment: [],
    events: [],
    validateTimeoutMs: 3_000,
    augmentTimeoutMs: 3_000,
    eventTimeoutMs: 5_000,
  })
})

test('receivers may have authorities of their own', () => {
  const { certificate } = load().tenants[0]?.lfi ?? { certificate: '' }
  writeFileSync(join(files.folder, 'receivers.pem'), certificate)
  files.write({ tenant: tenantWith({}, { webhooks: { caFile: '../receivers.pem' } }) })
  expect(load().tenants[0]?.webhooks?.ca).toBe(certificate)
  files.write({ tenant: tenantWith({}, { webhooks: { caFile: '../nowhere.pem' } }) })
  expect(faults()).toEqual([expect.stringMatching(/nowhere\.pem does not exist$/)])
})

describe('refused', () => {
  test.each([
    [['10.0.0.0/33'], /^outbound\.allowedAddresses\.0 has no prefix of 0 to 32$/],
    [['10.0.0.0/8', 'localhost'], /^outbound\.allowedAddresses\.1 is neither an address nor a range/],
    [['10.0.0.1', '10.0.0.1'], /outbound\.allowedAddresses must NOT have duplicate items/],
    ['10.0.0.1', /outbound\.allowedAddresses must be array/],
  ])('allowedAddresses %j', (allowedAddresses, fault) => {
    files.write({ deployment: { ...files.deployment(), outbound: { allowedAddresses } } })
    expect(faults()).toEqual([expect.stringMatching(fault)])
  })

  test.each([
    '127.0.0.1',
    '127.8.0.0/16',
    '0.0.0.0/0',
    '0.0.0.0',
    '169.254.169.254',
    '168.0.0.0/5',
    '::1',
    '::/0',
    'fe80::1',
    '::ffff:127.0.0.1',
  ])('%s in production, because a TPP could lead the hub to its own machine', (range) => {
    const outbound = { allowedAddresses: ['10.1.0.0/16', range] }
    files.write({ deployment: { ...files.deployment(), outbound } })
    expect(faults()).toEqual([
      `outbound.allowedAddresses ${range}, which has loopback or link-local addresses, is allowed in the sandbox only, and environment is production`,
    ])
    files.write({ deployment: { ...files.deployment(), outbound, environment: 'sandbox' } })
    expect(faults()).toEqual([])
  })

  test('nothing of a private network, nor what stands beside those', () => {
    const allowedAddresses = [
      '10.0.0.0/8',
      '172.16.0.0/12',
      '192.168.0.0/16',
      '126.0.0.0/8',
      '128.0.0.0/8',
      'fd00::/8',
      '::2',
    ]
    files.write({ deployment: { ...files.deployment(), outbound: { allowedAddresses } } })
    expect(faults()).toEqual([])
  })

  test('an address of the LFI that is none', () => {
    files.write({ tenant: tenantWith({ allowedAddresses: ['10.0.0.0/8', 'bank'] }) })
    expect(faults()).toEqual([expect.stringMatching(/^tenant example: lfi\.allowedAddresses\.1 is neither an address/)])
  })

  test.each([
    [{ validate: ['accounts'] }, /lfi\.consentActions\.validate\.0 must be one of account-access/],
    [{ validate: true }, /lfi\.consentActions\.validate must be array/],
    [{ validateFailure: 'ignore' }, /lfi\.consentActions\.validateFailure must be one of refuse, accept/],
  ])('consentActions %j', (consentActions, fault) => {
    files.write({ tenant: tenantWith({ consentActions }) })
    expect(faults()).toEqual([expect.stringMatching(fault)])
  })
})

describe('client credentials', () => {
  const authentication = {
    type: 'client-credentials',
    tokenUrl: 'https://as.bank.example/token',
    clientId: 'falaj',
    clientSecret: { env: 'LFI_SECRET' },
    scope: 'hub',
  }

  test('come with the secret from where it is kept', () => {
    files.write({ tenant: tenantWith({ authentication }) })
    const config = loadConfig(files.deploymentFile, { env: { ...EXAMPLE_ENV, LFI_SECRET: 'hush' } })
    const loaded = config.tenants[0]?.lfi.authentication
    if (loaded?.type !== 'client-credentials') throw new Error('another type')
    expect(loaded).toMatchObject({ tokenUrl: 'https://as.bank.example/token', clientId: 'falaj', scope: 'hub' })
    expect(loaded.clientSecret.reveal()).toBe('hush')
    expect(JSON.stringify(config)).not.toContain('hush')
  })

  test.each([
    ['the secret as value', { ...authentication, clientSecret: 'hush' }, /clientSecret must be \{ "file"/],
    ['no TLS', { ...authentication, tokenUrl: 'http://as.bank.example/token' }, /tokenUrl/],
    ['no client', { ...authentication, clientId: '' }, /clientId/],
    ['a secret that is not set', authentication, /LFI_SECRET is not set$/],
  ])('are refused with %s', (_name, wrong, fault) => {
    files.write({ tenant: tenantWith({ authentication: wrong }) })
    expect(faults().join('\n')).toMatch(fault)
    expect(faults().join('\n')).not.toContain('hush')
  })
})
