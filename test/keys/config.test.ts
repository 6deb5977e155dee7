/** Where keys come from, as the configuration says it: what belongs together, and what only a laptop may have. */
import { randomBytes } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { ConfigError, type KeyStoreConfig, loadConfig } from '../../src/config.ts'
import { type ConfigFiles, EXAMPLE_ENV, writeConfigFiles } from '../support/config-files.ts'
import { put, without } from '../support/json-paths.ts'

const KEY = randomBytes(32).toString('base64')
const STORED_JWKS = 'https://auth.example.openfinance.example/jwks'
const ENV = { ...EXAMPLE_ENV, PATH: process.env['PATH'], KEY_ENCRYPTION: KEY, EMPTY: '' }

let files: ConfigFiles
beforeAll(async () => {
  files = await writeConfigFiles()
})
afterAll(() => files.close())
beforeEach(() => files.write({}))

type Keys = Readonly<Record<string, unknown>>
const stored: Keys = { source: 'stored', encryptionKey: { env: 'KEY_ENCRYPTION' } }

function storeOf(keys: Keys, change: { readonly jwksUrl?: string; readonly environment?: string } = {}) {
  const { jwksUrl = STORED_JWKS, environment = 'production' } = change
  const own = { audit: files.tenant()['keys'] }
  const tenant = put(files.tenant(), ['keys'], { ...(own.audit as object), ...keys })
  files.write({
    tenant: put(tenant, ['jwksUrl'], jwksUrl),
    deployment: put(files.deployment(), ['environment'], environment),
  })
  return loadConfig(files.deploymentFile, { env: ENV }).tenants[0]?.keys.store
}
function faultsOf(...[keys, change]: Parameters<typeof storeOf>): readonly string[] {
  try {
    storeOf(keys, change)
    return []
  } catch (thrown) {
    if (!(thrown instanceof ConfigError)) throw thrown
    expect(thrown.message).not.toContain(KEY)
    return thrown.faults
  }
}
const bytesOf = (store: KeyStoreConfig | null | undefined) =>
  store?.encryptionKeys.map((key) => key.reveal().toString('base64'))

describe('stored keys', () => {
  test('are encrypted with a key of the environment, a file or a command', () => {
    const file = join(files.folder, 'tenants', 'kek')
    writeFileSync(file, `${KEY}\n`)
    const command = ['node', '-e', `process.stdout.write('${KEY}')`]
    for (const encryptionKey of [{ env: 'KEY_ENCRYPTION' }, { file: 'kek' }, { command }]) {
      const store = storeOf({ ...stored, encryptionKey })
      expect([bytesOf(store), store?.publishAheadSeconds]).toEqual([[KEY], 1200])
    }
  })

  test('are opened with the one before as well', () => {
    const other = randomBytes(32).toString('base64')
    writeFileSync(join(files.folder, 'tenants', 'former'), other)
    expect(bytesOf(storeOf({ ...stored, previousEncryptionKey: { file: 'former' } }))).toEqual([KEY, other])
  })

  test('need no key in the configuration', () => {
    expect(faultsOf({ ...stored, signing: [], encryption: [] })).toEqual([])
    const keys = without(files.tenant(), ['keys', 'signing'])['keys'] as Keys
    expect(faultsOf({ ...keys, ...stored })).toEqual([])
  })

  test.each([
    ['no key-encryption key', { source: 'stored' }, /keys\.source stored needs keys\.encryptionKey$/],
    ['one that is not there', { ...stored, encryptionKey: { file: 'nowhere' } }, /nowhere does not exist$/],
    ['one that is not set', { ...stored, encryptionKey: { env: 'EMPTY' } }, /EMPTY is not set$/],
    ['a key as value', { ...stored, encryptionKey: KEY }, /must be \{ "file": path \}/],
    [
      'a command that fails',
      { ...stored, encryptionKey: { command: ['false'] } },
      /command of keys\.encryptionKey failed \(status 1\)$/,
    ],
    ['a command that is none', { ...stored, encryptionKey: { command: ['./no-such'] } }, /failed \(ENOENT\)$/],
    [
      'a command with nothing to say',
      { ...stored, encryptionKey: { command: ['true'] } },
      /is not 32 bytes in base64$/,
    ],
    ['no time ahead', { ...stored, publishAheadSeconds: 0 }, /publishAheadSeconds must be >= 1$/],
  ])('are refused with %s', (_what, keys, fault) => {
    expect(faultsOf(keys)).toEqual([expect.stringMatching(fault)])
  })

  test.each([
    ['31 bytes', randomBytes(31).toString('base64')],
    ['33 bytes', randomBytes(33).toString('base64')],
    ['hexadecimal', randomBytes(32).toString('hex')],
    ['base64url', Buffer.alloc(32, 0xfb).toString('base64url')],
    ['more than one line', `${KEY}\n${KEY}`],
  ])('are refused with a key-encryption key of %s', (_what, text) => {
    writeFileSync(join(files.folder, 'tenants', 'wrong'), text)
    const faults = faultsOf({ ...stored, encryptionKey: { file: 'wrong' } })
    expect(faults).toEqual([expect.stringMatching(/keys\.encryptionKey is not 32 bytes in base64$/)])
    expect(faults.join()).not.toContain(text.slice(0, 16))
  })

  test('what a failing command wrote is not told', () => {
    const command = ['node', '-e', `process.stdout.write('${KEY}'); process.stderr.write('${KEY}'); process.exit(3)`]
    expect(faultsOf({ ...stored, encryptionKey: { command } })).toEqual([expect.stringMatching(/failed \(status 3\)$/)])
  })

  test('are published by the hub and nobody else', () => {
    const elsewhere = { jwksUrl: 'https://keystore.directory.example/application.jwks' }
    expect(faultsOf(stored, elsewhere)).toEqual([
      `tenant example: jwksUrl has to be ${STORED_JWKS} with keys.source stored`,
    ])
  })

  test('are published as long ahead as clients keep keys, but for the sandbox', () => {
    const hasty = { ...stored, publishAheadSeconds: 1199 }
    expect(faultsOf(hasty)).toEqual([
      'tenant example: keys.publishAheadSeconds below 1200 is allowed in the sandbox only, and environment is production',
    ])
    expect(faultsOf({ ...stored, publishAheadSeconds: 1200 })).toEqual([])
    expect(storeOf(hasty, { environment: 'sandbox' })).toMatchObject({ publishAheadSeconds: 1199 })
  })
})

describe('keys of files', () => {
  test('are what there is without another word', () => {
    expect(storeOf({}, { jwksUrl: 'https://keystore.directory.example/application.jwks' })).toBeNull()
  })

  test.each([
    ['no signing key', { signing: [] }, /keys\.source files needs a key in keys\.signing$/],
    [
      'a key-encryption key',
      { encryptionKey: { env: 'KEY_ENCRYPTION' } },
      /encrypts nothing while keys\.source is files$/,
    ],
  ])('are refused with %s', (_what, keys, fault) => {
    expect(faultsOf(keys)).toEqual([expect.stringMatching(fault)])
  })
})
