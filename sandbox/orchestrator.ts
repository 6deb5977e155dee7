/** Brings the whole ecosystem up in order, and down again. Every participant is a process of its own. */
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { auditPublicKey } from '../src/audit/index.ts'
import { ROLES } from '../src/config.ts'
import { type EmbeddedPostgres, startEmbeddedPostgres } from '../src/embedded-postgres.ts'
import type { TenantId } from '../src/ids.ts'
import { Secret } from '../src/secret.ts'
import { STAFF } from './bank/staff.ts'
import { bankUsers } from './bank/users.ts'
import { type Child, startChild } from './children.ts'
import { forget, manifestFileIn, openFolder, refuseIfRunning } from './data-folder.ts'
import type { Manifest, ManifestClient, ManifestLfi } from './manifest.ts'
import { writeHubFiles } from './orchestrator-hub-files.ts'
import { storeKeys } from './orchestrator-keys.ts'
import { bankSettings, edgeSettings, tppSettings, trustFrameworkSettings } from './orchestrator-settings.ts'
import { refuseTakenPorts } from './ports.ts'
import { writeReference } from './reference/pages.ts'
import { folderOf, type Topology, topology } from './topology.ts'
import { LFI_CODES, LFIS, type LfiCode } from './trust-framework/ecosystem.ts'
import { enrol } from './trust-framework/enrol.ts'
import type { Enrolment, TppEnrolment } from './trust-framework/enrolment.ts'
import { peopleOf } from './trust-framework/people.ts'

export { SandboxError } from './sandbox-error.ts'

export type SandboxOptions = {
  readonly dataDir: string
  readonly basePort: number
  /** Throw away everything of earlier runs first. */
  readonly fresh: boolean
  /** LFIs whose hub runs as one process for each role, instead of one for all. */
  readonly perRole?: readonly LfiCode[]
  /** The hubs keep their keys themselves, so that people can rotate them. */
  readonly storedKeys?: boolean
  readonly progress: (what: string) => void
}

export type Ended = { readonly name: string; readonly logFile: string }

export type Sandbox = {
  readonly manifest: Manifest
  readonly manifestFile: string
  /** Resolves with the first participant that ends on its own. */
  readonly failed: Promise<Ended>
  close(): Promise<void>
}

const HUB_PROGRAM = fileURLToPath(new URL('../src/main.ts', import.meta.url))
const PARTICIPANT_PROGRAM = fileURLToPath(new URL('./participant.ts', import.meta.url))

export async function startSandbox(options: SandboxOptions): Promise<Sandbox> {
  const place = topology(options)
  const manifestFile = manifestFileIn(place.dataDir)
  await refuseIfRunning(place.dataDir)
  await refuseTakenPorts(place)
  if (options.fresh) await forget(place.dataDir)
  openFolder(place.dataDir)

  const children: Child[] = []
  let postgres: EmbeddedPostgres | null = null
  const close = async () => {
    rmSync(manifestFile, { force: true })
    // Outermost first: nobody is left calling somebody who is gone.
    for (const child of [...children].reverse()) await child.stop()
    await postgres?.stop()
  }
  try {
    options.progress('keys, certificates and the database')
    const [enrolment, database] = await Promise.all([enrolAll(place), startDatabases(place)])
    postgres = database
    writeReference(folderOf(place, 'reference'))
    options.progress('trust framework, hubs, banks and TPP')
    const deploymentFiles = LFI_CODES.map((code) => {
      const databaseUrl = database.databaseUrl(databaseName(code)).reveal()
      const storedKeys = options.storedKeys ?? false
      return [code, writeHubFiles(place, enrolment, code, databaseUrl, { storedKeys }).deploymentFile] as const
    })
    if (options.storedKeys === true) for (const [, file] of deploymentFiles) await storeKeys(file)
    children.push(...spawnAll(place, enrolment, deploymentFiles, options.perRole ?? []))
    await Promise.all(children.map((child) => child.ready))
    const manifest = describe(place, enrolment, new Map(deploymentFiles))
    writeFileSync(manifestFile, `${JSON.stringify(manifest, null, 2)}\n`, { mode: 0o600 })
    return { manifest, manifestFile, failed: firstToEnd(children), close }
  } catch (error) {
    await close()
    throw error
  }
}

const databaseName = (code: LfiCode): string => `falaj_${code}`

function enrolAll(place: Topology): Promise<Enrolment> {
  const uris = {
    redirectUris: [`${place.urls.edge}/callback`],
    webhookUris: [`${place.urls.edge}/webhooks`, place.urls.ownWebhooks],
  }
  return enrol({
    dataDir: place.dataDir,
    origins: { edge: place.urls.edge, keystore: place.urls.directory, hubs: place.urls.hubs },
    tpp: {
      primary: uris,
      second: { ...uris, redirectUris: [`${place.urls.edge}/callback?app=two`, ...uris.redirectUris] },
    },
  })
}

