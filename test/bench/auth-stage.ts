/** What the authorization benchmark measures: one hub of the sandbox on its PostgreSQL, and the yardstick beside it. */
import { type ChildProcess, fork } from 'node:child_process'
import { createPrivateKey, createPublicKey } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Agent, request } from 'undici'
import { writeHubFiles } from '../../sandbox/orchestrator-hub-files.ts'
import { trustFrameworkSettings } from '../../sandbox/orchestrator-settings.ts'
import { folderOf, type Topology, topology } from '../../sandbox/topology.ts'
import { enrol } from '../../sandbox/trust-framework/enrol.ts'
import type { Enrolment } from '../../sandbox/trust-framework/enrolment.ts'
import { startTrustFramework } from '../../sandbox/trust-framework/server.ts'
import { openDatabase, query } from '../../src/db.ts'
import { type EmbeddedPostgres, startEmbeddedPostgres } from '../../src/embedded-postgres.ts'
import type { BareSettings } from './auth-bare.ts'
import type { Target } from './auth-journey.ts'
import { parentOf } from './auth-processes.ts'
import { RAR_TYPE } from './auth-signed.ts'

export type AuthVariant = {
  readonly name: string
  readonly target: Target
  readonly pid: number
  /** The server process of its database; null without one. */
  readonly databasePid: number | null
}
export type AuthStage = {
  /** The yardstick first. */
  readonly variants: readonly [AuthVariant, ...AuthVariant[]]
  close(): Promise<void>
}

const BASE_PORT = 31_600
const LFI = 'aurora'
const DATABASE = `falaj_${LFI}`

export async function setAuthStage(): Promise<AuthStage> {
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
  const hub = await startHub(place, enrolment, postgres)
  const bareOrigin = `https://localhost:${place.ports.edge}`
  const bare = await start('./auth-bare.ts', [JSON.stringify(bareSettings(enrolment, bareOrigin))])
  await register(place, enrolment)
  const databasePid = await serverPid(postgres)
  const hubAs = (name: string, jwtAuth: boolean): AuthVariant => ({
    name,
    target: hubTarget(place, enrolment, jwtAuth),
    pid: hub.pid ?? 0,
    databasePid,
  })
  return {
    variants: [
      { name: 'bare, in memory', target: bareTarget(enrolment, bareOrigin), pid: bare.pid ?? 0, databasePid: null },
      hubAs('hub, mTLS', false),
      hubAs('hub, JWT Auth', true),
    ],
    close: async () => {
      for (const child of [bare, hub]) {
        child.kill('SIGTERM')
        await new Promise((resolve) => child.once('exit', resolve))
      }
      await directory.close()
      await postgres.stop()
      await rm(place.dataDir, { recursive: true, force: true })
    },
  }
}

async function start(program: string, args: readonly string[]): Promise<ChildProcess> {
  const file = fileURLToPath(new URL(program, import.meta.url))
  const child = fork(file, args, { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] })
  await new Promise<void>((resolve, reject) => {
    child.once('message', () => resolve())
    child.once('exit', (code) => reject(new Error(`${program} ended with status ${code}`)))
  })
  return child
}

async function startHub(place: Topology, enrolment: Enrolment, postgres: EmbeddedPostgres): Promise<ChildProcess> {
  await postgres.ensureDatabase(DATABASE)
  const { deploymentFile } = writeHubFiles(place, enrolment, LFI, postgres.databaseUrl(DATABASE).reveal())
  adjust(deploymentFile, (deployment) => {
    // A real deployment's value: the directory is believed for minutes.
    deployment['trustFramework'] = { ...(deployment['trustFramework'] as object), cacheSeconds: 300 }
  })
  adjust(join(folderOf(place, 'hubs', LFI), 'tenants', `${LFI}.json`), (tenant) => {
    tenant['limits'] = { requestsPerSecond: 100_000 }
    // Checked when it is sent: so both variants are of one process.
    tenant['lfi'] = { ...(tenant['lfi'] as object), callerJwt: { required: false }, consentActions: {} }
  })
  return start('../../src/main.ts', ['hub', '--config', deploymentFile])
}

async function serverPid(postgres: EmbeddedPostgres): Promise<number> {
  const db = openDatabase({ url: postgres.databaseUrl(DATABASE), poolMax: 1, applicationName: 'falaj-bench' })
  const { rows } = await query<{ readonly pid: number }>(db, 'select pg_backend_pid() as pid', [])
  const server = parentOf(rows[0]?.pid ?? 0)
  await db.destroy()
  return server
}

function adjust(file: string, change: (content: Record<string, unknown>) => void): void {
  const content = JSON.parse(readFileSync(file, 'utf8')) as Record<string, unknown>
  change(content)
  writeFileSync(file, JSON.stringify(content, null, 2))
}

async function register(place: Topology, enrolment: Enrolment): Promise<void> {
  const { certFile, keyFile } = enrolment.tpp.primary.transport
  const connect = {
    ca: readFileSync(enrolment.ca.bundleFile),
    cert: readFileSync(certFile),
    key: readFileSync(keyFile),
  }
  const dispatcher = new Agent({ connect })
  const { statusCode } = await request(`${place.urls.hubs[LFI].rs}/tpp-registration`, { method: 'POST', dispatcher })
  await dispatcher.close()
  if (statusCode !== 204) throw new Error(`registration: ${statusCode}`)
}

/** Both sides of the call, the same for every variant. */
function parties(enrolment: Enrolment, jwtAuth: boolean): Pick<Target, 'ca' | 'tpp' | 'lfi'> {
  const { clientId, redirectUris, signing, transport } = enrolment.tpp.primary
  const bank = enrolment.banks[LFI]
  return {
    ca: enrolment.ca.bundleFile,
    tpp: {
      clientId,
      redirectUri: redirectUris[0] ?? '',
      kid: signing.kid,
      keyFile: signing.keyFile,
      transport: { cert: transport.certFile, key: transport.keyFile },
    },
    lfi: {
      transport: { cert: bank.client.certFile, key: bank.client.keyFile },
      jwtAuth: jwtAuth
        ? { ...bank.signing, name: bank.name, organisationId: bank.organisationId, audience: LFI }
        : null,
    },
  }
}

function hubTarget({ urls }: Topology, enrolment: Enrolment, jwtAuth: boolean): Target {
  const { auth: issuer, as, hh, cm } = urls.hubs[LFI]
  return { issuer, as, hh, cm, ...parties(enrolment, jwtAuth) }
}

function bareTarget(enrolment: Enrolment, origin: string): Target {
  return { issuer: origin, as: origin, hh: origin, cm: null, ...parties(enrolment, false) }
}

function bareSettings(enrolment: Enrolment, origin: string): BareSettings {
  const { tpp } = parties(enrolment, false)
  const hub = enrolment.hubs[LFI]
  const [signing] = hub.signing
  if (signing === undefined) throw new Error('the hub has a signing key')
  const { n, e } = createPublicKey(createPrivateKey(readFileSync(tpp.keyFile))).export({ format: 'jwk' })
  return {
    origin,
    cert: hub.server.certFile,
    key: hub.server.keyFile,
    ca: enrolment.ca.bundleFile,
    signing: { kid: signing.kid, keyFile: signing.keyFile },
    client: {
      id: tpp.clientId,
      redirectUri: tpp.redirectUri,
      key: { kty: 'RSA', n: String(n), e: String(e), kid: tpp.kid, use: 'sig', alg: 'PS256' },
    },
    rarType: RAR_TYPE,
  }
}
