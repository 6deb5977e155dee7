/** The directory is asked before anybody has to wait, by one node for all; and a directory gone wrong harms nobody. */

import { readFileSync } from 'node:fs'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { afterEach, describe, expect, test } from 'vitest'
import { revokeCertificate } from '../../sandbox/trust-framework/operator.ts'
import type { TenantConfig } from '../../src/config.ts'
import type { ClientId } from '../../src/ids.ts'
import { createLog } from '../../src/log.ts'
import { createParticipants, type Participants } from '../../src/participants/index.ts'
import { peerWith } from '../support/trust-framework.ts'
import {
  activate,
  audit,
  CACHE_SECONDS,
  clientId,
  clock,
  codeOf,
  create,
  database,
  framework,
  participants,
  participantsForEachTest,
  primary,
  register,
  warnings,
} from './participants-fixture.ts'

participantsForEachTest()

const nodes: Participants[] = []
const another = (): Participants => {
  const node = create('manual')
  nodes.push(node)
  return node
}
afterEach(async () => {
  for (const node of nodes.splice(0)) await node.close()
})

describe('in the background', () => {
  test('a record is renewed before it is too old, so that no request waits', async () => {
    await register()
    await activate()
    clock.advance(CACHE_SECONDS * 1000 * 0.59)
    expect(await participants.refreshDue()).toBe(0)
    clock.advance(CACHE_SECONDS * 1000 * 0.22)
    expect(await participants.refreshDue()).toBe(1)
    const asked = framework.looks()
    clock.advance(CACHE_SECONDS * 1000 * 0.5)
    expect((await participants.client(clientId))?.status).toBe('active')
    expect(framework.looks()).toBe(asked)
    // Just renewed, it is not due.
    expect(await another().refreshDue()).toBe(0)
  })

  test('one node asks for all', async () => {
    await register()
    clock.advance(CACHE_SECONDS * 1000 * 0.9)
    const [one, two, three] = [participants, another(), another()]
    const claimed = await Promise.all([one, two, three].map((node) => node.refreshDue()))
    expect(claimed.reduce((sum, each) => sum + each, 0)).toBe(1)
    const asked = framework.looks()
    for (const node of [one, two, three]) await node.client(clientId)
    expect(framework.looks()).toBe(asked)
  })

  test('what one node has learnt counts at the next request of another', async () => {
    await register()
    await activate()
    const other = another()
    const before = await other.client(clientId)
    expect(before && other.certificateStatus(before, primary.thumbprint)).toBe('active')
    await revokeCertificate(framework.operator(), framework.enrolment.tpp.primary.transport.kid)
    clock.advance(CACHE_SECONDS * 1000 * 0.9)
    await participants.refreshDue()
    const after = await other.client(clientId)
    expect(after && other.certificateStatus(after, primary.thumbprint)).toBe('revoked')
  })

  test('a directory that is down is asked again later, and what is known stays', async () => {
    await register()
    await activate()
    await framework.stop()
    clock.advance(CACHE_SECONDS * 1000 * 0.9)
    expect(await participants.refreshDue()).toBe(1)
    expect(warnings.filter((line) => line.includes('directory out of reach'))).toHaveLength(1)
    // Claimed, and not again at once.
    expect(await participants.refreshDue()).toBe(0)
    expect((await participants.client(clientId))?.status).toBe('active')
    await framework.start()
    clock.advance(20_000)
    expect(await participants.refreshDue()).toBe(1)
    expect(await participants.refreshDue()).toBe(0)
  })
})

describe('an application that the directory does not know', () => {
  test('is not asked about again for ten seconds', async () => {
    const { second } = framework.enrolment.tpp
    await framework.start({ forget: [second.clientId as ClientId] })
    const peer = peerWith(second.transport)
    expect(await codeOf(register(peer))).toBe('AccessToken.InvalidScope')
    const asked = framework.looks()
    for (let each = 0; each < 5; each += 1) expect(await codeOf(register(peer))).toBe('AccessToken.InvalidScope')
    expect(framework.looks()).toBe(asked)
    await framework.start({ forget: [] })
    clock.advance(10_000)
    expect(await codeOf(register(peer))).toBe('none')
  })
})

