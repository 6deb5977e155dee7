import { generateKeyPairSync } from 'node:crypto'
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { ConfigError, loadConfig } from '../../src/config.ts'
import { Secret } from '../../src/secret.ts'
import { createAuthority } from '../gateway/support/pki.ts'
import { type ConfigFiles, EXAMPLE_ENV, pem, writeConfigFiles } from '../support/config-files.ts'
import { at, type Json, type Path, pathsIn, put, without } from '../support/json-paths.ts'

/** Stands wherever a secret could stand; no message may contain it. */
const SECRET = 'hunter2'

let files: ConfigFiles
beforeAll(async () => {
  files = await writeConfigFiles()
})
afterAll(() => files.close())
beforeEach(() => files.write({}))

type Changed = { deployment?: unknown; tenant?: unknown; env?: NodeJS.ProcessEnv }

function faultsOf({ env = EXAMPLE_ENV, ...changed }: Changed): readonly string[] {
  files.write(changed)
  try {
    loadConfig(files.deploymentFile, { env })
    return []
  } catch (thrown) {
    if (!(thrown instanceof ConfigError)) throw thrown
    expect(thrown.message).not.toContain(SECRET)
    return thrown.faults
  }
}

const tenantWith = (path: Path, value: unknown): Json => put(files.tenant(), path, value)
const deploymentWith = (path: Path, value: unknown): Json => put(files.deployment(), path, value)

const read = (file: string): Json => JSON.parse(readFileSync(file, 'utf8')) as Json
const EXAMPLES = {
  deployment: pathsIn(read('config/example/deployment.json')),
  tenant: pathsIn(read('config/example/tenants/example.json')),
}
const BOTH = ['deployment', 'tenant'] as const

describe('the example', () => {
  test('is accepted, and its defaults are there', () => {
    const config = loadConfig(files.deploymentFile, { env: EXAMPLE_ENV })
    expect(config).toMatchObject({ environment: 'production', database: { poolMax: 20, migrate: 'refuse' } })
    expect(config.trustFramework).toMatchObject({ timeoutMs: 3000, serverCa: null })
    expect(config.tenants[0]).toMatchObject({
      id: 'example',
      lifetimes: { accessTokenSeconds: 600, requestUriSeconds: 60 },
      limits: { requestsPerSecond: 200, bodyBytesMax: 65_536, fileBytesMax: 10_485_760 },
      lfi: {
        connections: 32,
        authentication: { type: 'jwt', lifetimeSeconds: 30 },
        callerJwt: { audience: 'example' },
      },
      listeners: { admin: { address: '127.0.0.1' } },
    })
    expect(config.tenants[0]?.databaseUrl.reveal()).toBe(EXAMPLE_ENV.EXAMPLE_DATABASE_URL)
  })

  test('works with what is required alone', () => {
    const deployment = files.deployment()
    for (const name of ['$schema', 'roles', 'log', 'database', 'drainSeconds']) delete deployment[name]
    const tenant = files.tenant()
    for (const name of ['$schema', 'activation', 'fieldFilter', 'lifetimes', 'limits']) delete tenant[name]
    delete at(tenant, ['lfi'])['callerJwt']
    delete at(tenant, ['keys'])['encryption']
    files.write({ deployment, tenant })
    const config = loadConfig(files.deploymentFile, { env: EXAMPLE_ENV })
    expect(config).toMatchObject({ logLevel: 'info', drainSeconds: 15, database: { poolMax: 10, migrate: 'refuse' } })
    expect(config.roles).toHaveLength(8)
    expect(config.tenants[0]).toMatchObject({
      activation: 'manual',
      fieldFilter: 'basic-detail',
      lfi: { callerJwt: { required: false, audience: 'example' } },
      keys: { encryption: [] },
    })
  })

  test('comes out frozen to the last object, with nothing but what the hub works with', () => {
    const config = loadConfig(files.deploymentFile, { env: EXAMPLE_ENV })
    const frozen: boolean[] = []
    const walk = (part: unknown): void => {
      if (part === null || typeof part !== 'object' || part instanceof Secret) return
      frozen.push(Object.isFrozen(part))
      for (const child of Object.values(part)) walk(child)
    }
    walk(config)
    expect(frozen.length).toBeGreaterThan(15)
    expect(frozen).not.toContain(false)
    expect(Object.keys(config.tenants[0] ?? {})).not.toContain('$schema')
    expect(JSON.stringify(config)).not.toMatch(/hunter2|PRIVATE KEY/)
  })

  test('plays the roles of the command line, if it names any', () => {
    expect(loadConfig(files.deploymentFile, { env: EXAMPLE_ENV, roles: ['as'] }).roles).toEqual(['as'])
  })
})

