/** Participants of one tenant on a real database, with a trust framework that the test can stop and start. */
import { afterAll, afterEach, beforeAll, beforeEach } from 'vitest'
import { type Audit, createAudit, createAuditReader } from '../../src/audit/index.ts'
import type { TenantConfig } from '../../src/config.ts'
import { toHubError } from '../../src/errors.ts'
import { type ClientId, type CorrelationId, newCorrelationId, type TenantId } from '../../src/ids.ts'
import { createLog } from '../../src/log.ts'
import { createParticipants, type ParticipantLevel, type Participants } from '../../src/participants/index.ts'
import type { PeerCertificate } from '../../src/tls.ts'
import { type HandClock, handClock } from '../support/clock.ts'
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts'
import { enrolTrustFramework, peerWith, type TestTrustFramework } from '../support/trust-framework.ts'

export const CACHE_SECONDS = 300
const silent = createLog({ level: 'silent', name: 'test' })

export let clock: HandClock
export let framework: TestTrustFramework
export let database: TestDatabase
export let audit: Audit
export let participants: Participants
/** Lines logged as warnings or worse. */
export let warnings: string[]
/** The certificate and the id of Wadi Budget. */
export let primary: PeerCertificate
export let clientId: ClientId

/** Called by each file that uses them: hooks belong to the file that registers them. */
export function participantsForEachTest(): void {
  beforeAll(async () => {
    // The certificates are of today.
    clock = handClock(Date.now())
    framework = await enrolTrustFramework(clock)
    primary = peerWith(framework.enrolment.tpp.primary.transport)
    clientId = framework.enrolment.tpp.primary.clientId as ClientId
    database = await createTestDatabase()
    audit = createAudit({ db: database.db, tenantId: 'aurora' as TenantId, clock, log: silent })
  }, 60_000)
  afterAll(async () => {
    await audit.close()
    await database.close()
    await framework.close()
  })

  beforeEach(async () => {
    await framework.start()
    await database.db.raw('truncate client, software_statement, tpp')
    warnings = []
    participants = create('manual')
  })
  afterEach(() => participants.close())
}

export const use = (other: Participants): void => {
  participants = other
}

export function create(activation: TenantConfig['activation'], changes: { audit?: Audit } = {}): Participants {
  return createParticipants({
    db: database.db,
    tenant: { id: 'aurora', activation } as TenantConfig,
    trustFramework: framework.config(CACHE_SECONDS),
    audit,
    clock,
    log: createLog({ level: 'warn', name: 'test' }, { write: (line) => void warnings.push(line) }),
    ...changes,
  })
}

export const register = (peer = primary, interactionId = newCorrelationId()) =>
  participants.register(peer, interactionId)
export const codeOf = (asked: Promise<unknown>): Promise<string> =>
  asked.then(
    () => 'none',
    (thrown: unknown) => toHubError(thrown).code,
  )
export const count = async (table: string): Promise<number> => Number((await database.db(table).count())[0]?.['count'])
export const entriesOf = async (interactionId: CorrelationId) =>
  (await createAuditReader({ db: database.db }).findByInteraction(interactionId)).map(({ entry }) => entry)
export async function activate(): Promise<void> {
  const { organisationId, softwareStatementId } = framework.enrolment.tpp.primary
  const levels: [ParticipantLevel, string][] = [
    ['tpp', organisationId],
    ['software-statement', softwareStatementId],
    ['client', clientId],
  ]
  for (const [level, id] of levels)
    await participants.setStatus(level, id, 'active', { actor: 'test', interactionId: null })
}
