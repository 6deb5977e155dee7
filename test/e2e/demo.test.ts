/**
 * `npm run demo`, as it is: every step of the journey against a sandbox of its own, in which the first bank's hub runs
 * as one process per role. What the journey leaves behind is then searched for what must not be kept.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { runDemo } from '../../sandbox/demo/demo.ts'
import { loadConfig } from '../../src/config.ts'
import { type Db, openDatabase, query } from '../../src/db.ts'
import { falaj } from '../support/cli.ts'
import { startTestSandbox, type TestSandbox } from '../support/sandbox.ts'

const JOURNEY_MS = 180_000
/** Any compact JWT or JWE, an OAuth value of the engine's length in its place, and who the customer is. */
const CREDENTIAL = /eyJ[\w-]{10,}\.[\w-]+\.|(?:code|refresh_token|access_token)["=: ]+[\w-]{30,}/
const PERSONAL = /Layla|Haddad|AE\d{21}|400000\*+|784-\d{4}/

let sandbox: TestSandbox
let status: number
const lines: string[] = []
beforeAll(async () => {
  sandbox = await startTestSandbox({ perRole: ['aurora'] })
  status = await runDemo(sandbox.manifest, (text) => lines.push(text))
}, JOURNEY_MS)
afterAll(() => sandbox.close(), JOURNEY_MS)

describe('the demo', () => {
  test('holds in every step', () => {
    expect(status, lines.join('\n')).toBe(0)
  })

  test('says what was asked and what came back, and shows no credential', () => {
    const told = lines.join('\n')
    for (const step of [
      'POST /par',
      'GET /parties',
      'refresh_token',
      'AccessToken.InvalidScope',
      'falaj audit verify',
    ]) {
      expect(told).toContain(step)
    }
    expect(told).not.toMatch(CREDENTIAL)
    expect(told).not.toMatch(/request_uri:[\w-]{16,}/)
  })
})

describe('the operator after the demo', () => {
  const webhook = (...args: string[]) =>
    falaj(['webhook', ...args, '--config', sandbox.manifest.lfis.aurora.hubConfigFile, '--tenant', 'aurora'])
  const delivered = async () => {
    const { status: ended, out, err } = await webhook('list', '--state', 'delivered')
    expect([ended, err]).toEqual([0, ''])
    return out.trimEnd().split('\n')
  }

  test('finds the webhooks delivered, and sends one again', async () => {
    const [latest = '', earlier = '', ...others] = await delivered()
    expect(others).toEqual([])
    for (const line of [latest, earlier]) expect(line).toMatch(/^\d+ .* delivered +1× .* answered 202$/)
    const [id = ''] = latest.split(' ')
    expect(await webhook('redeliver', id)).toEqual({
      status: 0,
      out: `${id} is waiting to be delivered again\n`,
      err: '',
    })
    // The hub that runs takes it up.
    while ((await delivered()).length < 2) await new Promise((later) => setTimeout(later, 100))
    expect((await webhook('list', '--state', 'dead')).out).toBe('')
  })

  test('is told what cannot be sent again', async () => {
    for (const id of ['999999', 'x']) {
      expect(await webhook('redeliver', id)).toEqual({
        status: 1,
        out: '',
        err: `no settled webhook ${id}: \`falaj webhook list\` shows them\n`,
      })
    }
    expect((await webhook('list', '--state', 'lost')).status).toBe(1)
  })
})

describe('what the hub leaves behind', () => {
  const logFiles = () => {
    const folder = join(sandbox.dataDir, 'logs')
    return readdirSync(folder)
      .filter((name) => name.startsWith('hub-'))
      .map((name) => join(folder, name))
  }
  const logLines = () =>
    logFiles().flatMap((file) =>
      readFileSync(file, 'utf8')
        .split('\n')
        .filter((line) => line !== ''),
    )

  test('one log per role and process, all of it JSON', () => {
    expect(
      logFiles()
        .map((file) => file.slice(file.lastIndexOf('/') + 1))
        .sort(),
    ).toEqual(
      expect.arrayContaining(['hub-aurora-as.log', 'hub-aurora-rs.log', 'hub-aurora-worker.log', 'hub-meridian.log']),
    )
    for (const line of logLines()) expect(() => JSON.parse(line), line).not.toThrow()
  })

  test('every line about a call carries its interaction id', () => {
    const calls = logLines()
      .map((line) => JSON.parse(line) as Record<string, unknown>)
      .filter((line) => 'operationId' in line)
    expect(calls.length).toBeGreaterThan(15)
    for (const call of calls) expect(call['interactionId'], JSON.stringify(call)).toMatch(/^[0-9a-f-]{36}$/)
  })

  test('no credential and nothing of the customer in the logs', () => {
    const found = logLines().filter((line) => CREDENTIAL.test(line) || PERSONAL.test(line))
    expect(found).toEqual([])
  })

  test('no credential and nothing of the customer in the database', async () => {
    const [tenant] = loadConfig(sandbox.manifest.lfis.aurora.hubConfigFile).tenants
    if (tenant === undefined) throw new Error('no tenant')
    const db = openDatabase({ url: tenant.databaseUrl, poolMax: 1, applicationName: 'test-payload-free' })
    try {
      const kept = await everything(db)
      // The check can see: what must be there, is.
      expect(kept).toContain(sandbox.manifest.tpp.clients[0]?.clientId)
      expect(kept).toContain('tpp-call')
      expect(kept.match(PERSONAL)?.[0]).toBeUndefined()
      // A pushed request is kept as it was signed until it has been used and has run out; what is personal in a payment
      // stays the JWE that only the bank opens, and the log of payments keeps both signatures (lfi-api 2.8).
      const known = await signedOfPayments(db)
      const others = known.reduce((text, one) => text.replaceAll(one, ''), withoutPushedRequests(kept))
      expect(known.length).toBeGreaterThan(10)
      expect(others.match(CREDENTIAL)?.[0]).toBeUndefined()
    } finally {
      await db.destroy()
    }
  })

  test('the customer looked for is the one that the journey was about', () => {
    expect(lines.join('\n')).toContain('as layla')
  })
})

/** JWEs in consents and payments, and the messages that were signed about payments. */
async function signedOfPayments(db: Db): Promise<readonly string[]> {
  const { rows } = await query<{ text: string }>(
    db,
    `select request #>> '{consent,PersonalIdentifiableInformation}' as text from consent
     union select request_body #>> '{Data,PersonalIdentifiableInformation}' from payment_log
     union select signed_request_body from payment_log union select answer_signed from payment_log`,
  )
  return rows.map(({ text }) => text).filter((text) => text !== null)
}

/** Every row of every table, as text; bytes as text too, since audit entries are bytes. */
async function everything(db: Db): Promise<string> {
  const tables = await query<{ name: string }>(
    db,
    "select tablename as name from pg_tables where schemaname = 'public'",
  )
  const parts: string[] = []
  for (const { name } of tables.rows) {
    const rows = await query<Record<string, unknown>>(db, `select * from "${name}"`)
    for (const row of rows.rows) {
      const plain = Object.entries(row).map(([column, value]) => [
        column,
        Buffer.isBuffer(value) ? value.toString('utf8') : value,
      ])
      parts.push(`${name} ${JSON.stringify(Object.fromEntries(plain))}`)
    }
  }
  return parts.join('\n')
}

const withoutPushedRequests = (kept: string): string =>
  kept
    .split('\n')
    .filter((row) => !/"model":"(?:PushedAuthorizationRequest|Interaction)"/.test(row))
    .join('\n')
