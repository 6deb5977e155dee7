import { execFile } from 'node:child_process'
import { X509Certificate } from 'node:crypto'
import type { TLSSocket } from 'node:tls'
import { promisify } from 'node:util'
import { beforeAll, describe, expect, test } from 'vitest'
import { handshakeCertificate, TLS_PROFILE, thumbprintOf } from '../../src/tls.ts'
import { type Authority, createAuthority, type Subject } from '../gateway/support/pki.ts'

const OU = 'cd7e71fa-1863-44be-9ce1-e3add79d70f8'

let authority: Authority
beforeAll(async () => {
  authority = await createAuthority('Test, Trust Framework')
})

async function peerOf(subject: Subject, authorized = true) {
  const issued = await authority.issue(subject)
  let asked = 0
  const socket = {
    authorized,
    getPeerX509Certificate: () => {
      asked += 1
      return new X509Certificate(issued.certificate)
    },
  } as unknown as TLSSocket
  const shown = handshakeCertificate(socket)
  if (shown === null) throw new Error('no peer')
  const { peer } = shown
  expect(handshakeCertificate(socket)).toBe(shown)
  expect(asked).toBe(1)
  return { peer, issued }
}

describe('a peer certificate', () => {
  test('says who holds it', async () => {
    const { peer, issued } = await peerOf({ O: 'Wadi Money', OU, CN: 'app' })
    expect(peer).toMatchObject({ organisation: 'Wadi Money', organisationId: OU, commonName: 'app', trusted: true })
    expect(peer.thumbprint).toBe(issued.thumbprint)
    expect(thumbprintOf(new X509Certificate(issued.certificate))).toMatch(/^[\w-]{43}$/)
    expect(peer.expiresAt).toBeGreaterThan(Date.now())
  })

  test.each([
    ['a comma', { O: 'Wadi, Money', CN: 'a, OU=evil' }],
    ['what looks like another attribute', { O: `X, OU=${OU}`, CN: 'CN=y' }],
    ['a slash, a plus and an equals sign', { O: 'A/B+C=D', CN: 'a/b' }],
    ['quotes', { O: 'A"B', CN: '"' }],
    ['letters of other scripts', { O: 'مصرف الفجر', CN: 'تطبيق' }],
  ])('may have %s in its names', async (_what, { O, CN }) => {
    const { peer } = await peerOf({ O, CN, OU: '0f6a4b52-8a0e-4d0f-8a3c-1f2b9f6d7c10' })
    expect(peer).toMatchObject({
      organisation: O,
      commonName: CN,
      organisationId: '0f6a4b52-8a0e-4d0f-8a3c-1f2b9f6d7c10',
    })
  })

  test('without an organisation id in OU has none', async () => {
    expect((await peerOf({ O: 'x', CN: 'y' })).peer.organisationId).toBeNull()
    expect((await peerOf({ O: 'x', OU: 'Payments', CN: 'y' })).peer).toMatchObject({
      organisationId: null,
      commonName: 'y',
    })
    expect((await peerOf({ OU })).peer).toMatchObject({ organisation: '', commonName: '' })
  })

  test('that the handshake did not trust says so', async () => {
    expect((await peerOf({ O: 'x', OU }, false)).peer.trusted).toBe(false)
  })

  test('that was not sent is null', () => {
    expect(handshakeCertificate({ getPeerX509Certificate: () => undefined } as unknown as TLSSocket)).toBeNull()
  })

  test('with an attribute twice says nothing by it', () => {
    const legacy = { subject: { O: ['Aurora', 'Wadi'], OU: [OU, OU], CN: 'app' } }
    const certificate = {
      toLegacyObject: () => legacy,
      raw: Buffer.from('x'),
      subject: 's',
      issuer: 'i',
      validTo: 'Jan 1 2030',
    }
    const socket = { authorized: true, getPeerX509Certificate: () => certificate } as unknown as TLSSocket
    expect(handshakeCertificate(socket)?.peer).toMatchObject({
      organisation: '',
      organisationId: null,
      commonName: 'app',
    })
  })
})

test('the profile leaves nothing to the defaults of the platform', () => {
  expect(TLS_PROFILE).toMatchObject({ minVersion: 'TLSv1.2', maxVersion: 'TLSv1.3', honorCipherOrder: true })
  expect(TLS_PROFILE.ciphers.split(':').every((name) => /^(TLS_|ECDHE-(RSA|ECDSA)-AES\d+-GCM)/.test(name))).toBe(true)
})

test('a process that has read a certificate before anything else can still be a server', async () => {
  const { certificate } = await authority.issue({ O: 'Bank', OU })
  const program = `
    import { X509Certificate } from 'node:crypto'
    import { describeCertificate } from './src/tls.ts'
    const { organisation } = describeCertificate(new X509Certificate(process.argv[1]), true)
    const { createSecureContext } = await import('node:tls')
    console.log(organisation, typeof createSecureContext)`
  const run = promisify(execFile)(process.execPath, ['--input-type=module', '-e', program, '--', certificate])
  expect((await run).stdout).toBe('Bank function\n')
})
