/**
 * Who may speak to this LFI's hub: TPPs, their software statements and clients. The trust framework vouches; the
 * operator activates. Certificates, keys and status are believed for `cacheSeconds`, and never longer than the
 * profile's 20 minutes should the directory be out of reach.
 */
import { LRUCache } from 'lru-cache'
import type { Audit } from '../audit/index.ts'
import { type Clock, secondsToMilliseconds, toSeconds } from '../clock.ts'
import type { TenantConfig, TrustFrameworkConfig } from '../config.ts'
import { type Db, inTransaction, query, type Tx } from '../db.ts'
import { HubError } from '../errors.ts'
import { type ClientId, type CorrelationId, type Thumbprint, toClientId } from '../ids.ts'
import type { Log } from '../log.ts'
import { createRemembered, versionOf, versions } from '../remembered.ts'
import { addRevokedToken, type RevokedToken } from '../revoked-tokens.ts'
import type { PeerCertificate } from '../tls.ts'
import { type ApplicationKeys, createApplicationKeys } from './application-keys.ts'
import {
  type CertificateStatus,
  type Client,
  type ClientRow,
  type LocalStatus,
  thumbprintIn,
  toClient,
} from './client.ts'
import { createDirectory, type Vouched } from './directory.ts'
import type { CertificateRecord } from './directory-records.ts'
import { createRefresher } from './refresher.ts'
import { createOperatorSide, type OperatorSide } from './standing.ts'

export type { CertificateStatus, Client, LocalStatus, TppView } from './client.ts'
export { tppView } from './client.ts'
export { migrations } from './migrations.ts'

export type { OperatorSide, ParticipantLevel, Standing } from './standing.ts'

export type Participants = OperatorSide & {
  /** null: never registered at this LFI. Throws GenericRecoverableError when what is known is too old to be believed. */
  client(clientId: ClientId): Promise<Client | null>
  /** Asks the directory again, at most once in ten seconds per client: an unknown `kid` may be a new key. */
  refresh(clientId: ClientId): Promise<Client | null>
  /** Timed work: asks the directory about clients of which too little would soon be known. How many it asked about. */
  refreshDue(): Promise<number>
  /** POST /tpp-registration. @throws HubError Unauthorized or AccessToken.InvalidScope when the directory does not vouch */
  register(peer: PeerCertificate, interactionId: CorrelationId): Promise<Client>
  certificateStatus(client: Client, thumbprint: Thumbprint): CertificateStatus
  /** A token of the client itself is refused from now on; false when as many are already as can be kept. */
  revokeToken(tx: Tx, clientId: ClientId, token: RevokedToken): Promise<boolean>
  list(): Promise<readonly Client[]>
  readonly applicationKeys: ApplicationKeys
  close(): Promise<void>
}

/** Client JWKS may be cached at most 20 minutes (security profile). */
const BELIEVED_AT_MOST_MS = secondsToMilliseconds(toSeconds(1200))
/** Clients taken apart and kept; more than one LFI has ever registered. */
const CLIENTS_MAX = 2_000
const ABSENCES_MAX = 1_000
const REFRESH_AT_MOST_EVERY_MS = 10_000
/** While the directory cannot be asked, not every request waits to find that out. */
const RETRY_AFTER_MS = 5_000