/** A reference to a secret has two forms, of which the message names both. */
const referenceAt = (path: readonly (string | number)[]): string | undefined =>
  ['database.migration.url', 'database.url'].find((each) => `${path.join('.')}.`.startsWith(`${each}.`))

describe.each(BOTH)('%s.json', (which) => {
  const fresh = (): Json => files[which]()
  const { objects, values } = EXAMPLES[which]

  test('no object takes a key that is not described', () => {
    for (const path of objects) {
      const faults = faultsOf({ [which]: put(fresh(), [...path, 'surprise'], SECRET) })
      const name = [...path, 'surprise'].join('.')
      const reference = referenceAt(path)
      expect(faults, name).toEqual([
        expect.stringContaining(reference === undefined ? `unknown key ${name}` : `${reference} must be { "file"`),
      ])
    }
  })

  test('no value may be of another type, and none is quoted', () => {
    for (const path of values.filter(([name]) => name !== '$schema')) {
      const original = at(fresh(), path)
      const faults = faultsOf({ [which]: put(fresh(), path, typeof original === 'string' ? [SECRET] : SECRET) })
      expect(faults.length, path.join('.')).toBeGreaterThan(0)
      expect(faults.join('\n')).toContain(referenceAt(path) ?? path.join('.'))
    }
  })

  test('every key that the schema requires is missed', () => {
    const schema = read(`config/${which}.schema.json`)
    const required = requiredIn(schema, schema, fresh())
    expect(required.length).toBeGreaterThan(9)
    for (const path of required) {
      const name = path.join('.')
      const reference = path.at(-1) === 'url' ? undefined : referenceAt(path)
      expect(faultsOf({ [which]: without(fresh(), path) }), name).toEqual([
        expect.stringMatching(
          reference === undefined
            ? new RegExp(`(missing key ${name}|${name} names none .*)$`)
            : new RegExp(`${reference} must be`),
        ),
      ])
    }
  })

  test.each([
    ['an empty file', ''],
    ['no object', '"hunter2"'],
    ['null', 'null'],
    ['a list', '["hunter2"]'],
    ['JSON with a fault beside a secret', '{"url":"hunter2","x": oops}'],
    ['JSON with a fault after a secret', '["hunter2", hunter3]'],
    ['JSON cut off', '{"url":"hunter2'],
  ])('is refused when it is %s', (_what, text) => {
    const file = which === 'deployment' ? files.deploymentFile : files.tenantFile
    writeFileSync(file, text)
    const load = () => loadConfig(files.deploymentFile, { env: EXAMPLE_ENV })
    expect(load).toThrow(ConfigError)
    expect(load).toThrow(file)
    expect(load).not.toThrow(/hunter|nter2/)
  })
})

/** Paths in the instance of every key that the schema requires there. */
function requiredIn(root: Json, schema: Json, instance: unknown, path: Path = []): Path[] {
  const reference = schema['$ref'] as string | undefined
  if (reference !== undefined) {
    const target = at(root, reference.slice(2).split('/'))
    return requiredIn(root, target, instance, path)
  }
  const branches = ((schema['oneOf'] as Json[] | undefined) ?? []).filter((branch) =>
    ((branch['required'] as string[]) ?? []).every((name) => name in (instance as Json)),
  )
  const own = ((schema['required'] as string[] | undefined) ?? []).map((name) => [...path, name])
  const inner = Object.entries((schema['properties'] as Record<string, Json> | undefined) ?? {}).flatMap(
    ([name, child]) =>
      name in (instance as Json) ? requiredIn(root, child, (instance as Json)[name], [...path, name]) : [],
  )
  const items = Array.isArray(instance)
    ? instance.flatMap((item, index) => requiredIn(root, (schema['items'] ?? {}) as Json, item, [...path, index]))
    : []
  return [...own, ...branches.flatMap((branch) => requiredIn(root, branch, instance, path)), ...inner, ...items]
}

