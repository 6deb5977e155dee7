/** What the benchmark measures: one hub of the sandbox in front of a stub bank, with consents and tokens ready. */
import { type ChildProcess, fork } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Agent, request } from 'undici'
import { writeHubFiles } from '../../sandbox/orchestrator-hub-files.ts'
import { trustFrameworkSettings } from '../../sandbox/orchestrator-settings.ts'
import { folderOf, type Topology, topology } from '../../sandbox/topology.ts'
import { createTppClient } from '../../sandbox/tpp/client.ts'
import type { LfiCode } from '../../sandbox/trust-framework/ecosystem.ts'
import { enrol } from '../../sandbox/trust-framework/enrol.ts'
import type { Enrolment } from '../../sandbox/trust-framework/enrolment.ts'
import { startTrustFramework } from '../../sandbox/trust-framework/server.ts'
import { type EmbeddedPostgres, startEmbeddedPostgres } from '../../src/embedded-postgres.ts'
import { loadKey, sign } from '../../src/jose.ts'
import { Secret } from '../../src/secret.ts'

export type Stage = {
  readonly enrolment: Enrolment
  readonly place: Topology
  /** The same hub twice: with JWT Auth towards the bank (a signature for every call), and with mutual TLS alone. */
  readonly hubs: Readonly<Record<LfiCode, ChildProcess>>
  readonly stub: { readonly process: ChildProcess; readonly origin: string }
  /** A user token whose consent holds so many accounts. */
  token(code: LfiCode, accounts: number): Promise<string>
  /** So many consents without limits, each with a user token. */
  paymentTokens(code: LfiCode, count: number): Promise<readonly { consentId: string; accessToken: string }[]>
  start(program: string, settings: object): Promise<ChildProcess>
  close(): Promise<void>
}

const BASE_PORT = 31_400

export async function setStage(): Promise<Stage> {
  const place = topology({ dataDir: await mkdtemp(join(tmpdir(), 'falaj-bench-')), basePort: BASE_PORT })
  const uris = { redirectUris: [`${place.urls.edge}/callback`], webhookUris: [] }
  const [enrolment, postgres] = await Promise.all([
    enrol({
      dataDir: place.dataDir,
      origins: { edge: place.urls.edge, keystore: place.urls.directory, hubs: place.urls.hubs },
      tpp: { primary: uris, second: uris },
    }),
    startEmbeddedPostgres({ dataDirectory: folderOf(place, 'postgres'), port: place.ports.postgres }),
  ])
  const directory = await startTrustFramework(trustFrameworkSettings(place, enrolment))
  const stub = {
    process: await start('./stub-lfi.ts', {
      port: place.ports.banks.aurora.ozoneConnect,
      cert: enrolment.banks.aurora.server.certFile,
      key: enrolment.banks.aurora.server.keyFile,
      ca: enrolment.ca.bundleFile,
    }),
    origin: place.urls.banks.aurora.ozoneConnect,
  }
  const hubs = {
    aurora: await startHub(place, enrolment, postgres, { code: 'aurora', lfi: {} }),
    meridian: await startHub(place, enrolment, postgres, {
      code: 'meridian',
      lfi: { ozoneConnectUrl: stub.origin, authentication: { type: 'none' } },
    }),
  }
  return {
    enrolment,
    place,
    hubs,
    stub,
    start,
    token: (code, accounts) => token(place, enrolment, code, accounts),
    paymentTokens: (code, count) => paymentTokens(place, enrolment, code, count),
    close: async () => {
      for (const child of [hubs.aurora, hubs.meridian]) {
        child.kill('SIGTERM')
        await new Promise((resolve) => child.once('exit', resolve))
      }
      stub.process.kill('SIGTERM')
      await directory.close()
      await postgres.stop()
      await rm(place.dataDir, { recursive: true, force: true })
    },
  }
}

async function startHub(
  place: Topology,
  enrolment: Enrolment,
  postgres: EmbeddedPostgres,
  { code, lfi }: { readonly code: LfiCode; readonly lfi: object },
): Promise<ChildProcess> {
  const database = `falaj_${code}`
  await postgres.ensureDatabase(database)
  const { deploymentFile } = writeHubFiles(place, enrolment, code, postgres.databaseUrl(database).reveal())
  await adjust(deploymentFile, (deployment) => {
    // A real deployment's values: the directory is believed for minutes, and logs are written as in production.
    deployment['trustFramework'] = { ...(deployment['trustFramework'] as object), cacheSeconds: 300 }
  })
  await adjust(join(folderOf(place, 'hubs', code), 'tenants', `${code}.json`), (tenant) => {
    tenant['limits'] = { requestsPerSecond: 100_000 }
    // The stub has nothing to say about consents.
    tenant['lfi'] = { ...(tenant['lfi'] as object), consentActions: {}, ...lfi }
  })
  return start('../../src/main.ts', {}, ['hub', '--config', deploymentFile])
}

async function adjust(file: string, change: (content: Record<string, unknown>) => void): Promise<void> {
  const content = JSON.parse(await readFile(file, 'utf8')) as Record<string, unknown>
  change(content)
  await writeFile(file, JSON.stringify(content, null, 2))
}

