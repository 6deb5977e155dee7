/** What is brought to a collector, and that a collector that is slow, dead or rude costs nothing but its spans. */
import { createServer, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Milliseconds } from '../../src/clock.ts'
import type { TracingConfig } from '../../src/config.ts'
import type { CorrelationId, TenantId } from '../../src/ids.ts'
import { createLog } from '../../src/log.ts'
import { Secret } from '../../src/secret.ts'
import { createSpanExport, type SpanExport, type TracedCall } from '../../src/spans.ts'
import { newSpanId, newTrace, traceOf } from '../../src/trace.ts'

type Request = { readonly authorization: string | undefined; readonly type: string | undefined; readonly body: Body }
type Body = {
  readonly resourceSpans: readonly [
    {
      readonly resource: unknown
      readonly scopeSpans: readonly [{ readonly spans: readonly Record<string, unknown>[] }]
    },
  ]
}
let server: Server
let received: Request[]
let answer: (response: ServerResponse) => void
let spans: SpanExport
beforeEach(async () => {
  received = []
  answer = (response) => response.end('{}')
  server = createServer(async (request, response) => {
    const { authorization, 'content-type': type } = request.headers
    received.push({ authorization, type, body: JSON.parse(await text(request)) as Body })
    answer(response)
  })
  await new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready))
})
afterEach(async () => {
  await spans.close()
  server.closeAllConnections()
  await new Promise((closed) => server.close(closed))
})