describe('secrets', () => {
  test.each<[string, Path, unknown]>([
    ['a database URL as value', ['database', 'url'], `postgres://falaj:${SECRET}@db/falaj`],
    ['a database URL as path', ['database', 'url'], { file: `postgres://falaj:${SECRET}@db/falaj` }],
    ['a database URL as variable', ['database', 'url'], { env: `postgres://falaj:${SECRET}@db/falaj` }],
    ['a value beside a reference', ['database', 'url'], { env: 'X', value: SECRET }],
    ['a key as value', ['keys', 'audit', 'keyFile'], `-----BEGIN PRIVATE KEY-----\n${SECRET}\n`],
    ['an API key as value', ['lfi', 'authentication'], { type: 'api-key', key: SECRET }],
    ['a password in an address', ['lfi', 'ozoneConnectUrl'], `https://falaj:${SECRET}@bank.example`],
  ])('%s is refused and not repeated', (_what, path, value) => {
    const faults = faultsOf({ tenant: tenantWith(path, value) })
    expect(faults).toHaveLength(1)
    expect(faults[0]).toContain(path.join('.'))
  })

  test('a variable that is not set, or empty, is named', () => {
    for (const env of [{}, { EXAMPLE_DATABASE_URL: '' }]) {
      expect(faultsOf({ env })).toEqual([expect.stringContaining('EXAMPLE_DATABASE_URL is not set')])
    }
  })

  test('are trimmed when they come from a file', () => {
    const file = join(files.folder, 'database.url')
    writeFileSync(file, `${EXAMPLE_ENV.EXAMPLE_DATABASE_URL}\n`)
    files.write({ tenant: tenantWith(['database', 'url'], { file: '../database.url' }) })
    const config = loadConfig(files.deploymentFile, { env: {} })
    expect(config.tenants[0]?.databaseUrl.reveal()).toBe(EXAMPLE_ENV.EXAMPLE_DATABASE_URL)
  })
})