async function start(program: string, settings: object, args?: readonly string[]): Promise<ChildProcess> {
  const file = fileURLToPath(new URL(program, import.meta.url))
  const child = fork(file, args === undefined ? [JSON.stringify(settings)] : [...args], {
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  })
  await new Promise<void>((resolve, reject) => {
    child.once('message', () => resolve())
    child.once('exit', (code) => reject(new Error(`${program} ended with status ${code}`)))
  })
  return child
}

export const accountIdsOf = (accounts: number): readonly string[] =>
  Array.from({ length: accounts }, (_, index) => `acc-${String(index).padStart(4, '0')}`)

/** One whole authorization, with the LFI's part played by its certificate and nothing in between. */
async function token(place: Topology, enrolment: Enrolment, code: LfiCode, accounts: number): Promise<string> {
  const { client, connection } = await connect(place, enrolment, code)
  const { pending, url } = await connection.requestConsent({
    permissions: ['ReadAccountsBasic', 'ReadAccountsDetail'],
    expiresAt: new Date(Date.now() + 86_400_000),
  })
  const callback = await approve(place, enrolment, {
    code,
    search: new URL(url).search,
    consentId: pending.consentId,
    accountIds: accountIdsOf(accounts),
  })
  const tokens = await connection.redeem(new URL(callback).searchParams, pending)
  await client.close()
  return tokens.accessToken
}

async function paymentTokens(place: Topology, enrolment: Enrolment, code: LfiCode, count: number) {
  const { client, connection } = await connect(place, enrolment, code)
  const made: { readonly consentId: string; readonly accessToken: string }[] = []
  while (made.length < count) {
    const { pending, url } = await connection.requestPayment({
      control: { IsDelegatedAuthentication: true, ConsentSchedule: {} },
      creditors: [],
      purpose: 'ACM',
      reference: 'bench',
      expiresAt: new Date(Date.now() + 86_400_000),
    })
    const { consentId } = pending
    const search = new URL(url).search
    const callback = await approve(place, enrolment, { code, search, consentId, accountIds: ['acc-0001'] })
    const { accessToken } = await connection.redeem(new URL(callback).searchParams, pending)
    made.push({ consentId, accessToken })
  }
  await client.close()
  return made
}

async function connect(place: Topology, enrolment: Enrolment, code: LfiCode) {
  const { primary } = enrolment.tpp
  const client = await createTppClient({
    trustFrameworkUrl: place.urls.directory,
    ca: await readFile(enrolment.ca.bundleFile, 'utf8'),
    application: {
      clientId: primary.clientId,
      redirectUri: primary.redirectUris[0] ?? '',
      transport: primary.transport,
      signing: primary.signing,
    },
  })
  const lfi = (await client.lfis()).find((each) => each.issuer === place.urls.hubs[code].auth)
  if (lfi === undefined) throw new Error('the directory does not list the bank of the benchmark')
  const connection = await client.connect(lfi)
  await connection.register()
  return { client, connection }
}

type Approval = {
  readonly code: LfiCode
  readonly search: string
  readonly consentId: string
  readonly accountIds: readonly string[]
}

async function approve(place: Topology, enrolment: Enrolment, approval: Approval): Promise<string> {
  const bank = enrolment.banks[approval.code]
  const { hh, cm } = place.urls.hubs[approval.code]
  const agent = new Agent({
    connect: {
      ca: await readFile(enrolment.ca.bundleFile),
      cert: await readFile(bank.client.certFile),
      key: await readFile(bank.client.keyFile),
    },
  })
  const key = loadKey({ kid: bank.signing.kid, key: new Secret(await readFile(bank.signing.keyFile, 'utf8')) })
  const call = async (method: 'GET' | 'POST' | 'PATCH', url: string, body?: object) => {
    const now = Math.floor(Date.now() / 1000)
    const claims = {
      iss: bank.name,
      sub: bank.organisationId,
      aud: approval.code,
      iat: now,
      exp: now + 20,
      jti: randomUUID(),
    }
    const jwt = await sign(key, claims, { typ: 'JOSE', cty: 'json' })
    const answer = await request(url, {
      method,
      dispatcher: agent,
      headers: {
        authorization: `Bearer ${jwt}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      body: body === undefined ? null : JSON.stringify(body),
    })
    const text = await answer.body.text()
    if (answer.statusCode >= 400) throw new Error(`${method} ${new URL(url).pathname}: ${answer.statusCode} ${text}`)
    return { answer, text }
  }
  const begun = await call('GET', `${hh}/auth${approval.search}`)
  const { interaction } = JSON.parse(begun.text) as { interaction: { interactionId: string } }
  await call('PATCH', `${cm}/consents/${approval.consentId}`, {
    status: 'Authorized',
    'consentBody.Data.Status': 'Authorized',
    psuIdentifiers: { userId: 'bench' },
    accountIds: approval.accountIds,
    authorizationChannel: 'Web',
  })
  const confirmed = await call('POST', `${hh}/auth/${interaction.interactionId}/doConfirm`)
  await agent.close()
  return String(confirmed.answer.headers['location'])
}
