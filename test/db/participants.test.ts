import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { revokeCertificate, setOrganisationStatus, setSoftwareStatus } from '../../sandbox/trust-framework/operator.ts'
import { type Audit, createAudit, createAuditReader } from '../../src/audit/index.ts'
import type { TenantConfig } from '../../src/config.ts'
import { toHubError } from '../../src/errors.ts'
import { type ClientId, type CorrelationId, newCorrelationId, type TenantId } from '../../src/ids.ts'
import { createLog } from '../../src/log.ts'
import {
  createParticipants,
  type LocalStatus,
  type ParticipantLevel,
  type Participants,
  tppView,
} from '../../src/participants/index.ts'
import type { PeerCertificate } from '../../src/tls.ts'
import { type HandClock, handClock } from '../support/clock.ts'
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts'
import { enrolTrustFramework, peerWith, type TestTrustFramework } from '../support/trust-framework.ts'

const CACHE_SECONDS = 300
const MINUTE_MS = 60_000
const silent = createLog({ level: 'silent', name: 'test' })

let clock: HandClock
let framework: TestTrustFramework
let database: TestDatabase
let audit: Audit
let participants: Participants
let warnings: string[]
let primary: PeerCertificate
let clientId: ClientId

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

function create(activation: TenantConfig['activation'], changes: { audit?: Audit } = {}): Participants {
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

const register = (peer = primary, interactionId = newCorrelationId()) => participants.register(peer, interactionId)
const codeOf = (asked: Promise<unknown>): Promise<string> =>
  asked.then(
    () => 'none',
    (thrown: unknown) => toHubError(thrown).code,
  )
const count = async (table: string): Promise<number> => Number((await database.db(table).count())[0]?.['count'])
const entriesOf = async (interactionId: CorrelationId) =>
  (await createAuditReader({ db: database.db }).findByInteraction(interactionId)).map(({ entry }) => entry)
async function activate(): Promise<void> {
  const { organisationId, softwareStatementId } = framework.enrolment.tpp.primary
  const levels: [ParticipantLevel, string][] = [
    ['tpp', organisationId],
    ['software-statement', softwareStatementId],
    ['client', clientId],
  ]
  for (const [level, id] of levels)
    await participants.setStatus(level, id, 'active', { actor: 'test', interactionId: null })
}

describe('registering', () => {
  test('a new application keeps what the directory says, and awaits the operator', async () => {
    const interactionId = newCorrelationId()
    const client = await register(primary, interactionId)
    const { tpp } = framework.enrolment
    expect(client).toMatchObject({
      clientId,
      organisationId: tpp.organisationId,
      softwareStatementId: tpp.primary.softwareStatementId,
      tppName: 'Wadi Money',
      clientName: 'Wadi Budget',
      status: 'inactive',
      redirectUris: ['https://localhost:8443/callback'],
      webhookUris: ['https://localhost:8443/webhooks'],
      scopes: ['openid', 'accounts', 'payments'],
      roles: ['BDSP', 'BSIP'],
    })
    expect(client.jwks.keys.map((key) => key.use).sort()).toEqual(['enc', 'sig'])
    expect(participants.certificateStatus(client, primary.thumbprint)).toBe('active')
    expect(await entriesOf(interactionId)).toMatchObject([
      { kind: 'participant-changed', change: 'registered', by: 'tpp', clientId, organisationId: tpp.organisationId },
    ])
    expect(await participants.client(clientId)).toEqual(client)
  })

  test('is active at once where the tenant says so', async () => {
    await participants.close()
    participants = create('automatic')
    expect((await register()).status).toBe('active')
  })

  test('again is a refresh, and keeps what the operator decided', async () => {
    await register()
    await activate()
    const interactionId = newCorrelationId()
    expect((await register(primary, interactionId)).status).toBe('active')
    expect(await entriesOf(interactionId)).toMatchObject([{ kind: 'participant-changed', change: 'refreshed' }])
    expect(await count('client')).toBe(1)
    await participants.setStatus('client', clientId, 'blocked', { actor: 'test', interactionId: null })
    expect((await register()).status).toBe('blocked')
  })

  test('two applications of one organisation share its record', async () => {
    await register()
    await register(peerWith(framework.enrolment.tpp.second.transport))
    expect([await count('tpp'), await count('software_statement'), await count('client')]).toEqual([1, 2, 2])
    expect((await participants.list()).map((each) => each.clientName)).toEqual(['Wadi Budget', 'Wadi Budget Two'])
  })

  test('at once from several connections makes one client', async () => {
    const clients = await Promise.all(Array.from({ length: 5 }, () => register()))
    expect(new Set(clients.map((each) => each.clientId))).toEqual(new Set([clientId]))
    expect(await count('client')).toBe(1)
  })

  const second = () => peerWith(framework.enrolment.tpp.second.transport)
  const operator = () => framework.operator()
  type Case = { readonly peer?: () => PeerCertificate; readonly first?: () => Promise<void>; readonly code: string }
  test.each<[string, Case]>([
    ['whose subject names no application', { peer: () => ({ ...primary, commonName: 'Wadi' }), code: 'Unauthorized' }],
    [
      'whose subject names no organisation',
      { peer: () => ({ ...primary, organisationId: null }), code: 'Unauthorized' },
    ],
    [
      'that the directory never saw, with the right subject',
      { peer: () => peerWith(framework.enrolment.rogue.client), code: 'Unauthorized' },
    ],
    [
      'of another application of the same organisation',
      { peer: () => ({ ...primary, commonName: second().commonName }), code: 'Unauthorized' },
    ],
    [
      'of an application that is not there',
      { peer: () => ({ ...primary, commonName: crypto.randomUUID() }), code: 'AccessToken.InvalidScope' },
    ],
    [
      'of an organisation that is not there',
      { peer: () => ({ ...primary, organisationId: crypto.randomUUID() as never }), code: 'AccessToken.InvalidScope' },
    ],
    ['that was revoked', { first: () => revokeCertificate(operator(), primary.thumbprint), code: 'Unauthorized' }],
    [
      'of a suspended application',
      {
        first: () => setSoftwareStatus(operator(), framework.enrolment.tpp.primary.softwareStatementId, 'Suspended'),
        code: 'AccessToken.InvalidScope',
      },
    ],
    [
      'of an inactive organisation',
      {
        first: () => setOrganisationStatus(operator(), framework.enrolment.tpp.organisationId, 'Inactive'),
        code: 'AccessToken.InvalidScope',
      },
    ],
    ['while the directory is down', { first: () => framework.stop(), code: 'GenericRecoverableError' }],
  ])('a certificate %s is refused, and nothing is kept', async (_what, { peer, first, code }) => {
    await first?.()
    const interactionId = newCorrelationId()
    expect(await codeOf(register(peer?.() ?? primary, interactionId))).toBe(code)
    expect([await count('tpp'), await count('software_statement'), await count('client')]).toEqual([0, 0, 0])
    expect(await entriesOf(interactionId)).toEqual([])
  })

  test('is undone when its audit entry cannot be written', async () => {
    const broken = create('manual', { audit: { ...audit, append: () => Promise.reject(new Error('full')) } })
    expect(await codeOf(broken.register(primary, newCorrelationId()))).toBe('GenericError')
    expect(await count('client')).toBe(0)
    await broken.close()
  })

  test('shows the LFI who it is', async () => {
    const view = tppView(await register())
    expect(view).toMatchObject({ clientId, tppName: 'Wadi Money', decodedSsa: { client_name: 'Wadi Budget' } })
    const record = JSON.parse(Buffer.from(view.directoryRecord, 'base64').toString()) as { organisation: object }
    expect(record.organisation).toMatchObject({ OrganisationId: framework.enrolment.tpp.organisationId })
  })
})

describe('what the directory said', () => {
  test('is believed for the cache time, and then asked again', async () => {
    await register()
    const asked = framework.looks()
    clock.advance(CACHE_SECONDS * 1000 - 1)
    await participants.client(clientId)
    expect(framework.looks()).toBe(asked)
    clock.advance(1)
    await participants.client(clientId)
    expect(framework.looks()).toBeGreaterThan(asked)
  })

  test('is asked once for everyone who waits', async () => {
    await register()
    clock.advance(CACHE_SECONDS * 1000)
    const before = framework.looks()
    await participants.client(clientId)
    const once = framework.looks() - before
    clock.advance(CACHE_SECONDS * 1000)
    const clients = await Promise.all(Array.from({ length: 20 }, () => participants.client(clientId)))
    expect(clients.every((each) => each?.clientId === clientId)).toBe(true)
    // The token may have run out in between, which is a question more.
    expect(framework.looks() - before - once).toBeLessThan(2 * once)
  })

  test('of a revoked certificate and its key takes effect', async () => {
    const { transport, signing } = framework.enrolment.tpp.primary
    await register()
    await revokeCertificate(framework.operator(), signing.kid)
    await revokeCertificate(framework.operator(), transport.kid)
    const known = await participants.client(clientId)
    expect(known && participants.certificateStatus(known, primary.thumbprint)).toBe('active')
    clock.advance(CACHE_SECONDS * 1000)
    const client = await participants.client(clientId)
    if (client === null) throw new Error('gone')
    expect(participants.certificateStatus(client, primary.thumbprint)).toBe('revoked')
    expect(participants.certificateStatus(client, peerWith(framework.enrolment.rogue.client).thumbprint)).toBe(
      'unknown',
    )
    expect(client.jwks.keys.map((key) => key.use)).toEqual(['enc'])
  })

  test('of a suspended application blocks it', async () => {
    await register()
    await activate()
    await setSoftwareStatus(framework.operator(), framework.enrolment.tpp.primary.softwareStatementId, 'Suspended')
    clock.advance(CACHE_SECONDS * 1000)
    expect((await participants.client(clientId))?.status).toBe('blocked')
    await setSoftwareStatus(framework.operator(), framework.enrolment.tpp.primary.softwareStatementId, 'Active')
    clock.advance(CACHE_SECONDS * 1000)
    expect((await participants.client(clientId))?.status).toBe('active')
  })

  test('that it knows the application no more blocks it as well', async () => {
    await register()
    await activate()
    await framework.start({ forget: [clientId] })
    clock.advance(CACHE_SECONDS * 1000)
    expect((await participants.client(clientId))?.status).toBe('blocked')
  })

  test('of an application never registered here is not asked', async () => {
    const asked = framework.looks()
    expect(await participants.client(framework.enrolment.tpp.second.clientId as ClientId)).toBeNull()
    expect(await participants.refresh(framework.enrolment.tpp.second.clientId as ClientId)).toBeNull()
    expect(framework.looks()).toBe(asked)
  })
})

describe('while the directory is down', () => {
  test('the last word holds for 20 minutes, then nobody is let in, and it recovers', async () => {
    await register()
    await activate()
    await framework.stop()
    clock.advance(20 * MINUTE_MS - 1)
    expect((await participants.client(clientId))?.status).toBe('active')
    clock.advance(1)
    expect(await codeOf(participants.client(clientId))).toBe('GenericRecoverableError')
    expect(await codeOf(participants.refresh(clientId))).toBe('GenericRecoverableError')
    await framework.start({ forget: [] })
    clock.advance(10_000)
    expect((await participants.client(clientId))?.status).toBe('active')
  })

  test('not every request finds that out for itself', async () => {
    await register()
    await framework.stop()
    clock.advance(CACHE_SECONDS * 1000)
    for (let each = 0; each < 5; each += 1) await participants.client(clientId)
    expect(warnings.filter((line) => line.includes('directory out of reach'))).toHaveLength(1)
    clock.advance(5000)
    await participants.client(clientId)
    expect(warnings).toHaveLength(2)
  })
})

describe('a refresh', () => {
  test('asks at most once in ten seconds', async () => {
    await register()
    const looksOf = async (): Promise<number> => {
      const before = framework.looks()
      expect((await participants.refresh(clientId))?.clientId).toBe(clientId)
      return framework.looks() - before
    }
    expect(await looksOf()).toBeGreaterThan(0)
    clock.advance(9_999)
    expect(await looksOf()).toBe(0)
    clock.advance(1)
    expect(await looksOf()).toBeGreaterThan(0)
  })

  test('finds what has changed before the cache time is over', async () => {
    await register()
    await revokeCertificate(framework.operator(), framework.enrolment.tpp.primary.signing.kid)
    expect((await participants.refresh(clientId))?.jwks.keys).toHaveLength(1)
  })
})

describe('the operator', () => {
  test.each<[ParticipantLevel, () => string]>([
    ['tpp', () => framework.enrolment.tpp.organisationId],
    ['software-statement', () => framework.enrolment.tpp.primary.softwareStatementId],
    ['client', () => clientId],
  ])('decides about a %s, on record', async (level, id) => {
    await register()
    await activate()
    const interactionId = newCorrelationId()
    expect(await participants.setStatus(level, id(), 'blocked', { actor: 'a person', interactionId })).toBe(true)
    expect((await participants.client(clientId))?.status).toBe('blocked')
    expect(await entriesOf(interactionId)).toMatchObject([
      { kind: 'admin-act', actor: 'a person', act: `${level} blocked`, target: id() },
    ])
  })

  test('cannot decide about what is not there, and that leaves no entry', async () => {
    const interactionId = newCorrelationId()
    expect(await participants.setStatus('client', clientId, 'active', { actor: 'x', interactionId })).toBe(false)
    expect(await entriesOf(interactionId)).toEqual([])
  })

  test('has decided nothing when it could not be recorded', async () => {
    await register()
    const broken = create('manual', { audit: { ...audit, append: () => Promise.reject(new Error('full')) } })
    expect(await codeOf(broken.setStatus('client', clientId, 'blocked', { actor: 'x', interactionId: null }))).toBe(
      'GenericError',
    )
    await broken.close()
    expect((await participants.client(clientId))?.status).toBe('inactive')
  })
})

describe('the effective status', () => {
  /** TPP, software statement and client as the operator set them, and what follows while the directory agrees. */
  const LOCAL = `
    active   active   active   → active
    active   active   inactive → inactive
    active   active   blocked  → blocked
    active   inactive active   → inactive
    active   inactive inactive → inactive
    active   inactive blocked  → blocked
    active   blocked  active   → blocked
    active   blocked  inactive → blocked
    active   blocked  blocked  → blocked
    inactive active   active   → inactive
    inactive active   inactive → inactive
    inactive active   blocked  → blocked
    inactive inactive active   → inactive
    inactive inactive inactive → inactive
    inactive inactive blocked  → blocked
    inactive blocked  active   → blocked
    inactive blocked  inactive → blocked
    inactive blocked  blocked  → blocked
    blocked  active   active   → blocked
    blocked  active   inactive → blocked
    blocked  active   blocked  → blocked
    blocked  inactive active   → blocked
    blocked  inactive inactive → blocked
    blocked  inactive blocked  → blocked
    blocked  blocked  active   → blocked
    blocked  blocked  inactive → blocked
    blocked  blocked  blocked  → blocked`
  const rows = LOCAL.trim()
    .split('\n')
    .map((line) => line.trim().split(/[ →]+/) as [LocalStatus, LocalStatus, LocalStatus, LocalStatus])
  /** Organisation and software statement at the directory. */
  const DIRECTORY = ['Active', 'Inactive', 'Withdrawn'].flatMap((organisation) =>
    ['Active', 'Suspended', 'Inactive'].map((statement) => [organisation, statement] as const),
  )

  test('is written out for every combination', () => {
    expect(new Set(rows.map((row) => row.slice(0, 3).join())).size).toBe(27)
  })

  test.each(DIRECTORY)('with the organisation %s and the statement %s', async (organisation, statement) => {
    const { db } = database
    await register()
    for (const [tpp, software, client, effective] of rows) {
      await db('tpp').update({ status: tpp, directory_status: organisation })
      await db('software_statement').update({ status: software, directory_status: statement })
      await db('client').update({ status: client })
      const agrees = organisation === 'Active' && statement === 'Active'
      expect((await participants.client(clientId))?.status, `${tpp} ${software} ${client}`).toBe(
        agrees ? effective : 'blocked',
      )
    }
  })
})

describe("the LFI's own callers", () => {
  const bank = () => framework.enrolment.banks.aurora
  const ask = (wanted?: string) => participants.applicationKeys(bank().organisationId, bank().client.clientId, wanted)

  test('have keys in the keystore, which are cached', async () => {
    expect((await ask()).map((key) => key.kid)).toContain(bank().signing.kid)
    const asked = framework.looks()
    clock.advance(CACHE_SECONDS * 1000 - 1)
    await ask(bank().signing.kid)
    expect(framework.looks()).toBe(asked)
    clock.advance(1)
    await ask()
    expect(framework.looks()).toBeGreaterThan(asked)
  })

  test('may have a new one, which is looked for at most once in ten seconds', async () => {
    await ask()
    const before = framework.looks()
    await ask('new')
    expect(framework.looks()).toBe(before)
    clock.advance(10_000)
    await Promise.all([ask('new'), ask('new'), ask('new')])
    const once = framework.looks() - before
    expect(once).toBeGreaterThan(0)
    await ask('new')
    expect(framework.looks() - before).toBe(once)
  })

  test('without a file in the keystore have none', async () => {
    expect(await participants.applicationKeys(crypto.randomUUID(), 'x/../y')).toEqual([])
  })

  test('are believed for ten minutes while the keystore is down', async () => {
    await ask()
    await framework.stop()
    clock.advance(10 * MINUTE_MS - 1)
    expect((await ask()).length).toBeGreaterThan(0)
    clock.advance(1)
    expect(await codeOf(ask())).toBe('GenericRecoverableError')
  })
})
