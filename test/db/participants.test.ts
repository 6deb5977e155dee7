import { describe, expect, test } from 'vitest'
import { revokeCertificate, setOrganisationStatus, setSoftwareStatus } from '../../sandbox/trust-framework/operator.ts'
import { newCorrelationId } from '../../src/ids.ts'
import { type LocalStatus, type ParticipantLevel, tppView } from '../../src/participants/index.ts'
import type { PeerCertificate } from '../../src/tls.ts'
import { peerWith } from '../support/trust-framework.ts'
import {
  activate,
  audit,
  clientId,
  codeOf,
  count,
  create,
  database,
  entriesOf,
  framework,
  participants,
  participantsForEachTest,
  primary,
  register,
  use,
} from './participants-fixture.ts'

participantsForEachTest()

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
      scopes: [
        'openid',
        'accounts',
        'tpp-reports',
        'products',
        'atm',
        'fx',
        'account-opening',
        'payments',
        'confirmation-of-payee',
        'insurance',
      ],
      roles: ['BDSP', 'BSIP', 'ISP'],
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
    use(create('automatic'))
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
