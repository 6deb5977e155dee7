/** A call as a collector of OpenTelemetry gets it: its six stages, the call to the LFI, and nothing that is anybody's. */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import type { Milliseconds } from '../../src/clock.ts'
import type { TenantId } from '../../src/ids.ts'
import { createLog } from '../../src/log.ts'
import { createSpanExport, type SpanExport } from '../../src/spans.ts'
import { SAMPLES } from '../unit/gateway/samples.ts'
import { json } from './support/outside.ts'
import { createWorld, type World } from './support/world.ts'

type Span = {
  readonly traceId: string
  readonly spanId: string
  readonly parentSpanId?: string
  readonly name: string
  readonly kind: number
  readonly startTimeUnixNano: string
  readonly endTimeUnixNano: string
  readonly attributes: readonly { readonly key: string; readonly value: Readonly<Record<string, string>> }[]
  readonly status: { readonly code?: number }
}
const bodies: string[] = []
const collector = createServer(async (request, response) => {
  bodies.push(await text(request))
  response.end('{}')
})
let spans: SpanExport
let world: World
beforeAll(async () => {
  await new Promise<void>((ready) => collector.listen(0, '127.0.0.1', ready))
  const endpoint = `http://127.0.0.1:${(collector.address() as AddressInfo).port}/v1/traces`
  const tracing = {
    endpoint,
    ca: null,
    authorization: null,
    ratio: 0,
    queueMax: 1_000,
    timeoutMs: 5_000 as Milliseconds,
  }
  spans = createSpanExport({ tracing, environment: 'sandbox', log: createLog({ level: 'silent', name: 'test' }) })
  world = await createWorld({ spans: spans.of('aurora' as TenantId) })
})
afterAll(async () => {
  await world.close()
  await spans.close()
  await new Promise((closed) => collector.close(closed))
})
beforeEach(() => {
  bodies.length = 0
  world.lfi.asked.length = 0
  world.lfi.answer = json(200, SAMPLES.balances.lfi)
})

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736'
const PARENT = '00f067aa0ba902b7'
const call = async (flags: string, token?: string) => {
  const consent = await world.consentOf({})
  const bearer = token ?? (await world.userToken(consent))
  const headers = { traceparent: `00-${TRACE}-${PARENT}-${flags}` }
  return { consent, bearer, answer: await world.get('/accounts/acc-1/balances', bearer, { headers }) }
}
/** Everything that has arrived once the call's own spans have. */
const arrivedSpans = async (): Promise<readonly Span[]> => {
  await expect
    .poll(async () => {
      await spans.close()
      return bodies.length
    })
    .toBeGreaterThan(0)
  type Body = { resourceSpans: { scopeSpans: { spans: Span[] }[] }[] }
  return bodies.flatMap((body) =>
    (JSON.parse(body) as Body).resourceSpans.flatMap((each) => each.scopeSpans.flatMap((scope) => scope.spans)),
  )
}
const attributeOf = (span: Span | undefined, key: string) => {
  const found = span?.attributes.find((each) => each.key === key)?.value
  return found?.['stringValue'] ?? found?.['intValue']
}

test('a read: its stages one after another, and the LFI in the fourth under the id that it was told', async () => {
  const { answer, consent, bearer } = await call('01')
  expect(answer.status).toBe(200)
  const [whole, ...parts] = await arrivedSpans()
  expect(whole).toMatchObject({ traceId: TRACE, parentSpanId: PARENT, name: 'GetAccountsAccountIdBalances', kind: 2 })
  expect(attributeOf(whole, 'http.response.status_code')).toBe('200')
  const stages = parts.filter(({ kind }) => kind === 1)
  expect(stages.map(({ name }) => name)).toEqual([
    'arrived',
    'identified',
    'permitted',
    'asked',
    'answered',
    'recorded',
  ])
  expect(stages.every(({ parentSpanId }) => parentSpanId === whole?.spanId)).toBe(true)
  expect(stages[0]?.startTimeUnixNano).toBe(whole?.startTimeUnixNano)
  for (const [at, stage] of stages.entries()) {
    if (at > 0) expect(stage.startTimeUnixNano).toBe(stages[at - 1]?.endTimeUnixNano)
    expect(BigInt(stage.endTimeUnixNano) >= BigInt(stage.startTimeUnixNano)).toBe(true)
  }
  const [lfi, ...more] = parts.filter(({ kind }) => kind === 3)
  expect(more).toEqual([])
  expect(lfi).toMatchObject({ name: 'findBalancesByAccountId', parentSpanId: stages[3]?.spanId, status: {} })
  expect(world.lfi.asked[0]?.headers['traceparent']).toBe(`00-${TRACE}-${lfi?.spanId}-01`)
  // A name, a number or an interaction: no more than that.
  const keys = new Set([whole, ...parts].flatMap((span) => span?.attributes.map(({ key }) => key)))
  expect([...keys].sort()).toEqual([
    'falaj.interaction_id',
    'falaj.operation',
    'falaj.tenant',
    'http.response.status_code',
  ])
  for (const secret of [consent.id, consent.grantId, world.one.clientId, world.one.organisationId, bearer, 'acc-1']) {
    expect(bodies.join()).not.toContain(secret)
  }
})

test('a refusal ends where it fell, and a fault of the LFI is one', async () => {
  expect((await call('01', 'nonsense')).answer.status).toBe(401)
  const refused = await arrivedSpans()
  expect(refused.map(({ name }) => name)).toEqual([
    'GetAccountsAccountIdBalances',
    'arrived',
    'identified',
    'answered',
    'recorded',
  ])
  expect(refused[0]?.status).toEqual({})

  bodies.length = 0
  world.lfi.answer = json(503, {})
  expect((await call('01')).answer.status).toBe(500)
  const failed = await arrivedSpans()
  expect(failed.filter(({ status }) => status.code === 2).map(({ kind }) => kind)).toEqual([2, 3])
})

test('what the caller does not want to have kept is not, and the LFI is told so', async () => {
  await call('00')
  await call('01')
  const kept = await arrivedSpans()
  expect(kept.filter(({ kind }) => kind === 2)).toHaveLength(1)
  expect(world.lfi.asked.map(({ headers }) => String(headers['traceparent']).slice(-2))).toEqual(['00', '01'])
})
