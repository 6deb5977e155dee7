/** `falaj probe`, `falaj deviations` and `falaj lfi` against a sandbox that runs. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { bankUsers } from '../../sandbox/bank/bank.ts'
import type { ManifestLfi } from '../../sandbox/manifest.ts'
import { startGate } from '../operations/support/gate.ts'
import { createVisitor, type Visitor } from '../portal/support/visitor.ts'
import { personNamed } from '../portal/support/world.ts'
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

describe('falaj lfi', () => {
  const asJson = async (...args: string[]) => {
    const { status, out, err } = await falaj(['lfi', ...args, ...tenant(), '--json'])
    return { status, err, told: out === '' ? null : (JSON.parse(out) as Record<string, unknown>) }
  }
  const proposals = async (): Promise<string> => (await (await browser()).go(`${lfi.portal}approvals`)).body
  let visitor: Visitor | null = null
  async function browser(): Promise<Visitor> {
    if (visitor !== null) return visitor
    visitor = createVisitor(readFileSync(sandbox.manifest.trustFramework.caFile, 'utf8'))
    await visitor.logIn(new URL(lfi.portal).origin, personNamed('sara'))
    return visitor
  }
  const send = async (page: string, act: string) =>
    (await browser()).send(await (await browser()).go(`${lfi.portal}${page}`), `/acts/${act}`)

  test('shows where the bank is, and where each address comes from', async () => {
    const { status, out } = await falaj(['lfi', 'show', ...tenant()])
    expect(status).toBe(0)
    expect(out).toMatch(/^ozone-connect {3}https:\/\/localhost:\d+ {2}as in the file\nauthorization {3}https:/)
    expect(out).toMatch(/^authentication {2}jwt$/m)
    expect(out).toMatch(/^read {12}\d+ connections, \d+ ms$/m)
    expect((await asJson('show')).told).toMatchObject({
      authentication: 'jwt',
      endpoints: [{ name: 'ozone-connect', key: 'lfi.ozoneConnectUrl', from: 'file', version: 0 }, {}],
      classes: [{ name: 'read' }, {}, {}, {}],
    })
  })

  test('has another address tried and proposed; in the portal it is approved, and the file loses', async () => {
    const shown = (await asJson('endpoints', 'show')).told as {
      readonly endpoints: readonly { readonly url: string }[]
    }
    const inFile = shown.endpoints[0]?.url ?? ''
    const gate = await startGate()
    const elsewhere = `https://localhost:${gate.port}`
    try {
      // Nobody is there yet.
      const refused = await falaj(['lfi', 'endpoints', 'set', 'ozone-connect', elsewhere, ...tenant()])
      expect([refused.status, refused.out]).toEqual([1, ''])
      expect(refused.err).toMatch(/did not pass its trial: GET \/hello-mtls: unreachable/)
      expect(await proposals()).not.toContain('proposal.approve')

      gate.aim({ host: '127.0.0.1', port: Number(new URL(inFile).port) })
      const { status, told } = await asJson('endpoints', 'set', 'ozone-connect', elsewhere)
      expect([status, told]).toEqual([
        0,
        {
          proposal: expect.stringMatching(/^\d+$/),
          name: 'ozone-connect',
          from: inFile,
          to: elsewhere,
          seen: expect.stringMatching(/^instead of https:.*: GET \/hello-mtls answered 200 in \d+ ms$/),
        },
      ])
      expect((await send('approvals', 'proposal.approve')).address).toContain('done=proposal.approve')
      const stored = `lfi.ozoneConnectUrl is ${elsewhere}, set in the hub; the file has ${inFile}`
      const check = await falaj(['config', 'check', '--config', lfi.hubConfigFile, '--stored'])
      expect(check.out).toContain(`\ntenant aurora: ${stored}\n`)
      // The hub goes there as well, and so does the probe: nobody is there any more, and that is where they ask.
      gate.set('gone')
      expect((await send('lfi', 'lfi.probe')).body).toContain('unreachable')
      const probe = await falaj(['probe', ...tenant(), '--stored', ...customer()])
      expect([probe.status, probe.out]).toEqual([1, expect.stringMatching(/^FAIL {2}GET \/hello {2}-/)])
      const back = await falaj(['lfi', 'endpoints', 'reset', 'ozone-connect', ...tenant()])
      expect([back.status, back.out]).toEqual([
        0,
        expect.stringMatching(/^proposal \d+: lfi.ozoneConnectUrl .* instead of .*\nIt waits \d+ minutes/),
      ])
      expect((await send('approvals', 'proposal.approve')).address).toContain('done=proposal.approve')
      expect((await falaj(['lfi', 'endpoints', 'show', ...tenant()])).out).toMatch(
        new RegExp(`change 2 .*Z {2}${elsewhere} → as in the file {2}proposed by command line, approved by`),
      )
      expect((await send('lfi', 'lfi.probe')).body).not.toContain('unreachable')
    } finally {
      await gate.close()
    }
  })

  test('proposes nothing where nobody could approve it', async () => {
    const deployment = JSON.parse(readFileSync(lfi.hubConfigFile, 'utf8')) as { tenants: string[] }
    const file = join(dirname(lfi.hubConfigFile), deployment.tenants[0] ?? '')
    const { portal: _, ...rest } = JSON.parse(readFileSync(file, 'utf8')) as Record<string, object>
    const { portal: __, ...listeners } = rest['listeners'] as Record<string, object>
    // Beside the files that they name by relative paths.
    const [tenantFile, deploymentFile] = [`${file}.without.json`, `${lfi.hubConfigFile}.without.json`]
    writeFileSync(tenantFile, JSON.stringify({ ...rest, listeners }))
    writeFileSync(deploymentFile, JSON.stringify({ ...deployment, tenants: [tenantFile] }))
    const asked = ['lfi', 'endpoints', 'set', 'ozone-connect', 'https://localhost:1', '--tenant', 'aurora', '--json']
    expect(await falaj([...asked, '--config', deploymentFile])).toEqual({
      status: 1,
      out: '',
      err: `${JSON.stringify({ error: { code: 'Refused', message: 'tenant aurora has no portal, so there is nobody who could approve it' } })}\n`,
    })
  })

  test.each<[readonly string[], RegExp]>([
    [['set', 'token', 'https://localhost:1/t'], /^tenant aurora has no address token\n$/],
    [['set', 'ozone-connect', 'http://localhost:1'], /is an https URL/],
    [['reset', 'ozone-connect'], /^lfi.ozoneConnectUrl is that of the file already\n$/],
  ])('refuses %j', async (args, why) => {
    const { status, out, err } = await falaj(['lfi', 'endpoints', ...args, ...tenant()])
    expect([status, out, err]).toEqual([1, '', expect.stringMatching(why)])
  })
})