export function createParticipants(deps: {
  readonly db: Db
  readonly tenant: TenantConfig
  readonly trustFramework: TrustFrameworkConfig
  readonly audit: Audit
  readonly clock: Clock
  readonly log: Log
}): Participants {
  const { db, tenant, clock, audit } = deps
  const directory = createDirectory(deps.trustFramework, clock, deps.log)
  const cacheMs = secondsToMilliseconds(deps.trustFramework.cacheSeconds)
  const refreshing = new Map<string, Promise<void>>()
  const attempts = new Map<string, number>()
  const failures = new Map<string, number>()

  const rows = createRemembered<ClientRow & { readonly version: string }>({
    max: CLIENTS_MAX,
    versions: (clientIds) => versions(db, 'client-versions', SELECT_VERSIONS, clientIds),
    load: async (clientId) => {
      const [value] = (await query<ClientRow & { version: string }>(db, `${SELECT} where c.client_id = ?`, [clientId]))
        .rows
      return value === undefined ? null : { version: value.version, value }
    },
  })
  const row = (clientId: string): Promise<ClientRow | null> => rows.get(clientId)
  /** Made once for each state of a row; the row is the key. */
  const made = new WeakMap<ClientRow, Client>()
  const clientOf = (found: ClientRow): Client => {
    const client = made.get(found) ?? toClient(found, deps.trustFramework.keystoreUrl)
    made.set(found, client)
    return client
  }

  const fetchAndSave = async (known: ClientRow): Promise<void> => {
    const vouched = await directory.vouch(known.organisation_id, known.client_id)
    await inTransaction(db, async (tx) => {
      if (vouched === null) {
        // Gone from the directory: nobody vouches any longer, so nothing of it is accepted.
        await tx('software_statement')
          .where({ software_statement_id: known.software_statement_id })
          .update({ directory_status: 'Inactive', fetched_at: new Date(clock.now()) })
      } else {
        await save(tx, vouched, new Date(clock.now()), 'inactive')
      }
    })
  }

  /** One fetch at a time per client, shared by everyone who waits for it. */
  const renew = (known: ClientRow): Promise<void> => {
    const running = refreshing.get(known.client_id)
    if (running !== undefined) return running
    attempts.set(known.client_id, clock.now())
    const started = fetchAndSave(known)
      .then(
        () => void failures.delete(known.client_id),
        (error: unknown) => {
          failures.set(known.client_id, clock.now())
          throw error
        },
      )
      .finally(() => refreshing.delete(known.client_id))
    refreshing.set(known.client_id, started)
    return started
  }

  const refresher = createRefresher({ db, clock, cacheMs })

  /** An application that the directory does not know is not asked about again for a while. */
  const absences = new LRUCache<string, number>({ max: ABSENCES_MAX })
  const vouchFor = async (organisationId: string, clientId: string): Promise<Vouched | null> => {
    const name = `${organisationId}/${clientId}`
    if (clock.now() - (absences.get(name) ?? Number.NEGATIVE_INFINITY) < REFRESH_AT_MOST_EVERY_MS) return null
    const vouched = await directory.vouch(organisationId, clientId)
    if (vouched === null) absences.set(name, clock.now())
    return vouched
  }

  const current = async (clientId: ClientId): Promise<ClientRow | null> => {
    const known = await row(clientId)
    if (known === null) return null
    if (ageOf(known) < cacheMs) return known
    if (clock.now() - (failures.get(clientId) ?? 0) < RETRY_AFTER_MS) return believed(known)
    try {
      await renew(known)
      return await row(clientId)
    } catch (cause) {
      deps.log.warn({ err: cause, clientId, ageMs: ageOf(known) }, 'directory out of reach')
      return believed(known, cause)
    }
  }

  const ageOf = (known: ClientRow): number => clock.now() - known.fetched_at.getTime()

  const believed = (known: ClientRow, cause?: unknown): ClientRow => {
    if (ageOf(known) < BELIEVED_AT_MOST_MS) return known
    throw new HubError('GenericRecoverableError', { detail: 'the directory has been out of reach for too long', cause })
  }

  return {
    client: async (clientId) => {
      const found = await current(clientId)
      return found === null ? null : clientOf(found)
    },
    refresh: async (clientId) => {
      const known = await row(clientId)
      if (known === null) return null
      if (clock.now() - (attempts.get(clientId) ?? 0) >= REFRESH_AT_MOST_EVERY_MS) {
        await renew(known).catch((error: unknown) => deps.log.warn({ err: error, clientId }, 'directory out of reach'))
      }
      const renewed = await row(clientId)
      return renewed === null ? null : toClient(believed(renewed), deps.trustFramework.keystoreUrl)
    },
    refreshDue: async () => {
      const due = await refresher.claim()
      await Promise.all(
        due.map(async (clientId) => {
          const known = await row(clientId)
          if (known === null) return
          await renew(known).catch((error: unknown) =>
            deps.log.warn({ err: error, clientId, ageMs: ageOf(known) }, 'directory out of reach'),
          )
        }),
      )
      return due.length
    },
    register: async (peer, interactionId) => {
      const clientId = toClientId(peer.commonName)
      if (clientId === null || peer.organisationId === null) {
        throw new HubError('Unauthorized', {
          rule: 'directory.vouches',
          reason: 'the certificate names no application: OU and CN must be directory ids',
        })
      }
      const vouched = await vouchOrRefuse(vouchFor(peer.organisationId, clientId))
      if (vouched !== null && !vouched.certificates.some((each) => isActive(each, peer.thumbprint))) {
        throw new HubError('Unauthorized', {
          rule: 'directory.vouches',
          reason: 'the trust framework lists no active certificate like this one',
        })
      }
      if (vouched === null || vouched.organisation.Status !== 'Active' || vouched.statement.Status !== 'Active') {
        throw new HubError('AccessToken.InvalidScope', {
          rule: 'directory.vouches',
          reason: 'the trust framework lists no active application with the ids of this certificate',
        })
      }
      const initial: LocalStatus = tenant.activation === 'automatic' ? 'active' : 'inactive'
      await inTransaction(db, async (tx) => {
        const isNew = await save(tx, vouched, new Date(clock.now()), initial)
        await audit.append(tx, {
          kind: 'participant-changed',
          at: clock.now(),
          interactionId,
          tenantId: tenant.id,
          organisationId: vouched.organisation.OrganisationId,
          softwareStatementId: vouched.statement.SoftwareStatementId,
          clientId,
          change: isNew ? 'registered' : 'refreshed',
          by: 'tpp',
        })
      })
      const registered = await row(clientId)
      if (registered === null) throw new Error('a client just registered is not there')
      return toClient(registered, deps.trustFramework.keystoreUrl)
    },
    certificateStatus: (client, thumbprint) => client.certificates.get(thumbprint) ?? 'unknown',
    revokeToken: (tx, clientId, token) => addRevokedToken(tx, clock, { of: 'client', id: clientId }, token),
    ...createOperatorSide({ db, tenantId: tenant.id, audit, clock, select: SELECT }),
    list: async () => {
      const found = await query<ClientRow>(db, `${SELECT} order by c.registered_at, c.client_id`)
      return found.rows.map((each) => toClient(each, deps.trustFramework.keystoreUrl))
    },
    applicationKeys: createApplicationKeys({ directory, cacheMs, clock, log: deps.log }),
    close: () => directory.close(),
  }
}

