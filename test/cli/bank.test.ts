/** `falaj probe` and `falaj deviations` against a sandbox that runs. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { bankUsers } from '../../sandbox/bank/bank.ts'
import type { ManifestLfi } from '../../sandbox/manifest.ts'
import { falaj } from '../support/cli.ts'
import { startTestSandbox, type TestSandbox } from '../support/sandbox.ts'

let sandbox: TestSandbox
let lfi: ManifestLfi
beforeAll(async () => {
  sandbox = await startTestSandbox()
  lfi = sandbox.manifest.lfis.aurora
}, 60_000)
afterAll(() => sandbox.close(), 60_000)

const tenant = (): string[] => ['--config', lfi.hubConfigFile, '--tenant', 'aurora']
const customer = (): string[] => {
  const [user] = bankUsers('aurora')
  return ['--user', user?.userId ?? '', ...(user?.accountIds ?? []).flatMap((id) => ['--account', id])]
}

describe('falaj probe', () => {
  test('finds nothing in the sandbox’s bank', async () => {
    const { status, out } = await falaj(['probe', ...tenant(), ...customer(), '--within', '60000'])
    expect(out).toMatch(/^ok {4}GET \/hello {2}200/)
    expect(out).toMatch(/checks, nothing found\n$/)
    expect(status).toBe(0)
  })

  test('finds an account that is not the customer’s, as JSON and with exit status 1', async () => {
    const { status, out } = await falaj([
      'probe',
      ...tenant(),
      '--user',
      bankUsers('aurora')[0]?.userId ?? '',
      '--account',
      'acc-of-nobody',
      '--json',
      '--within',
      '60000',
    ])
    expect(status).toBe(1)
    const report = JSON.parse(out) as {
      ok: boolean
      operations: { operation: string; findings: { check: string }[] }[]
    }
    expect(report.ok).toBe(false)
    expect(report.operations.find(({ operation }) => operation === 'GET /accounts')?.findings).toMatchObject([
      { check: 'status' },
    ])
  })

  test('makes payments where it is told how much, and hands over a file of them', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'falaj-probe-'))
    const described = join(folder, 'file.json')
    writeFileSync(join(folder, 'salaries.csv'), 'iban,amount\nAE07,1.00\n')
    const file = { path: 'salaries.csv', FileType: 'csv', NumberOfTransactions: 1, ControlSum: '1.00' }
    writeFileSync(described, JSON.stringify(file))
    const asked = ['probe', ...tenant(), ...customer(), '--within', '60000']
    try {
      const { status, out } = await falaj([...asked, '--payments', '1.00', '--payment-file', described])
      expect(out).toMatch(/^ok {4}POST \/payments {2}201/m)
      expect(out).toMatch(/^ok {4}POST \/payments again under the same key {2}201/m)
      expect(out).toMatch(/^ok {4}GET \/payments\/\{paymentId\}\/report-file {2}200/m)
      expect([status, out.split('\n').at(-2)]).toEqual([0, expect.stringMatching(/nothing found$/)])
      for (const [more, why] of [
        [['--payments', '1'], /not an amount with two decimals/],
        [['--payments', '1.00', '--payment-file', join(folder, 'none.json')], /none.json cannot be read\n$/],
        [['--payments', '1.00', '--payment-file', join(folder, 'salaries.csv')], /salaries.csv is not JSON\n$/],
      ] as const) {
        const refused = await falaj([...asked, ...more])
        expect([refused.status, refused.err]).toEqual([expect.any(Number), expect.stringMatching(why)])
        expect(refused.status).not.toBe(0)
      }
    } finally {
      rmSync(folder, { recursive: true })
    }
  })

  test('says when it could not be made', async () => {
    const { status, err } = await falaj(['probe', '--config', lfi.hubConfigFile, '--tenant', 'nobody', ...customer()])
    expect([status, err]).toEqual([2, 'no tenant nobody in this deployment\n'])
  })
})

test('falaj deviations has nothing to tell of a bank that keeps the contract', async () => {
  expect(await falaj(['deviations', ...tenant()])).toEqual({ status: 0, out: '', err: '' })
  expect(await falaj(['deviations', ...tenant(), '--json', '--clear'])).toEqual({ status: 0, out: '[]\n', err: '' })
})
