/** When a certificate is said to end soon, and to whom: the log, and whoever asks on the command line. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type OwnCertificate, urgencyOf, warnOfCertificates } from '../../src/certificates.ts'
import { type Instant, toInstant } from '../../src/clock.ts'
import type { Log } from '../../src/log.ts'
import { falaj } from '../support/cli.ts'
import { type ConfigFiles, EXAMPLE_ENV, writeConfigFiles } from '../support/config-files.ts'

const NOW = toInstant('2026-03-01T00:00:00Z')
const DAY_MS = 86_400_000
const ending = (inMs: number): OwnCertificate => ({
  name: 'lfi',
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
    const lines: string[] = []
    const log = {
      warn: (_told: object, text: string) => lines.push(`warn ${text}`),
      error: (_told: object, text: string) => lines.push(`error ${text}`),
    } as unknown as Log
    warnOfCertificates([ending(inMs)], { clock: { now: () => NOW }, log })
    expect(lines).toEqual(logged)
  })
})

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

  test('of a tenant that there is', async () => {
    const { status, err } = await falaj(
      ['certificates', '--config', files.deploymentFile, '--tenant', 'nobody'],
      EXAMPLE_ENV,
    )
    expect([status, err]).toEqual([1, 'no tenant nobody; the deployment has example\n'])
  })
})
