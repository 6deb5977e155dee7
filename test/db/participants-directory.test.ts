import { describe, expect, test } from 'vitest'
import { revokeCertificate, setSoftwareStatus } from '../../sandbox/trust-framework/operator.ts'
import type { ClientId } from '../../src/ids.ts'
import { peerWith } from '../support/trust-framework.ts'
import {
  activate,
  CACHE_SECONDS,
  clientId,
  clock,
  codeOf,
  framework,
  participants,
  participantsForEachTest,
  primary,
  register,
  warnings,
} from './participants-fixture.ts'

participantsForEachTest()

const MINUTE_MS = 60_000

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
