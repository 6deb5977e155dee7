/** The consent manager behind its real door: mutual TLS on a port of its own, the store on PostgreSQL. */
import { randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import type { IncomingHttpHeaders } from 'node:http'
import { request } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Authority, newRsaKey, openAuthority, pemOf } from '../../../sandbox/trust-framework/pki.ts'
import { type Audit, createAudit, createAuditReader, createReceiptOffice } from '../../../src/audit/index.ts'
import { toSeconds } from '../../../src/clock.ts'
import type { ListenerConfig, TenantConfig } from '../../../src/config.ts'
import { createConsentManager } from '../../../src/consent-manager/index.ts'
import type { Db } from '../../../src/db.ts'
import type { CorrelationId, OrganisationId } from '../../../src/ids.ts'
import { createLfiAuthentication } from '../../../src/lfi-caller.ts'
import { createApp, openDoors } from '../../../src/listener.ts'
import { createLog, type Log } from '../../../src/log.ts'
import { createResourceLog, type ResourceLog } from '../../../src/resource-log/index.ts'
import { loadSchemas } from '../../../src/schema-registry.ts'
import { Secret } from '../../../src/secret.ts'
import { newAuditKey } from '../../support/audit-key.ts'
import { freePort } from '../../support/free-port.ts'
import { TENANT, type TestStore, testStore } from './support.ts'

export const LFI_ORGANISATION = 'd7a4c1b0-1c2d-4e3f-8a9b-0c1d2e3f4a5b' as OrganisationId
export const LFI_APPLICATION = 'e8b5d2c1-2d3e-4f40-9bac-1d2e3f4a5b6c'
export const BODY_BYTES_MAX = 4096

export const AUTHORIZE_BODY = {
  status: 'Authorized',
  'consentBody.Data.Status': 'Authorized',
  psuIdentifiers: { userId: 'u-42' },
  accountIds: ['acc-7f1'],
  authorizationChannel: 'App',
}
export const REVOKE_BODY = { revokedBy: 'LFI.InitiatedByUser', revokedByPsu: { userId: 'u-42' } }

export type Credentials = { readonly cert?: string; readonly key?: string }
export type Reply = {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly text: string
  readonly body: Readonly<Record<string, unknown>>
}
export type CallOptions = {
  readonly as?: Credentials
  readonly body?: unknown
  readonly raw?: string
  readonly type?: string
  readonly headers?: Readonly<Record<string, string>>
}
export type TestManager = {
  readonly hub: TestStore
  readonly audit: Audit
  readonly resources: ResourceLog
  /** Of another organisation, and of the right one by an authority that nobody trusts. */
  readonly otherLfi: Credentials
  readonly stranger: Credentials
  /** As the LFI of the tenant unless another is named. */
  call(method: string, path: string, options?: CallOptions): Promise<Reply>
  patch(id: string, body: unknown): Promise<Reply>
  /** What the audit log holds of one call. */
  entriesOf(interactionId: string): Promise<readonly unknown[]>
  close(): Promise<void>
}

