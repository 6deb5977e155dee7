/** The caller's trace reaches the LFI, under a span of the hub's. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { ConsentActionsConfig } from '../../src/config.ts'
import { newCorrelationId } from '../../src/ids.ts'
import { createConsentActions } from '../../src/lfi/index.ts'
import { traceOf } from '../../src/trace.ts'
import { SAMPLES } from '../unit/gateway/samples.ts'
import { json } from './support/outside.ts'
import {
  createBank,
  createPayer,
  FILE,
  filePaymentOf,
  PAY_BASE,
  paymentConsent,
  schedules,
} from './support/payments.ts'
import { callService } from './support/signed.ts'
import { createWorld, type World } from './support/world.ts'

let world: World
beforeAll(async () => {
  world = await createWorld()
})
afterAll(() => world.close())

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736'
async function seenBy(headers: Readonly<Record<string, string>>): Promise<string> {
  world.lfi.answer = json(200, SAMPLES.balances.lfi)
  const token = await world.userToken(await world.consentOf({}))
  expect((await world.get('/accounts/acc-1/balances', token, { headers })).status).toBe(200)
  const seen = world.lfi.asked.at(-1)?.headers
  expect(seen?.['tracestate']).toBeUndefined()
  return String(seen?.['traceparent'])
}

test('a trace goes on to the LFI, its span and its vendors stay behind', async () => {
  const seen = await seenBy({ traceparent: `00-${TRACE}-00f067aa0ba902b7-01`, tracestate: 'vendor=secret' })
  expect(seen).toMatch(new RegExp(`^00-${TRACE}-[0-9a-f]{16}-01$`))
  expect(seen).not.toContain('00f067aa0ba902b7')
})

test('every call of every family is told the trace, each under a span of its own, and the probe for health one of its own', async () => {
  const headers = { traceparent: `00-${TRACE}-00f067aa0ba902b7-01` }
  const asked = world.lfi.asked
  asked.length = 0
  const payer = createPayer(world)
  const bank = createBank()
  world.lfi.answer = (one, response) =>
    (one.url.includes('payment') ? bank.answer : json(one.url.endsWith('/file') ? 204 : 200, {}))(one, response)
  const single = await paymentConsent(world, schedules().single)
  const file = await paymentConsent(world, schedules().file)
  const token = await payer.clientToken()
  const interaction = {
    correlationId: newCorrelationId(),
    correlationGiven: false,
    trace: traceOf(headers.traceparent),
  }

  // Payments.
  await payer.pay(single, undefined, { headers })
  const id = bank.ledger[0]?.id
  await payer.get(`/payments/${id}`, headers)
  await payer.get(`/payment-consents/${single.id}/refund`, headers)
  await world.call({
    method: 'POST',
    path: `${PAY_BASE}/payment-consents/${file.id}/file`,
    headers: { ...headers, authorization: `Bearer ${token}`, 'x-idempotency-key': 'f', 'content-type': 'text/csv' },
    body: FILE,
  })
  await payer.pay(file, filePaymentOf(file), { headers, path: '/file-payments' })
  await payer.get(`/file-payments/${bank.ledger[1]?.id}/report`, headers)
  // Services.
  for (const [scope, path] of [
    ['products', '/product/v2.1/products'],
    ['atm', '/atm/v2.1/atms'],
  ] as const) {
    const service = { method: 'GET', path: `/open-finance${path}`, scope, as: 'none' } as const
    await callService(world, service, undefined, { headers })
  }
  // Reads.
  await world.get('/accounts', await world.userToken(await world.consentOf({})), { headers })
  // Consents.
  const types = ['service-initiation'] as const
  const limits = {
    validateTimeoutMs: 900,
    augmentTimeoutMs: 900,
    eventTimeoutMs: 900,
  } as unknown as ConsentActionsConfig
  const consentActions = {
    ...limits,
    validate: types,
    augment: types,
    events: types,
    validateFailure: 'accept',
  } as const
  const actions = createConsentActions({
    ...world,
    tenant: { ...world.tenant, lfi: { ...world.tenant.lfi, consentActions } },
  })
  const consent = await world.consents.find(file.id)
  if (consent === null) throw new Error('no consent')
  await actions.review(consent, interaction, new AbortController().signal)
  await actions.tell('post', consent, interaction)

  expect(
    asked.map(
      ({ method, url }) => `${method} ${url.replace(/\?.*/, '').replaceAll(/[\w-]*[0-9a-f]{8}-[\w-]{27}/g, '…')}`,
    ),
  ).toEqual([
    'POST /oc/payments',
    'GET /oc/payments/…',
    'GET /oc/payment-consents/…/refund',
    'POST /oc/payment-consents/…/file',
    'POST /oc/payments',
    'GET /oc/payments/…/report-file',
    'GET /oc/products',
    'GET /oc/atm',
    'GET /oc/accounts',
    'POST /oc/consent/action/validate',
    'POST /oc/consent/action/augment',
    'POST /oc/payment-consents',
    'POST /oc/consent/event/post',
  ])
  const told = asked.map((one) => String(one.headers['traceparent']))
  for (const each of told) expect(each).toMatch(new RegExp(`^00-${TRACE}-[0-9a-f]{16}-01$`))
  expect(new Set(told).size).toBe(told.length)

  asked.length = 0
  await world.gateway.hello('/hello')
  await world.gateway.hello('/hello-mtls')
  for (const one of asked) expect(one.headers['traceparent']).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-00$/)
  expect(asked).toHaveLength(2)
})

test('without one, or with one that is malformed, the hub begins a trace', async () => {
  const [none, malformed] = [await seenBy({}), await seenBy({ traceparent: `00-${TRACE}` })]
  for (const seen of [none, malformed]) expect(seen).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-00$/)
  expect(none).not.toBe(malformed)
})
