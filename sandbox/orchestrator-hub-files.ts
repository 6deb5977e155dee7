/** The configuration of one hub instance, written as an operator would write it, from what enrolment left. */
import { randomBytes } from 'node:crypto'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { folderOf, HUB_LISTENERS, type Topology } from './topology.ts'
import type { LfiCode } from './trust-framework/ecosystem.ts'
import type { Enrolment, HubEnrolment } from './trust-framework/enrolment.ts'
import { HUB_ROLES, SUPERVISOR_ID } from './trust-framework/people.ts'
import { REVOCATION_LIST_PATH } from './trust-framework/public-app.ts'

/** The bank's part of account numbers; the banks make theirs with it. */
const BANK_CODES: Readonly<Record<LfiCode, string>> = { aurora: '981', meridian: '982' }

export type HubFiles = { readonly deploymentFile: string }

/** Short, so that a revocation at the directory is seen while somebody is watching. */
const DIRECTORY_CACHE_SECONDS = 5

export function writeHubFiles(
  topology: Topology,
  enrolment: Enrolment,
  code: LfiCode,
  databaseUrl: string,
  { storedKeys = false }: { readonly storedKeys?: boolean } = {},
): HubFiles {
  const folder = folderOf(topology, 'hubs', code)
  const hub = enrolment.hubs[code]
  mkdirSync(join(folder, 'tenants'), { recursive: true })
  const databaseFile = join(folder, 'database.url')
  writeFileSync(databaseFile, `${databaseUrl}\n`, { mode: 0o600 })
  const encryptionKeyFile = storedKeys ? keyIn(join(folder, 'encryption.key')) : null
  const deploymentFile = join(folder, 'deployment.json')
  write(deploymentFile, deployment(topology, enrolment, hub, code))
  write(
    join(folder, 'tenants', `${code}.json`),
    tenant(topology, enrolment, hub, { code, databaseFile, encryptionKeyFile }),
  )
  return { deploymentFile }
}

/** Made once: what it encrypted is to be read at the next start. */
function keyIn(file: string): string {
  if (!existsSync(file)) writeFileSync(file, randomBytes(32).toString('base64'), { mode: 0o600 })
  return file
}

const write = (file: string, content: unknown): void => writeFileSync(file, `${JSON.stringify(content, null, 2)}\n`)

const deployment = ({ urls }: Topology, enrolment: Enrolment, hub: HubEnrolment, code: LfiCode) => ({
  environment: 'sandbox',
  log: { level: 'info' },
  database: { migrate: 'on-start', poolMax: 10 },
  outbound: { allowedAddresses: ['127.0.0.1', '::1'] },
  drainSeconds: 5,
  // Nobody else would take the calls over.
  noticeSeconds: 0,
  trustFramework: {
    apiUrl: urls.directoryApi,
    tokenUrl: `${urls.directoryApi}/token`,
    keystoreUrl: urls.directory,
    caFile: enrolment.ca.bundleFile,
    serverCaFile: enrolment.ca.bundleFile,
    clientId: hub.directoryClient.clientId,
    certificateFile: hub.directoryClient.certFile,
    keyFile: hub.directoryClient.keyFile,
    cacheSeconds: DIRECTORY_CACHE_SECONDS,
    revocation: {
      crl: 'required',
      crlUrls: [`${urls.directory}${REVOCATION_LIST_PATH}`],
      refreshSeconds: DIRECTORY_CACHE_SECONDS,
    },
  },
  otherLfis: (Object.keys(BANK_CODES) as LfiCode[])
    .filter((other) => other !== code)
    .map((other) => ({
      bankCodes: [BANK_CODES[other]],
      issuer: urls.hubs[other].auth,
      resourceServer: urls.hubs[other].rs,
    })),
  tenants: [`tenants/${code}.json`],
})

function tenant(
  { ports, urls }: Topology,
  enrolment: Enrolment,
  hub: HubEnrolment,
  own: { readonly code: LfiCode; readonly databaseFile: string; readonly encryptionKeyFile: string | null },
) {
  const { code } = own
  const server = { certificateFile: hub.server.certFile, keyFile: hub.server.keyFile }
  const listeners = HUB_LISTENERS.map((role) => [
    role,
    { origin: urls.hubs[code][role], port: ports.hubs[code][role], ...server },
  ])
  return {
    id: code,
    name: hub.lfiName,
    organisationId: hub.organisationId,
    database: { url: { file: own.databaseFile } },
    listeners: Object.fromEntries(listeners),
    authorizationEndpoint: `${urls.banks[code].public}/authorize`,
    bankCodes: [BANK_CODES[code]],
    // What the hub keeps itself it publishes itself.
    jwksUrl:
      own.encryptionKeyFile === null
        ? `${urls.directory}/${hub.organisationId}/application.jwks`
        : `${urls.hubs[code].auth}/jwks`,
    keys: {
      ...(own.encryptionKeyFile === null ? {} : { source: 'stored', encryptionKey: { file: own.encryptionKeyFile } }),
      signing: hub.signing.map(({ kid, keyFile }) => ({ kid, keyFile })),
      encryption: hub.encryption.map(({ kid, keyFile }) => ({ kid, keyFile })),
      audit: { keyFile: hub.auditKeyFile },
    },
    lfi: {
      ozoneConnectUrl: urls.banks[code].ozoneConnect,
      caFile: enrolment.ca.bundleFile,
      certificateFile: hub.toLfi.certFile,
      keyFile: hub.toLfi.keyFile,
      authentication: { type: 'jwt', audience: code, kid: hub.toLfi.signing.kid, keyFile: hub.toLfi.signing.keyFile },
      callerJwt: { required: true },
      consentActions: { validate: ['account-access'], events: ['account-access'] },
    },
    portal: {
      issuer: urls.openId,
      clientId: hub.directoryClient.clientId,
      kid: hub.portalSigning.kid,
      keyFile: hub.portalSigning.keyFile,
      caFile: enrolment.ca.bundleFile,
      roles: Object.fromEntries(Object.entries(HUB_ROLES).map(([role, value]) => [role, [value]])),
      regulatorOrganisations: [SUPERVISOR_ID],
    },
    webhooks: { caFile: enrolment.ca.bundleFile, firstDelayMs: 1_000 },
    activation: 'automatic',
    limits: { requestsPerSecond: 1000 },
  }
}