describe('files', () => {
  test('that are missing are all named at once', () => {
    const deployment = deploymentWith(['trustFramework', 'keyFile'], 'nowhere.key.pem')
    const tenant = tenantWith(['lfi', 'caFile'], 'nowhere.pem')
    expect(faultsOf({ deployment, tenant })).toEqual([
      expect.stringContaining(`${files.folder}/nowhere.key.pem does not exist`),
      expect.stringContaining(`${files.folder}/tenants/nowhere.pem does not exist`),
    ])
  })

  test('that cannot be read are a fault, not a crash', () => {
    mkdirSync(join(files.folder, 'folder'))
    expect(faultsOf({ tenant: tenantWith(['lfi', 'caFile'], '../folder') })).toEqual([
      expect.stringContaining('folder cannot be read (EISDIR)'),
    ])
    expect(() => loadConfig(files.folder)).toThrow('cannot be read (EISDIR)')
    expect(() => loadConfig(join(files.folder, 'nowhere.json'))).toThrow('nowhere.json: does not exist')
    if (process.getuid?.() !== 0) {
      chmodSync(files.tenantFile, 0)
      expect(() => loadConfig(files.deploymentFile, { env: EXAMPLE_ENV })).toThrow('EACCES')
      chmodSync(files.tenantFile, 0o600)
    }
  })

  const weak = pem(generateKeyPairSync('rsa', { modulusLength: 1024 }).privateKey)
  const locked = generateKeyPairSync('ed25519').privateKey.export({
    type: 'pkcs8',
    format: 'pem',
    cipher: 'aes-256-cbc',
    passphrase: SECRET,
  }) as string
  const ec = pem(generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey)
  test.each<[string, Path, string, RegExp]>([
    ['no certificate', ['lfi', 'caFile'], SECRET, /wrong\.pem holds no PEM certificate that can be read$/],
    [
      'a broken certificate',
      ['lfi', 'caFile'],
      '-----BEGIN CERTIFICATE-----\nhunter2\n-----END CERTIFICATE-----\n',
      /holds no PEM certificate/,
    ],
    ['no key', ['keys', 'audit', 'keyFile'], SECRET, /wrong\.pem holds no PEM private key/],
    ['a key with a passphrase', ['keys', 'audit', 'keyFile'], locked, /holds no PEM private key without a passphrase$/],
    ['an audit key of another kind', ['keys', 'audit', 'keyFile'], ec, /the key in .*wrong\.pem is not Ed25519$/],
    ['a signing key of another kind', ['keys', 'signing', 0, 'keyFile'], ec, /is not RSA of at least 2048 bits$/],
    ['a weak signing key', ['keys', 'signing', 0, 'keyFile'], weak, /is not RSA of at least 2048 bits$/],
    ['a weak encryption key', ['keys', 'encryption', 0, 'keyFile'], weak, /is not RSA of at least 2048 bits$/],
    ['a weak key for JWT Auth', ['lfi', 'authentication', 'keyFile'], weak, /is not RSA of at least 2048 bits$/],
    [
      'a key of another certificate',
      ['listeners', 'as', 'keyFile'],
      ec,
      /is not the key of the certificate in .*as\.crt/,
    ],
  ])('that hold %s are refused', (_what, path, text, fault) => {
    writeFileSync(join(files.folder, 'wrong.pem'), text)
    expect(faultsOf({ tenant: tenantWith(path, '../wrong.pem') })).toEqual([expect.stringMatching(fault)])
  })

  test('that name nobody whom JWT Auth could speak for are refused', async () => {
    const { certificate, key } = await (await createAuthority('Some Authority')).issue({ O: 'Example', OU: 'no id' })
    writeFileSync(join(files.folder, 'nobody.crt.pem'), certificate)
    writeFileSync(join(files.folder, 'nobody.key.pem'), key)
    const nobody = tenantWith(['lfi', 'certificateFile'], '../nobody.crt.pem')
    put(nobody, ['lfi', 'keyFile'], '../nobody.key.pem')
    expect(faultsOf({ tenant: nobody })).toEqual([
      expect.stringMatching(/^tenant example: lfi\.certificateFile names no organisation \(O\) with its id \(OU\)/),
    ])
    put(nobody, ['lfi', 'authentication'], { type: 'none' })
    expect(faultsOf({ tenant: nobody })).toEqual([])
  })
})

describe('outside the sandbox', () => {
  const database = (query: string) => ({ EXAMPLE_DATABASE_URL: `postgres://u:${SECRET}@db/falaj${query}` })
  const origin = (value: string) => ({ tenant: (): Json => tenantWith(['listeners', 'as', 'origin'], value) })
  type Unsafe = { deployment?: () => Json; tenant?: () => Json; env?: NodeJS.ProcessEnv }
  test.each<[string, Unsafe, string]>([
    ['trace logs', { deployment: () => deploymentWith(['log', 'level'], 'trace') }, 'log.level trace'],
    ['debug logs', { deployment: () => deploymentWith(['log', 'level'], 'debug') }, 'log.level debug'],
    [
      'automatic activation',
      { tenant: () => tenantWith(['activation'], 'automatic') },
      'example: activation automatic',
    ],
    ['localhost', origin('https://localhost:8461'), 'listeners.as.origin on the loopback'],
    ['a name below localhost', origin('https://as.localhost'), 'listeners.as.origin on the loopback'],
    ['127.0.0.0/8', origin('https://127.8.8.8'), 'listeners.as.origin on the loopback'],
    ['[::1]', origin('https://[::1]:8461'), 'listeners.as.origin on the loopback'],
    ['a database in plain text', { env: database('?sslmode=disable') }, 'database.url without sslmode=verify-full'],
    ['a database that prefers encryption', { env: database('?sslmode=prefer') }, 'database.url without sslmode'],
    ['a database that says nothing of it', { env: database('') }, 'database.url without sslmode'],
    [
      'a database that says both',
      { env: database('?sslmode=require&sslmode=disable') },
      'database.url without sslmode',
    ],
  ])('%s is refused', (_what, { deployment, tenant, env }, sentence) => {
    const faults = faultsOf({ deployment: deployment?.(), tenant: tenant?.(), ...(env === undefined ? {} : { env }) })
    expect(faults).toEqual([expect.stringContaining(sentence)])
    expect(faults[0]).toMatch(/is allowed in the sandbox only, and environment is production$/)
    const laptop = { ...(deployment?.() ?? files.deployment()), environment: 'sandbox' }
    expect(faultsOf({ deployment: laptop, tenant: tenant?.(), ...(env === undefined ? {} : { env }) })).toEqual([])
  })

  test.each([
    [
      'http://collector.example/v1/traces',
      [/^tracing.endpoint over http to another machine is allowed in the sandbox only/],
    ],
    ['http://127.0.0.1:4318/v1/traces', []],
    ['https://collector.example/v1/traces', []],
    ['https://name:word@collector.example/', [/tracing.endpoint must match pattern/]],
  ])('traces go to %s', (endpoint, faults) => {
    const found = faultsOf({ deployment: deploymentWith(['tracing'], { endpoint }) })
    expect(found).toEqual(faults.map((fault) => expect.stringMatching(fault)))
  })

  test('a name that only begins like the loopback is fine', () => {
    expect(faultsOf(origin('https://localhost.bank.example').tenant())).toEqual([])
    expect(faultsOf({ deployment: deploymentWith(['environment'], 'preproduction') })).toEqual([])
  })
})

