import { createHash, createPrivateKey, X509Certificate } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { enrol } from '../../sandbox/trust-framework/enrol.ts'
import { loadEnrolment } from '../../sandbox/trust-framework/enrolment.ts'
import { newRsaKey, openAuthority } from '../../sandbox/trust-framework/pki.ts'
import { certificateIn, dataDir, enrolment, SETTINGS } from './trust-framework-fixture.ts'

const DAY_MS = 86_400_000

describe('certificates', () => {
  const subjectOf = (certificate: X509Certificate): unknown => ({ ...certificate.toLegacyObject().subject })

  test('a client transport certificate names country, organisation, organisation id and application', () => {
    const { transport, clientId, organisationId } = enrolment.tpp.primary
    const certificate = certificateIn(transport.certFile)
    expect(subjectOf(certificate)).toEqual({ C: 'AE', O: 'Wadi Money FZ-LLC', OU: organisationId, CN: clientId })
    expect(certificate.subjectAltName).toBeUndefined()
    expect(certificate.keyUsage).toEqual(['1.3.6.1.5.5.7.3.2'])
    expect(certificate.ca).toBe(false)
    expect(certificate.publicKey.asymmetricKeyDetails?.modulusLength).toBe(2048)
    expect(Math.round((Date.parse(certificate.validTo) - Date.parse(certificate.validFrom)) / DAY_MS)).toBe(396)
  })

  test('a server certificate names loopback hosts and no application', () => {
    const certificate = certificateIn(enrolment.hubs.aurora.server.certFile)
    expect(subjectOf(certificate)).toEqual({
      C: 'AE',
      O: 'Falaj Hub Operator',
      OU: enrolment.hubOperator.organisationId,
    })
    expect(certificate.keyUsage).toEqual(['1.3.6.1.5.5.7.3.1'])
    expect(certificate.checkHost('localhost')).toBe('localhost')
    expect([certificate.checkIP('127.0.0.1'), certificate.checkIP('::1')]).toEqual(['127.0.0.1', '::1'])
    expect(certificate.checkHost('example.com')).toBeUndefined()
  })

  test('kid is the base64url SHA-256 of the certificate, and key and certificate belong together', () => {
    const { transport, signing, encryption } = enrolment.tpp.primary
    for (const { certFile, keyFile, kid } of [transport, signing, encryption]) {
      const certificate = certificateIn(certFile)
      expect(createHash('sha256').update(certificate.raw).digest('base64url')).toBe(kid)
      expect(certificate.checkPrivateKey(createPrivateKey(readFileSync(keyFile)))).toBe(true)
      expect(statSync(keyFile).mode & 0o777).toBe(0o600)
    }
  })

  test('the chain leads from leaf to issuing authority to root, all SHA-256 with RSA', () => {
    const [root, issuing] = readFileSync(enrolment.ca.bundleFile, 'utf8')
      .split(/(?<=-----END CERTIFICATE-----\n)/)
      .filter((pem) => pem !== '')
      .map((pem) => new X509Certificate(pem)) as [X509Certificate, X509Certificate]
    const leaf = certificateIn(enrolment.tpp.primary.transport.certFile)
    expect(leaf.checkIssued(issuing) && leaf.verify(issuing.publicKey)).toBe(true)
    expect(issuing.checkIssued(root) && issuing.verify(root.publicKey)).toBe(true)
    expect(root.verify(root.publicKey)).toBe(true)
    expect([root.ca, issuing.ca]).toEqual([true, true])
    expect(leaf.signatureAlgorithm).toBe('sha256WithRSAEncryption')
  })

  test('names with commas and quotes survive', async () => {
    const authority = await openAuthority(join(dataDir, 'pki'), 'Falaj Sandbox')
    const organisation = 'Sons, "Brothers" + Co=\\'
    const subject = { organisation, organisationId: 'unit', clientId: 'a, b' }
    const pem = await authority.issue({ kind: 'client-transport', subject, key: await newRsaKey() })
    expect(subjectOf(new X509Certificate(pem))).toEqual({ C: 'AE', O: organisation, OU: 'unit', CN: 'a, b' })
  })
})

describe('enrolment', () => {
  test('run again changes nothing, and can be read back', async () => {
    const before = readFileSync(enrolment.tpp.primary.signing.keyFile, 'utf8')
    expect(await enrol(SETTINGS)).toEqual(enrolment)
    expect(loadEnrolment(dataDir)).toEqual(enrolment)
    expect(readFileSync(enrolment.tpp.primary.signing.keyFile, 'utf8')).toBe(before)
  })

  test('what is missing is made again, the rest stays', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'falaj-enrol-'))
    try {
      const first = await enrol({ ...SETTINGS, dataDir: folder })
      rmSync(first.banks.aurora.signing.certFile)
      const second = await enrol({ ...SETTINGS, dataDir: folder })
      expect(second.banks.aurora.signing.kid).not.toBe(first.banks.aurora.signing.kid)
      expect({ ...second.banks.aurora, signing: null }).toEqual({ ...first.banks.aurora, signing: null })
      expect(second.tpp).toEqual(first.tpp)
    } finally {
      rmSync(folder, { recursive: true })
    }
  })

  test('every holder has keys of its own', () => {
    const files = (value: unknown): string[] =>
      typeof value !== 'object' || value === null
        ? []
        : Object.entries(value).flatMap(([name, member]) =>
            name === 'keyFile' || name === 'auditKeyFile' ? [String(member)] : files(member),
          )
    const keys = files(enrolment).map((file) => readFileSync(file, 'utf8'))
    // 35 certificates, two keys for audit logs, and the authority's own.
    expect(keys).toHaveLength(38)
    expect(new Set(keys).size).toBe(keys.length)
    expect(createPrivateKey(readFileSync(enrolment.hubs.meridian.auditKeyFile)).asymmetricKeyType).toBe('ed25519')
  })
})
