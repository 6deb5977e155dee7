/** When a certificate is said to end soon, and to whom: the log, and whoever asks on the command line. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type KnownCertificate, urgencyOf, warnOfCertificates } from '../../src/certificates.ts'
import { type Instant, toInstant } from '../../src/clock.ts'
import type { Log } from '../../src/log.ts'
import { createAuthority } from '../gateway/support/pki.ts'
import { falaj } from '../support/cli.ts'
import { type ConfigFiles, EXAMPLE_ENV, writeConfigFiles } from '../support/config-files.ts'

const NOW = toInstant('2026-03-01T00:00:00Z')
const DAY_MS = 86_400_000
const ending = (inMs: number, kind: KnownCertificate['kind'] = 'own'): KnownCertificate => ({
  name: 'lfi',
  kind,
  subject: 'CN=hub',
  issuer: 'CN=authority',
  expiresAt: (NOW + inMs) as Instant,
})

describe('a certificate', () => {
  test.each([
    [30 * DAY_MS, 'good', []],
    [30 * DAY_MS - 1, 'soon', ['warn a certificate ends within thirty days']],
    [7 * DAY_MS, 'soon', ['warn a certificate ends within thirty days']],
    [7 * DAY_MS - 1, 'urgent', ['error a certificate ends within seven days']],
    [0, 'urgent', ['error a certificate ends within seven days']],
    [-1, 'over', ['error a certificate has ended']],
  ] as const)('that ends in %i ms is %s', (inMs, urgency, logged) => {
    expect(urgencyOf(ending(inMs), NOW)).toBe(urgency)
    expect(linesOf(ending(inMs))).toEqual(logged)
  })
})

describe('an authority', () => {
  test.each([
    [90 * DAY_MS, 'good', []],
    [90 * DAY_MS - 1, 'soon', ['warn an authority ends within ninety days']],
    [7 * DAY_MS - 1, 'urgent', ['error an authority ends within seven days']],
    [-1, 'over', ['error an authority has ended']],
  ] as const)('that ends in %i ms is %s', (inMs, urgency, logged) => {
    expect(urgencyOf(ending(inMs, 'authority'), NOW)).toBe(urgency)
    expect(linesOf(ending(inMs, 'authority'))).toEqual(logged)
  })
})

function linesOf(certificate: KnownCertificate): readonly string[] {
  const lines: string[] = []
  const log = {
    warn: (_told: object, text: string) => lines.push(`warn ${text}`),
    error: (_told: object, text: string) => lines.push(`error ${text}`),
  } as unknown as Log
  warnOfCertificates([certificate], { clock: { now: () => NOW }, log })
  return lines
}

describe('falaj certificates', () => {
  let files: ConfigFiles
  beforeAll(async () => {
    files = await writeConfigFiles()
  })
  afterAll(() => files.close())
  const asked = (...more: string[]) =>
    falaj(['certificates', '--config', files.deploymentFile, '--tenant', 'example', ...more], EXAMPLE_ENV)

  test('lists each by its place in the configuration', async () => {
    const { status, out } = await asked('--json')
    const all = JSON.parse(out) as { name: string; days: number; urgency: string }[]
    expect(all.map(({ name }) => name)).toEqual(expect.arrayContaining(['listeners.rs', 'lfi', 'trustFramework']))
    expect(status).toBe(all.some(({ days }) => days < 7) ? 1 : 0)
    const lines = (await asked()).out.trim().split('\n')
    expect(lines).toHaveLength(all.length)
    expect(lines[0]).toMatch(/^\w+ +-?\d+ days +\d{4}-\d{2}-\d{2}T/)
  })

  test('watches each authority of each file, and of one that was renewed the later certificate', async () => {
    const file = join(files.folder, 'keys', 'example', 'bank-ca.pem')
    const before = readFileSync(file, 'utf8')
    const [bank, next] = [await createAuthority('Bank'), await createAuthority('Next Bank')]
    const inDays = (days: number): Date => new Date(Date.now() + days * DAY_MS + 3_600_000)
    const bundle = [await bank.until(inDays(3)), await bank.until(inDays(400)), await next.until(inDays(5))]
    try {
      writeFileSync(file, bundle.join('\n'))
      const { status, out } = await asked('--json')
      const all = JSON.parse(out) as { name: string; kind: string; days: number; urgency: string; subject: string }[]
      const authorities = all.filter(({ kind }) => kind === 'authority')
      expect(authorities.filter(({ name }) => name.startsWith('lfi.'))).toMatchObject([
        { name: 'lfi.caFile.1', days: 400, urgency: 'good', subject: 'C=AE, O=Bank' },
        { name: 'lfi.caFile.2', days: 5, urgency: 'urgent', subject: 'C=AE, O=Next Bank' },
      ])
      expect(authorities.map(({ name }) => name)).toContain('trustFramework.caFile.0')
      expect(status).toBe(1)
    } finally {
      writeFileSync(file, before)
    }
  })

  test('of a tenant that there is', async () => {
    const { status, err } = await falaj(
      ['certificates', '--config', files.deploymentFile, '--tenant', 'nobody'],
      EXAMPLE_ENV,
    )
    expect([status, err]).toEqual([1, 'no tenant nobody; the deployment has example\n'])
  })
})