describe('the time of single operations', () => {
  const at = (operations: Json) => ({ tenant: tenantWith(['lfi', 'operationTimeoutsMs'], operations) })

  test('is given to operations of Ozone Connect', () => {
    expect(faultsOf(at({ findAccounts: 2_000, reportFile: 30_000 }))).toEqual([])
  })

  test.each([
    [
      'findAccount',
      2_000,
      /^tenant example: lfi.operationTimeoutsMs.findAccount is no operation of Ozone Connect; there are findAccounts, /,
    ],
    ['toString', 2_000, /^tenant example: lfi.operationTimeoutsMs.toString is no operation of Ozone Connect; /],
    [
      'validateConsent',
      2_000,
      /^tenant example: lfi.operationTimeoutsMs.validateConsent has its time in lfi.consentActions$/,
    ],
    ['findAccounts', 99, /lfi.operationTimeoutsMs.findAccounts must be >= 100$/],
    ['findAccounts', 60_001, /lfi.operationTimeoutsMs.findAccounts must be <= 60000$/],
    ['findAccounts', '2000', /lfi.operationTimeoutsMs.findAccounts must be integer$/],
  ])('%s: %j is a fault', (name, value, fault) => {
    expect(faultsOf(at({ [name]: value }))).toEqual([expect.stringMatching(fault)])
  })

  test('of a class that there is not is a fault', () => {
    const changed = tenantWith(['lfi', 'budgets'], { payments: { timeoutMs: 2_000 } })
    expect(faultsOf({ tenant: changed })).toEqual([expect.stringMatching(/unknown key lfi.budgets.payments$/)])
  })
})

describe('what is archived', () => {
  const told = (retention: Json) => faultsOf({ tenant: tenantWith(['retention'], retention) })

  test('has its payments for a month longer', () => {
    expect(told({ archiveYears: 7, resourceDays: 2_592 })).toEqual([])
    expect(told({ archiveYears: 7, resourceDays: 2_591 })).toEqual([
      expect.stringMatching(/retention.resourceDays must be 2592 at least/),
    ])
    expect(told({ archiveYears: 6 })).toEqual([expect.stringMatching(/must be 2226 at least/)])
  })

  test('is nothing, where nobody says so: then payments may go after a year', () => {
    for (const retention of [{}, { resourceDays: 366 }]) expect(told(retention)).toEqual([])
    expect(told({ archiveYears: 5, resourceDays: 1_918 })).toEqual([])
  })
})