const isActive = (record: CertificateRecord, thumbprint: Thumbprint): boolean =>
  record.Status === 'Active' && thumbprintIn(record) === thumbprint

async function vouchOrRefuse(asked: Promise<Vouched | null>): Promise<Vouched | null> {
  try {
    return await asked
  } catch (cause) {
    throw new HubError('GenericRecoverableError', { reason: 'The trust framework cannot be reached; try again', cause })
  }
}

/** True when the client is new here. An existing record keeps the status that the operator gave it. */
async function save(tx: Tx, vouched: Vouched, at: Date, initial: LocalStatus): Promise<boolean> {
  const { organisation, statement } = vouched
  await tx('tpp')
    .insert({
      organisation_id: organisation.OrganisationId,
      name: organisation.OrganisationName,
      status: initial,
      directory_status: organisation.Status,
      record: JSON.stringify(organisation),
      registered_at: at,
      updated_at: at,
    })
    .onConflict('organisation_id')
    .merge(['name', 'directory_status', 'record', 'updated_at'])
  await tx('software_statement')
    .insert({
      software_statement_id: statement.SoftwareStatementId,
      organisation_id: organisation.OrganisationId,
      status: initial,
      directory_status: statement.Status,
      record: JSON.stringify(statement),
      roles: JSON.stringify(vouched.roles),
      certificates: JSON.stringify(vouched.certificates),
      jwks: JSON.stringify(vouched.jwks),
      fetched_at: at,
      updated_at: at,
    })
    .onConflict('software_statement_id')
    .merge(['directory_status', 'record', 'roles', 'certificates', 'jwks', 'fetched_at', 'updated_at'])
  const inserted = await tx('client')
    .insert({
      client_id: statement.ClientId,
      software_statement_id: statement.SoftwareStatementId,
      status: initial,
      registered_at: at,
      updated_at: at,
    })
    .onConflict('client_id')
    .ignore()
    .returning('client_id')
  return inserted.length === 1
}

const TABLES_JOINED = `
  from client c
  join software_statement s using (software_statement_id)
  join tpp t using (organisation_id)`
const VERSION = ['c', 's', 't'].map(versionOf).join(' || ')
const SELECT_VERSIONS = `select c.client_id as key, ${VERSION} as version ${TABLES_JOINED} where c.client_id = any(?)`
const SELECT = `
  select ${VERSION} as version, c.client_id, c.status as client_status, c.registered_at, c.revoked_tokens,
    s.software_statement_id, s.status as statement_status, s.directory_status as statement_directory_status,
    s.record as statement_record, s.roles, s.certificates, s.jwks, s.fetched_at,
    t.organisation_id, t.name as tpp_name, t.status as tpp_status, t.directory_status as tpp_directory_status,
    t.record as tpp_record${TABLES_JOINED}`