const begin = (more: Partial<TracingConfig> = {}) => {
  const tracing: TracingConfig = {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1/traces`,
    ca: null,
    authorization: new Secret('Bearer of-the-hub'),
    ratio: 1,
    queueMax: 100,
    timeoutMs: 2_000 as Milliseconds,
    ...more,
  }
  spans = createSpanExport({ tracing, environment: 'sandbox', log: createLog({ level: 'silent', name: 'test' }) })
  return spans.of('aurora' as TenantId)
}
const call = (more: Partial<TracedCall> = {}): TracedCall => ({
  trace: newTrace(() => true),
  interactionId: 'a-b' as CorrelationId,
  door: 'rs',
  operation: 'GetAccounts',
  status: 200,
  startedAt: performance.now() - 5,
  endedAt: performance.now(),
  parts: [],
  ...more,
})

test('a call is written in the form of OTLP, with its parts below it', async () => {
  const sink = begin()
  const parent = '00f067aa0ba902b7'
  const trace = traceOf(`00-4bf92f3577b34da6a3ce929d0e0e4736-${parent}-01`)
  const now = performance.now()
  const part = { spanId: newSpanId(), parentId: trace.spanId, from: now - 3, to: now - 1, operation: 'findAccounts' }
  const before = BigInt(Date.now()) * 1_000_000n
  sink.take(
    call({
      trace,
      status: 500,
      startedAt: now - 5,
      endedAt: now,
      parts: [{ ...part, name: 'findAccounts', kind: 'client', status: null, isError: true }],
    }),
  )
  await spans.close()
  const [request] = received
  expect(request).toMatchObject({ authorization: 'Bearer of-the-hub', type: 'application/json' })
  const [{ resource, scopeSpans }] = (request as Request).body.resourceSpans
  const text_ = (key: string, stringValue: string) => ({ key, value: { stringValue } })
  expect(resource).toEqual({
    attributes: [text_('service.name', 'falaj'), text_('deployment.environment.name', 'sandbox')],
  })
  const common = [text_('falaj.tenant', 'aurora'), text_('falaj.interaction_id', 'a-b')]
  const times = {
    startTimeUnixNano: expect.stringMatching(/^\d{19}$/),
    endTimeUnixNano: expect.stringMatching(/^\d{19}$/),
  }
  expect(scopeSpans[0].spans).toEqual([
    {
      traceId: trace.traceId,
      spanId: trace.spanId,
      parentSpanId: parent,
      name: 'GetAccounts',
      kind: 2,
      ...times,
      attributes: [
        ...common,
        text_('falaj.operation', 'GetAccounts'),
        { key: 'http.response.status_code', value: { intValue: '500' } },
      ],
      status: { code: 2 },
    },
    {
      traceId: trace.traceId,
      spanId: part.spanId,
      parentSpanId: trace.spanId,
      name: 'findAccounts',
      kind: 3,
      ...times,
      attributes: [...common, text_('falaj.operation', 'findAccounts')],
      status: { code: 2 },
    },
  ])
  const [whole, inner] = scopeSpans[0].spans.map(({ startTimeUnixNano: from, endTimeUnixNano: to }) => [
    BigInt(String(from)),
    BigInt(String(to)),
  ]) as [[bigint, bigint], [bigint, bigint]]
  expect(whole[1] - whole[0]).toBe(5_000_000n)
  expect(inner[1] - inner[0]).toBe(2_000_000n)
  expect(inner[0] - whole[0]).toBe(2_000_000n)
  expect(whole[1] - before).toBeLessThan(10_000_000_000n)
  expect(before - whole[1]).toBeLessThan(10_000_000_000n)
  expect(spans.counts()).toEqual({ exported: 2, dropped: 0 })
})

describe('spans that are not taken are dropped and counted', () => {
  test.each([
    ['refused', (response: ServerResponse) => void response.writeHead(400).end()],
    [
      'sent elsewhere',
      (response: ServerResponse) => void response.writeHead(307, { location: 'http://x.example/' }).end(),
    ],
    ['cut off', (response: ServerResponse) => void response.socket?.destroy()],
    ['kept waiting', () => {}],
  ])('%s', async (_what, answering) => {
    const sink = begin({ timeoutMs: 150 as Milliseconds })
    answer = answering
    sink.take(call())
    await spans.close()
    expect(spans.counts()).toEqual({ exported: 0, dropped: 1 })
    expect(received).toHaveLength(1)
    // The next are brought again.
    answer = (response) => response.end('{}')
    sink.take(call())
    await spans.close()
    expect(spans.counts()).toEqual({ exported: 1, dropped: 1 })
  })

  test('of a collector that is not there', async () => {
    const sink = begin({ endpoint: 'http://127.0.0.1:1/v1/traces' })
    sink.take(call())
    await spans.close()
    expect(spans.counts()).toEqual({ exported: 0, dropped: 1 })
  })

  test('beyond what may wait, while one request at a time is out', async () => {
    const sink = begin({ queueMax: 600 })
    const held: ServerResponse[] = []
    const first = Promise.withResolvers<void>()
    answer = (response) => {
      held.push(response)
      first.resolve()
    }
    // A batch goes out at once when it is full.
    for (let at = 0; at < 512; at += 1) sink.take(call())
    await first.promise
    for (let at = 0; at < 700; at += 1) sink.take(call())
    expect(spans.counts()).toEqual({ exported: 0, dropped: 100 })
    expect(held).toHaveLength(1)
    answer = (response) => response.end('{}')
    held[0]?.end('{}')
    await spans.close()
    expect(spans.counts()).toEqual({ exported: 1_112, dropped: 100 })
    expect(received.map(({ body }) => body.resourceSpans[0].scopeSpans[0].spans.length)).toEqual([512, 512, 88])
  })
})

test('what is kept: as the caller says, otherwise a share that the id decides', () => {
  const id = (last: string) => `4bf92f3577b34da6a3ce${last.padStart(12, '0')}`
  expect(traceOf(`00-${id('1')}-00f067aa0ba902b7-00`, begin({ ratio: 1 }).sampler).flags).toBe('00')
  expect(traceOf(`00-${id('1')}-00f067aa0ba902b7-01`, begin({ ratio: 0 }).sampler).flags).toBe('01')
  const quarter = begin({ ratio: 0.25 }).sampler
  // The last 52 bits as a share of one.
  expect(['0'.repeat(13), '3ffffffffffff', '4000000000000', 'f'.repeat(13)].map(quarter)).toEqual([
    true,
    true,
    false,
    false,
  ])
  const all = Array.from({ length: 2_000 }, () => newTrace(quarter).flags).filter((flags) => flags === '01')
  expect(all.length).toBeGreaterThan(380)
  expect(all.length).toBeLessThan(620)
  expect(newTrace(begin({ ratio: 0 }).sampler).flags).toBe('00')
  expect(newTrace(begin({ ratio: 1 }).sampler).flags).toBe('01')
})