describe('what must not meet', () => {
  /** A second tenant beside the example, alike in all that is given. */
  function second(changes: Json, url: string): Changed {
    const other = files.tenant()
    other['id'] = 'other'
    for (const [index, role] of Object.keys(other['listeners'] as Json).entries()) {
      const listener = at(other, ['listeners', role])
      listener['origin'] = `https://${role}.other.example`
      listener['port'] = 20_000 + index
    }
    Object.assign(other, { database: { url: { env: 'OTHER' } } }, changes)
    writeFileSync(join(files.folder, 'tenants', 'other.json'), JSON.stringify(other))
    return {
      deployment: deploymentWith(['tenants'], ['tenants/example.json', 'tenants/other.json']),
      env: { ...EXAMPLE_ENV, OTHER: url },
    }
  }
  const elsewhere = 'postgres://other@db.internal/falaj_other?sslmode=verify-full'

  test('two tenants with everything of their own are fine', () => {
    expect(faultsOf(second({}, elsewhere))).toEqual([])
  })

  test('two tenants with one id', () => {
    expect(faultsOf(second({ id: 'example' }, elsewhere))).toEqual(['2 tenants have the id example'])
  })

  test.each([
    ['the same URL', EXAMPLE_ENV.EXAMPLE_DATABASE_URL],
    ['another role', 'postgres://other:hunter2@db.internal/falaj_example?sslmode=verify-full'],
    ['the port written out', 'postgresql://x@DB.internal:5432/falaj_example?sslmode=require'],
  ])('two tenants with one database, by %s', (_how, url) => {
    expect(faultsOf(second({}, url))).toEqual(['tenants example and other have the same database in database.url'])
  })

  test('something else than a database', () => {
    expect(faultsOf(second({}, `mysql://u:${SECRET}@db/x`))).toEqual([
      'tenant other: database.url is not a postgres:// URL',
    ])
  })

  test('a portal without a door, a door without a portal, and one that nobody may enter', () => {
    const withoutDoor = files.tenant()
    delete at(withoutDoor, ['listeners'])['portal']
    expect(faultsOf({ tenant: withoutDoor })).toEqual(['tenant example: portal needs listeners.portal'])
    const withoutPeople = files.tenant()
    delete withoutPeople['portal']
    expect(faultsOf({ tenant: withoutPeople })).toEqual([
      'tenant example: listeners.portal needs portal, which says who may log in',
    ])
    expect(faultsOf({ tenant: tenantWith(['portal', 'roles'], {}) })).toEqual([
      'tenant example: portal.roles gives nobody a role',
    ])
    const idle = put(tenantWith(['portal', 'sessionMinutes'], 10), ['portal', 'idleMinutes'], 11)
    expect(faultsOf({ tenant: idle })).toEqual([
      'tenant example: portal.idleMinutes is more than portal.sessionMinutes',
    ])
  })

  test('one origin for two listeners', () => {
    const tenant = tenantWith(['listeners', 'rs', 'origin'], 'https://as.example.openfinance.example')
    expect(faultsOf({ tenant })).toContain(
      'tenant example: listeners.as and tenant example: listeners.rs have the same origin https://as.example.openfinance.example',
    )
  })

  test('one host name twice on one socket', () => {
    const tenant = tenantWith(['listeners', 'rs', 'origin'], 'https://as.example.openfinance.example:9443')
    expect(faultsOf({ tenant })).toEqual([
      'tenant example: listeners.as and tenant example: listeners.rs share 0.0.0.0 port 9443 and have the same host name',
    ])
  })

  test('listeners on one socket that treat client certificates differently', () => {
    const tenant = tenantWith(['listeners', 'auth', 'port'], 10_443)
    expect(faultsOf({ tenant })).toEqual([
      'tenant example: listeners.auth and tenant example: listeners.hh and tenant example: listeners.cm share 0.0.0.0 port 10443 and treat client certificates differently',
    ])
  })

  test.each([
    'https://AS.example',
    'https://as.example:443',
    'https://[',
    'https://as.example:99999',
  ])('an origin that is not written as origins are: %s', (origin) => {
    expect(faultsOf({ tenant: tenantWith(['listeners', 'as', 'origin'], origin) })).toEqual([
      expect.stringMatching(/^tenant example: listeners\.as\.origin is not an origin/),
    ])
  })
})