export async function openManager(
  db: Db,
  log: Log = createLog({ level: 'silent', name: 'test' }),
): Promise<TestManager> {
  const folder = await mkdtemp(join(tmpdir(), 'falaj-cm-'))
  const framework = await openAuthority(join(folder, 'framework'), 'Test')
  const elsewhere = await openAuthority(join(folder, 'elsewhere'), 'Elsewhere')
  const lfi = await credentials(framework, LFI_ORGANISATION)
  const ca = readFileSync(framework.bundleFile, 'utf8')
  const listener = await listenerOf(framework)

  const hub = testStore(db)
  const { clock } = hub
  const audit = createAudit({ db, tenantId: TENANT, clock, log })
  // The members that this role reads.
  const tenant = {
    id: TENANT,
    organisationId: LFI_ORGANISATION,
    listeners: { cm: listener },
    keys: { audit: newAuditKey() },
    lfi: { callerJwt: { required: false, audience: TENANT } },
    limits: { bodyBytesMax: BODY_BYTES_MAX },
  } as unknown as TenantConfig
  const authenticate = createLfiAuthentication({ tenant, clock, keys: async () => [], firstUse: () => true })
  const app = createApp({ log, clock })
  const resources = createResourceLog({ db, tenantId: TENANT, clock, audit, consents: hub.store })
  const receipts = createReceiptOffice({ db })
  const registry = loadSchemas()
  app.use(
    createConsentManager({ tenant, consents: hub.store, resources, audit, receipts, registry, clock, authenticate }),
  )
  const listeners = await openDoors(
    [{ tenantId: TENANT, role: 'cm', listener, clientCertificates: { mode: 'requested', ca }, app }],
    { log, drainSeconds: toSeconds(1) },
  )
  const call: TestManager['call'] = (method, path, options = {}) =>
    send(method, `${listener.origin}${path}`, options, { ca, ...(options.as ?? lfi) })
  return {
    hub,
    audit,
    resources,
    otherLfi: await credentials(framework, randomUUID()),
    stranger: await credentials(elsewhere, LFI_ORGANISATION),
    call,
    patch: (id, body) => call('PATCH', `/consents/${id}`, { body }),
    entriesOf: async (interactionId) => {
      const found = await createAuditReader({ db }).findByInteraction(interactionId as CorrelationId)
      return found.map(({ entry }) => entry)
    },
    close: async () => {
      await listeners.close()
      await audit.close()
      await hub.close()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

async function credentials(authority: Authority, organisationId: string): Promise<Credentials> {
  const key = await newRsaKey()
  // A comma in a name must not confuse whoever reads the subject (lfi-api 4.3).
  const subject = { organisation: 'Aurora Bank, PJSC', organisationId, clientId: LFI_APPLICATION }
  const cert = await authority.issue({ kind: 'client-transport', subject, key })
  return { key: pemOf(key), cert: cert + authority.chainPem }
}

async function listenerOf(framework: Authority): Promise<ListenerConfig> {
  const key = await newRsaKey()
  const subject = { organisation: 'Falaj', organisationId: randomUUID() }
  const certificate = await framework.issue({ kind: 'server-transport', subject, key })
  const port = await freePort()
  return {
    origin: `https://localhost:${port}`,
    address: '127.0.0.1',
    port,
    certificate: certificate + framework.chainPem,
    key: new Secret(pemOf(key)),
  }
}

function send(method: string, url: string, options: CallOptions, tls: Credentials & { ca: string }): Promise<Reply> {
  const text = options.raw ?? (options.body === undefined ? undefined : JSON.stringify(options.body))
  const type = text === undefined ? {} : { 'content-type': options.type ?? 'application/json' }
  return new Promise((resolve, reject) => {
    const sent = request(url, { method, headers: { ...type, ...options.headers }, agent: false, ...tls }, (reply) => {
      const chunks: Buffer[] = []
      reply.on('data', (chunk: Buffer) => chunks.push(chunk))
      reply.on('end', () => {
        const answer = Buffer.concat(chunks).toString()
        resolve({
          status: reply.statusCode ?? 0,
          headers: reply.headers,
          text: answer,
          body: answer === '' ? {} : (JSON.parse(answer) as Record<string, unknown>),
        })
      })
    })
    sent.on('error', reject)
    sent.end(text)
  })
}

/** Status, and the code where there is one. */
export const said = ({ status, body }: Reply): string =>
  body['errorCode'] === undefined ? `${status}` : `${status} ${body['errorCode']}`
export const recordOf = (reply: Reply) => reply.body['data'] as Readonly<Record<string, unknown>>
export const idsOf = (reply: Reply) => (reply.body['data'] as Readonly<Record<string, unknown>>[]).map(({ id }) => id)
