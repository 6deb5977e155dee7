/** What an operator and a regulator do on the command line, against a sandbox that runs. */
import { once } from 'node:events'
import { cpSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { request } from 'node:https'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { ManifestClient, ManifestLfi } from '../../sandbox/manifest.ts'
import { tenantIn } from '../../src/cli/tenant.ts'
import { systemClock } from '../../src/clock.ts'
import { loadConfig, type TenantConfig } from '../../src/config.ts'
import { type Db, openDatabase, query } from '../../src/db.ts'
import { createProposals } from '../../src/portal/acts/proposals.ts'
import { createSessions } from '../../src/portal/sessions.ts'
import { falaj } from '../support/cli.ts'
import { startTestSandbox, type TestSandbox } from '../support/sandbox.ts'
import { falajHere, falajSaid } from './commands.ts'

let sandbox: TestSandbox
let lfi: ManifestLfi
let client: ManifestClient
beforeAll(async () => {
  sandbox = await startTestSandbox()
  lfi = sandbox.manifest.lfis.aurora
  const [first] = sandbox.manifest.tpp.clients
  if (first === undefined) throw new Error('the manifest names no client')
  client = first
}, 60_000)
afterAll(() => sandbox.close(), 60_000)

type Standing = { organisationId: string; softwareStatementId: string; clientId: string }
type Entry = { kind: string; act?: string; after?: string; interactionId: string | null }
const ACTIVE = { tpp: 'active', 'software-statement': 'active', client: 'active' }

/** Past the command line, for what only a browser would do. */
async function inDatabase<T>(work: (db: Db, tenant: TenantConfig) => Promise<T>): Promise<T> {
  const found = tenantIn(loadConfig(lfi.hubConfigFile), 'aurora')
  const db = openDatabase({ url: found.databaseUrl, poolMax: 1, applicationName: 'test' })
  try {
    return await work(db, found)
  } finally {
    await db.destroy()
  }
}

const tenant = (): string[] => ['--config', lfi.hubConfigFile, '--tenant', 'aurora']
async function register(): Promise<number> {
  const sent = request(`${lfi.rs}/tpp-registration`, {
    method: 'POST',
    agent: false,
    ca: readFileSync(sandbox.manifest.trustFramework.caFile),
    cert: readFileSync(client.transport.certificateFile),
    key: readFileSync(client.transport.keyFile),
  })
  sent.end()
  const [response] = await once(sent, 'response')
  response.resume()
  return response.statusCode as number
}

describe('falaj client', () => {
  test('has nobody to list at first, and nobody to decide about', async () => {
    expect(await falaj(['client', 'list', ...tenant()])).toEqual({ status: 0, out: '', err: '' })
    expect(await falaj(['client', 'block', client.clientId, ...tenant()])).toEqual({
      status: 1,
      out: '',
      err: `no client ${client.clientId} is registered at this tenant\n`,
    })
  })

  test('lists, deactivates, activates and blocks a client of the running hub', async () => {
    expect(await register()).toBe(204)
    const line = (status: string) =>
      `${client.clientId}  ${status.padEnd(8)}  Wadi Money / ${client.name}  [BDSP BSIP ISP]\n`
    expect((await falajSaid(['client', 'list', ...tenant()])).out).toBe(line('active'))
    for (const [act, status] of [
      ['deactivate', 'inactive'],
      ['activate', 'active'],
      ['block', 'blocked'],
    ] as const) {
      expect(await falajSaid(['client', act, client.clientId, ...tenant()])).toEqual({
        status: 0,
        out: `${client.clientId} is ${status}\n`,
        err: '',
      })
      expect((await falajSaid(['client', 'list', ...tenant()])).out).toBe(line(status))
    }
  })

  test('knows the tenants of the deployment', async () => {
    expect(await falajSaid(['client', 'list', '--config', lfi.hubConfigFile, '--tenant', 'meridian'])).toEqual({
      status: 1,
      out: '',
      err: 'no tenant meridian; the deployment has aurora\n',
    })
  })
})

describe('the acts of the portal', () => {
  const here = async (...args: string[]) => {
    const { status, out, err } = await falajHere([...args, ...tenant()])
    return { status, said: out === '' ? null : (JSON.parse(out) as unknown), err }
  }
  const refused = (code: string, message: string) => ({
    status: 1,
    said: null,
    err: `${JSON.stringify({ error: { code, message } })}\n`,
  })

  test('activate and block a TPP step by step, and all at once only if that is meant', async () => {
    const known = (await here('tpp', 'list')).said as Standing[]
    const [standing] = known
    if (known.length !== 1 || standing === undefined) throw new Error('one TPP has registered above')
    const { organisationId, softwareStatementId, clientId } = standing
    const steps = [
      [['client', 'block', clientId], { clientId, status: 'blocked' }],
      [['client', 'activate', clientId, '--only'], { clientId, status: 'active' }],
      [
        ['tpp', 'block', organisationId],
        { act: 'tpp.block', target: organisationId, before: 'tpp active', after: 'tpp blocked' },
      ],
      [
        ['tpp', 'activate', organisationId],
        { act: 'tpp.activate', target: organisationId, before: 'tpp blocked', after: 'tpp active' },
      ],
      [
        ['statement', 'block', softwareStatementId],
        { act: 'statement.block', before: 'software-statement active', after: 'software-statement blocked' },
      ],
      [['statement', 'activate', softwareStatementId], { after: 'software-statement active' }],
    ] as const
    for (const [args, said] of steps) {
      expect(await here(...args), args.join(' ')).toMatchObject({ status: 0, said, err: '' })
    }
    expect(await here('tpp', 'block-all')).toEqual(
      refused('Refused', 'every TPP would be blocked; say --yes if that is what you want'),
    )
    expect(await here('tpp', 'block-all', '--yes')).toMatchObject({ said: { after: '0 of 1 TPPs not blocked' } })
    expect(await here('tpp', 'activate', 'nobody')).toEqual(refused('NotFound', 'There is no tpp nobody'))
    await here('client', 'activate', clientId)
    expect((await here('tpp', 'list')).said).toEqual(
      known.map((each) => ({ ...each, status: 'active', local: ACTIVE })),
    )
  })

  test('leave the entry of the portal and that of the service, under one interaction id', async () => {
    const entries = await inDatabase(async (db) => {
      const { rows } = await query<{ bytes: Buffer }>(db, 'select bytes from audit_entry order by id')
      return rows.map(({ bytes }) => JSON.parse(bytes.toString()) as Entry)
    })
    const all = entries.find(({ act, after }) => act === 'tpps.block-all' && after === '0 of 1 TPPs not blocked')
    expect(all).toMatchObject({ kind: 'portal-act', outcome: 'done', proposal: null })
    expect(entries).toContainEqual(
      expect.objectContaining({ kind: 'admin-act', act: 'tpp blocked', interactionId: all?.interactionId }),
    )
    expect(entries).toContainEqual(
      expect.objectContaining({ kind: 'portal-act', outcome: 'failed', act: 'tpp.activate' }),
    )
  })

  test('show and end sessions, show and reject proposals', async () => {
    const person = { subject: 'somebody', name: 'Some Body', roles: ['security'] as const }
    const id = await inDatabase(async (db, { portal }) => {
      if (portal === undefined) throw new Error('the sandbox has a portal')
      await createSessions({ db, clock: systemClock, portal }).open(person)
      return createProposals({ db, clock: systemClock, portal }).propose(
        'tpps.block-all',
        { given: {}, target: null, seen: null },
        person,
      )
    })
    const [session] = (await here('session', 'list')).said as { handle: string }[]
    expect(session).toMatchObject(person)
    expect(await here('session', 'end', session?.handle ?? '')).toMatchObject({ said: { after: '0 sessions' } })
    expect(await here('session', 'end', session?.handle ?? '')).toEqual(
      refused('NotFound', 'This session has ended already'),
    )
    await inDatabase(async (db, { portal }) => {
      if (portal === undefined) throw new Error('the sandbox has a portal')
      const sessions = createSessions({ db, clock: systemClock, portal })
      for (const subject of ['somebody', 'somebody else', 'somebody']) await sessions.open({ ...person, subject })
    })
    expect(await here('session', 'end-all', 'somebody')).toMatchObject({
      said: { act: 'session.end', target: 'somebody', before: '3 sessions', after: '1 sessions' },
    })
    expect((await here('session', 'list')).said).toMatchObject([{ subject: 'somebody else' }])
    expect(await here('session', 'end-all', 'somebody')).toEqual(refused('NotFound', 'Nobody is logged in as somebody'))
    expect((await here('session', 'list')).said).toMatchObject([{ subject: 'somebody else' }])
    expect((await here('proposal', 'list', '--state', 'waiting')).said).toMatchObject([
      { id, verb: 'tpps.block-all', proposedBy: { name: 'Some Body' } },
    ])
    expect((await here('proposal', 'reject', id)).said).toEqual({ id, state: 'rejected' })
    expect(await here('proposal', 'reject', id)).toMatchObject({ status: 1, said: null })
    expect((await here('proposal', 'list')).said).toMatchObject([{ id, state: 'rejected' }])
  })

  test('ask the LFI, and verify the newest of the log', async () => {
    expect(await here('lfi', 'probe')).toMatchObject({ status: 0, said: [{ ok: true }, { ok: true }] })
    const verified = await here('audit', 'verify-now')
    expect(verified).toMatchObject({ status: 0, said: { ok: true, fault: null } })
  })

  test('find a call, and tell all of it', async () => {
    // The registration above is a call; the sealer has given it its place, or will.
    const found = (await here('call', 'search', '--operation', 'tpp-registration')).said as {
      calls: { interactionId: string }[]
    }
    const [id] = found.calls.map(({ interactionId }) => interactionId)
    expect((await here('call', 'show', id ?? '')).said).toMatchObject({ interactionId: id, calls: [{ status: 204 }] })
    expect((await here('call', 'search', '--status', '5xx')).said).toMatchObject({ calls: [], next: null })
    expect(await here('call', 'search', '--from', 'yesterday')).toEqual(
      refused('Refused', '--from must be a date-time with an offset'),
    )
    const nobody = crypto.randomUUID()
    expect(await here('call', 'show', nobody)).toEqual(
      refused('NotFound', `nothing is recorded under the interaction id ${nobody}`),
    )
  })

  test('show the figures and the settings, and no secret', async () => {
    expect((await here('dashboard')).said).toMatchObject({
      queues: expect.arrayContaining([expect.objectContaining({ name: 'outbox', value: 0, isHigh: false })]),
      consents: { Authorized: 0 },
    })
    const settings = await falajHere(['settings', ...tenant()])
    expect(JSON.parse(settings.out)).toContainEqual(
      expect.objectContaining({ key: 'organisationId', isSecret: false, value: expect.any(String) }),
    )
    expect(settings.out).not.toMatch(/postgres:|BEGIN/)
  })

  test('say in JSON that they were not understood', async () => {
    const { status, out, err } = await falajHere(['client', 'block', '--config', 'x', '--tenant', 'y'])
    expect([status, out, JSON.parse(err)]).toEqual([
      1,
      '',
      { error: { code: 'Usage', message: "missing required argument 'client-id'" } },
    ])
  })
})

describe('falaj audit', () => {
  const exported = (): string => join(sandbox.dataDir, 'aurora-audit')
  const verify = (...args: string[]) => falajSaid(['audit', 'verify', ...args])

  test('exports the whole log, which verifies with the published key alone', async () => {
    const made = await falaj(['audit', 'export', ...tenant(), '--out', exported()])
    expect([made.status, made.err]).toEqual([0, ''])
    expect(made.out).toContain(`public key: ${lfi.auditPublicKey}`)
    expect(readFileSync(join(exported(), 'entries.ndjson'), 'utf8')).toContain('client blocked')
    expect((await verify(exported(), '--key', lfi.auditPublicKey)).status).toBe(0)
    const json = await verify(exported(), '--key', lfi.auditPublicKey, '--json')
    expect([json.status, JSON.parse(json.out)]).toEqual([0, expect.objectContaining({ ok: true })])
  })

  test('finds a log in which one letter was changed', async () => {
    const forged = join(sandbox.dataDir, 'forged-audit')
    cpSync(exported(), forged, { recursive: true })
    const bundle = readdirSync(join(forged, 'tile/entries'), { recursive: true, encoding: 'utf8' })
      .map((name) => join(forged, 'tile/entries', name))
      .find((path) => statSync(path).isFile() && readFileSync(path, 'latin1').includes('client blocked'))
    if (bundle === undefined) throw new Error('no bundle holds the act')
    const text = readFileSync(bundle, 'latin1')
    writeFileSync(bundle, text.replace('client blocked', 'client activ3d'), 'latin1')
    const plain = await verify(forged, '--key', lfi.auditPublicKey)
    expect(plain.status).toBe(1)
    const json = await verify(forged, '--key', lfi.auditPublicKey, '--json')
    expect([json.status, JSON.parse(json.out)]).toEqual([1, expect.objectContaining({ ok: false })])
  })

  test('refuses the key of another log', async () => {
    expect((await verify(exported(), '--key', sandbox.manifest.lfis.meridian.auditPublicKey)).status).not.toBe(0)
  })

  test('verifies the live log of the running hub', async () => {
    const { status } = await falaj(['audit', 'verify', ...tenant(), '--key', lfi.auditPublicKey])
    expect(status).toBe(0)
  })

  test.each([
    ['a folder that is not there', () => [join(sandbox.dataDir, 'nowhere-audit')]],
    ['a deployment that is not there', () => ['--config', join(sandbox.dataDir, 'nowhere.json'), '--tenant', 'aurora']],
    ['a tenant that is not there', () => ['--config', lfi.hubConfigFile, '--tenant', 'nobody']],
  ])('says of %s that it could not judge', async (_what, args) => {
    const { status, err, out } = await verify(...args())
    expect([status, (err + out).includes('\n    at ')]).toEqual([2, false])
  })
})

describe('falaj report, outage and explain', () => {
  const today = () => new Date(Date.now() + 4 * 3_600_000).toISOString().slice(0, 10)
  const days = () => ['--from', today(), '--to', today()]

  test('tell what the log says', async () => {
    const csv = await falaj(['report', 'lfi', ...tenant(), ...days(), '--format', 'csv'])
    expect(csv).toMatchObject({ status: 0, err: '' })
    expect(csv.out.trimEnd().split('\r\n')).toHaveLength(3)
    const raw = async () => (await falaj(['report', 'raw', ...tenant(), ...days()])).out
    // Registered above; the sealer of the running hub gives the call its place in the log.
    await expect.poll(raw, { timeout: 30_000 }).toContain('"ResourceName":"tpp-registration"')
    expect((await falaj(['report', 'fields', ...tenant()])).out).toContain('UrlTemplate,text,')
    expect((await falaj(['report', 'recompute', ...tenant()])).out).toMatch(/^\d+ entries counted\n$/)
    expect((await falaj(['report', 'destroy', ...tenant()])).out).toBe('nothing is older than the policy keeps\n')
  })

  test('say what is wrong with a question, without a stack', async () => {
    const { status, err } = await falajSaid(['report', 'daily', ...tenant(), '--from', 'today', '--to', today()])
    expect([status, err.split('\n')]).toEqual([1, [expect.stringContaining('reporting period'), '']])
    expect((await falaj(['report', 'daily', ...tenant(), ...days(), '--format', 'xml'])).status).toBe(1)
  })

  test('declare an outage and end it', async () => {
    const begun = await falajSaid(['outage', 'begin', ...tenant(), '--reason', 'a drill'])
    const { id } = JSON.parse(begun.out) as { id: string }
    expect((await falajSaid(['outage', 'list', ...tenant()])).out).toContain(`"id":"${id}"`)
    expect((await falajSaid(['outage', 'end', id, ...tenant()])).status).toBe(0)
    expect(await falajSaid(['outage', 'end', id, ...tenant()])).toMatchObject({ status: 1, out: '' })
    const late = ['--starts', new Date().toISOString(), '--ends', new Date().toISOString(), '--reason', 'x']
    expect((await falajSaid(['outage', 'plan', ...tenant(), ...late])).status).toBe(1)
  })

  test('explain nothing that was not refused', async () => {
    const id = crypto.randomUUID()
    expect(await falaj(['explain', id, ...tenant()])).toEqual({
      status: 1,
      out: '',
      err: `no refusal of the hub has the interaction id ${id}\n`,
    })
  })
})