/** Passes the hub's questions on to the real directory, and spoils the answers on the way back. */
async function startSpoiler(spoil: (path: string, text: string) => string | Buffer | number) {
  const { server } = framework.enrolment.directory
  const real = framework.config(CACHE_SECONDS)
  const { Agent, request } = await import('undici')
  const tls = { ca: real.serverCa ?? '', cert: real.certificate, key: real.key.reveal() }
  const agent = new Agent({ connect: tls })
  const answerTo = async (asked: IncomingMessage, answer: ServerResponse): Promise<void> => {
    const path = asked.url ?? ''
    const chunks: Buffer[] = []
    for await (const chunk of asked as AsyncIterable<Buffer>) chunks.push(chunk)
    const base = path.endsWith('.jwks') ? real.keystoreUrl : real.apiUrl
    const { authorization, 'content-type': type } = asked.headers
    const response = await request(`${base}${path}`, {
      dispatcher: agent,
      method: asked.method === 'POST' ? 'POST' : 'GET',
      headers: { ...(authorization ? { authorization } : {}), ...(type ? { 'content-type': type } : {}) },
      body: chunks.length === 0 ? null : Buffer.concat(chunks),
    })
    const text = await response.body.text()
    const spoilt = spoil(path, text)
    if (typeof spoilt === 'number') answer.writeHead(spoilt, { location: `${real.apiUrl}${path}` }).end()
    else answer.writeHead(response.statusCode, { 'content-type': 'application/json' }).end(spoilt)
  }
  const listening = createServer(
    { cert: readFileSync(server.certFile), key: readFileSync(server.keyFile) },
    (asked, answer) => void answerTo(asked, answer).catch(() => answer.destroy()),
  )
  await new Promise<void>((ready) => listening.listen(0, '127.0.0.1', ready))
  const url = `https://localhost:${(listening.address() as AddressInfo).port}`
  const lines: string[] = []
  const spoilt = createParticipants({
    db: database.db,
    tenant: { id: 'aurora', activation: 'manual' } as TenantConfig,
    trustFramework: { ...real, apiUrl: url, tokenUrl: `${url}/token`, keystoreUrl: url },
    audit,
    clock,
    log: createLog({ level: 'warn', name: 'test' }, { write: (line) => void lines.push(line) }),
  })
  return {
    participants: spoilt,
    lines,
    close: async () => {
      await spoilt.close()
      await agent.destroy()
      await new Promise((done) => {
        listening.close(done)
        listening.closeAllConnections()
      })
    },
  }
}

describe('a directory gone wrong', () => {
  const only = (part: string, how: (text: string) => string | Buffer | number) => (path: string, text: string) =>
    path.includes(part) ? how(text) : text
  const FAULTS: readonly [string, (path: string, text: string) => string | Buffer | number][] = [
    ['that is not JSON', only('/organisations/', () => '<html>')],
    ['that is something else', only('/softwarestatements', () => '{"a":1}')],
    [
      'that is of another organisation',
      only('/organisations/', (text) => text.replaceAll(/"OrganisationId":"[^"]+"/g, '"OrganisationId":"x"')),
    ],
    ['that never ends', only('/certificates', () => `[${'{"kid":"x","Status":"Active"},'.repeat(60_000)}{}]`)],
    ['nested without end', only('/roles', () => '['.repeat(500_000))],
    ['that leads elsewhere', only('/organisations/', () => 302)],
    ['that is an error', only('.jwks', () => 503)],
    ['with a token that would be two headers', only('/token', () => '{"access_token":"a\\r\\nx: y","expires_in":600}')],
    ['without a token', only('/token', () => '{"access_token":{},"expires_in":"soon"}')],
    ['that is null', only('/organisations/', () => 'null')],
  ]
  test.each(FAULTS)('with an answer %s leaves what was known', async (_what, spoil) => {
    const before = await register()
    await activate()
    const spoiler = await startSpoiler(spoil)
    clock.advance(CACHE_SECONDS * 1000)
    const after = await spoiler.participants.client(clientId)
    expect(after?.status).toBe('active')
    expect(after?.jwks).toEqual(before.jwks)
    expect(after?.redirectUris).toEqual(before.redirectUris)
    expect(spoiler.lines.join()).toContain('directory out of reach')
    await spoiler.close()
  })

  test('with one bad record loses that one, and says so', async () => {
    const before = await register()
    await activate()
    const spoiler = await startSpoiler((path, text) => {
      if (path.endsWith('.jwks')) {
        const { keys } = JSON.parse(text) as { keys: unknown[] }
        return JSON.stringify({ keys: [...keys, { kty: 'oct', kid: 'x', k: 'c2VjcmV0LXNlY3JldA' }, 7] })
      }
      if (path.endsWith('/certificates')) return JSON.stringify([...(JSON.parse(text) as unknown[]), { kid: 'evil' }])
      return text
    })
    clock.advance(CACHE_SECONDS * 1000)
    const after = await spoiler.participants.client(clientId as ClientId)
    expect(after).toMatchObject({ status: 'active', jwks: before.jwks, certificates: before.certificates })
    expect(spoiler.lines.filter((line) => line.includes('record of the directory refused'))).toHaveLength(3)
    expect(spoiler.lines.join()).not.toContain('c2VjcmV0')
    await spoiler.close()
  })
})