async function startDatabases(place: Topology): Promise<EmbeddedPostgres> {
  const postgres = await startEmbeddedPostgres({
    dataDirectory: folderOf(place, 'postgres'),
    port: place.ports.postgres,
  })
  for (const code of LFI_CODES) await postgres.ensureDatabase(databaseName(code))
  return postgres
}

function spawnAll(
  place: Topology,
  enrolment: Enrolment,
  deploymentFiles: readonly (readonly [LfiCode, string])[],
  perRole: readonly LfiCode[],
): Child[] {
  const log = (name: string) => folderOf(place, 'logs', `${name}.log`)
  const participant = (kind: string, name: string, settings: object): Child => {
    const file = folderOf(place, `${name}.settings.json`)
    writeFileSync(file, JSON.stringify(settings, null, 2), { mode: 0o600 })
    return startChild(name, [PARTICIPANT_PROGRAM, kind, file], log(name))
  }
  return [
    participant('trust-framework', 'trust-framework', trustFrameworkSettings(place, enrolment)),
    ...deploymentFiles.flatMap(([code, file]) => {
      const processes = perRole.includes(code) ? ROLES.map((role) => ['--roles', role]) : [[]]
      return processes.map((roles) => {
        const name = ['hub', code, ...roles.slice(1)].join('-')
        return startChild(name, [HUB_PROGRAM, 'hub', '--config', file, ...roles], log(name))
      })
    }),
    ...LFI_CODES.map((code) => participant('bank', `bank-${code}`, bankSettings(place, enrolment, code))),
    participant('tpp', 'tpp', tppSettings(place, enrolment)),
    participant('edge', 'edge', edgeSettings(place, enrolment)),
  ]
}

function firstToEnd(children: readonly Child[]): Promise<Ended> {
  return Promise.race(children.map(({ name, logFile, ended }) => ended.then(() => ({ name, logFile }))))
}

function describe(place: Topology, enrolment: Enrolment, deploymentFiles: ReadonlyMap<LfiCode, string>): Manifest {
  const { urls } = place
  const keys = ({ certFile, keyFile }: { certFile: string; keyFile: string }) => ({
    certificateFile: certFile,
    keyFile,
  })
  const client = (tpp: TppEnrolment): ManifestClient => ({
    name: tpp.clientName,
    clientId: tpp.clientId,
    softwareStatementId: tpp.softwareStatementId,
    redirectUris: tpp.redirectUris,
    webhookUris: tpp.webhookUris,
    scopes: ['openid', 'accounts'],
    transport: keys(tpp.transport),
    signing: { ...keys(tpp.signing), kid: tpp.signing.kid },
    encryption: { ...keys(tpp.encryption), kid: tpp.encryption.kid },
  })
  const bank = (code: LfiCode): ManifestLfi['bank'] => {
    const { client, signing, encryption } = enrolment.banks[code]
    return {
      hh: urls.hubs[code].hh,
      cm: urls.hubs[code].cm,
      audience: code,
      ozoneConnect: urls.banks[code].ozoneConnect,
      transport: keys(client),
      signing: { ...keys(signing), kid: signing.kid },
      encryption: { ...keys(encryption), kid: encryption.kid },
    }
  }
  const lfi = (code: LfiCode): ManifestLfi => ({
    name: LFIS[code].legalName,
    organisationId: enrolment.hubs[code].organisationId,
    issuer: urls.hubs[code].auth,
    discovery: `${urls.hubs[code].auth}/.well-known/openid-configuration`,
    rs: urls.hubs[code].rs,
    authorizationEndpoint: `${urls.banks[code].public}/authorize`,
    admin: urls.hubs[code].admin,
    adminClient: keys(enrolment.hubs[code].adminClient),
    portal: `${urls.hubs[code].portal}/`,
    people: peopleOf(LFIS[code].id).map(({ username, password, name, roles }) => ({ username, password, name, roles })),
    hubConfigFile: deploymentFiles.get(code) ?? '',
    bank: bank(code),
    auditPublicKey: auditPublicKey(
      code as TenantId,
      new Secret(readFileSync(enrolment.hubs[code].auditKeyFile, 'utf8')),
    ),
    staff: STAFF,
    users: bankUsers(code).map(({ userId, username, password, story, accountIds }) => ({
      userId,
      username,
      password,
      story,
      accountIds,
    })),
  })
  return {
    version: 1,
    pid: process.pid,
    startedAt: new Date().toISOString(),
    edge: `${urls.edge}/`,
    trustFramework: {
      url: urls.directory,
      apiUrl: urls.directoryApi,
      caFile: enrolment.ca.bundleFile,
      participants: `${urls.directory}/participants`,
      operator: keys(enrolment.directory.operator),
    },
    lfis: { aurora: lfi('aurora'), meridian: lfi('meridian') },
    tpp: {
      url: `${urls.edge}/`,
      organisationId: enrolment.tpp.organisationId,
      clients: [client(enrolment.tpp.primary), client(enrolment.tpp.second)],
      ownWebhooks: { url: urls.ownWebhooks, ...keys(enrolment.tpp.server) },
    },
    rogue: keys(enrolment.rogue.client),
  }
}
