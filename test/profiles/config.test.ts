/** The `profiles` key of a tenant: what is refused at start, and what follows from it. */
import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { ConfigError, loadConfig } from '../../src/config.ts'
import { capabilitiesOf, profileOf } from '../../src/profiles.ts'
import { type ConfigFiles, EXAMPLE_ENV, writeConfigFiles } from '../support/config-files.ts'

let files: ConfigFiles
beforeAll(async () => {
  files = await writeConfigFiles()
})
afterAll(() => files.close())

const id = randomUUID()
const FAPI2 = {
  profile: 'fapi2',
  authentication: 'private_key_jwt',
  senderConstraint: 'dpop',
  signingAlgorithms: ['ES256'],
  requestObject: 'signed',
}
const load = (profiles?: unknown) => {
  const tenant = files.tenant()
  files.write({ tenant: profiles === undefined ? tenant : { ...tenant, profiles } })
  const [loaded] = loadConfig(files.deploymentFile, { env: EXAMPLE_ENV }).tenants
  if (loaded === undefined) throw new Error('there is a tenant')
  return loaded
}
const faultsOf = (profiles: unknown): string => {
  try {
    load(profiles)
    return ''
  } catch (thrown) {
    if (!(thrown instanceof ConfigError)) throw thrown
    return thrown.faults.join('\n')
  }
}
const withClient = (changes: object, clientId: string = id) => ({
  serves: ['uae', 'fapi2'],
  clients: { [clientId]: { ...FAPI2, ...changes } },
})

describe('refused at start', () => {
  test.each([
    ['an empty key', {}, /missing key profiles\.serves/],
    ['nothing served', { serves: [] }, /profiles\.serves/],
    ['a profile that nobody knows', { serves: ['obie'] }, /must be one of uae, fapi2/],
    ['a key that nobody knows', { serves: ['uae'], default: 'uae' }, /unknown key profiles\.default/],
    ['fapi2 without a client of it', { serves: ['uae', 'fapi2'] }, /names no client of it/],
    [
      'a client of fapi2 where that is not served',
      { ...withClient({}), serves: ['uae'] },
      /which profiles\.serves does not list/,
    ],
    ['a client id that is none', withClient({}, 'Wadi Money'), /profiles\.clients/],
    ['a client of uae by name', withClient({ profile: 'uae' }), /profile/],
    [
      'a way to authenticate that is none',
      withClient({ authentication: 'client_secret_basic' }),
      /authentication must be one of/,
    ],
    ['no sender constraint', withClient({ senderConstraint: 'none' }), /senderConstraint must be one of/],
    ['RS256', withClient({ signingAlgorithms: ['RS256'] }), /signingAlgorithms/],
    ['no algorithm', withClient({ signingAlgorithms: [] }), /signingAlgorithms/],
    ['an unsigned request by another name', withClient({ requestObject: 'optional' }), /requestObject must be one of/],
    ['a member that nobody knows', withClient({ pkce: false }), /unknown key .*pkce/],
    ['no word about requests', withClient({ requestObject: undefined }), /missing key .*requestObject/],
    [
      'tokens bound to a certificate that is optional',
      withClient({ senderConstraint: 'mtls', transportCertificate: 'optional' }),
      /cannot be bound to a certificate that is optional/,
    ],
    [
      'authentication with a certificate that is optional',
      withClient({ authentication: 'tls_client_auth', transportCertificate: 'optional' }),
      /cannot authenticate with a certificate that is optional/,
    ],
  ])('%s', (_name, profiles, fault) => {
    expect(faultsOf(profiles)).toMatch(fault)
  })
})

describe('what follows', () => {
  test('nothing said: every client follows uae, and that is all there is', () => {
    const tenant = load()
    expect(profileOf(tenant, id)).toMatchObject({
      profile: 'uae',
      senderConstraint: 'mtls',
      transportCertificate: 'required',
    })
    expect(capabilitiesOf(tenant)).toEqual({
      authentication: ['private_key_jwt'],
      signingAlgorithms: ['PS256'],
      mtls: true,
      dpop: false,
      unsignedRequests: false,
      jarm: false,
      withoutCertificate: false,
    })
  })

  test('a client that is named follows fapi2 as it is described, every other uae', () => {
    const tenant = load(withClient({}))
    expect(profileOf(tenant, id)).toEqual({ ...FAPI2, jarm: false, transportCertificate: 'optional' })
    expect(profileOf(tenant, randomUUID())?.profile).toBe('uae')
    for (const name of ['__proto__', 'constructor', 'toString']) expect(profileOf(tenant, name)?.profile).toBe('uae')
  })

  test.each([
    ['private_key_jwt', 'dpop', 'optional'],
    ['private_key_jwt', 'mtls', 'required'],
    ['tls_client_auth', 'dpop', 'required'],
    ['tls_client_auth', 'mtls', 'required'],
  ])('with %s and %s the certificate is %s', (authentication, senderConstraint, expected) => {
    const tenant = load(withClient({ authentication, senderConstraint }))
    expect(profileOf(tenant, id)?.transportCertificate).toBe(expected)
  })

  test('a certificate may be asked for all the same', () => {
    const tenant = load(withClient({ transportCertificate: 'required' }))
    expect(profileOf(tenant, id)?.transportCertificate).toBe('required')
    expect(capabilitiesOf(tenant).withoutCertificate).toBe(false)
  })

  test('where uae is not served, who is not named is nobody', () => {
    const tenant = load({ ...withClient({ jarm: true }), serves: ['fapi2'] })
    expect(profileOf(tenant, randomUUID())).toBeNull()
    expect(capabilitiesOf(tenant)).toEqual({
      authentication: ['private_key_jwt'],
      signingAlgorithms: ['ES256'],
      mtls: false,
      dpop: true,
      unsignedRequests: false,
      jarm: true,
      withoutCertificate: true,
    })
  })
})
