/** The caller's trace reaches the LFI, under a span of the hub's. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { SAMPLES } from '../unit/gateway/samples.ts'
import { json } from './support/outside.ts'
import { createWorld, type World } from './support/world.ts'

let world: World
beforeAll(async () => {
  world = await createWorld()
  world.lfi.answer = json(200, SAMPLES.balances.lfi)
})
afterAll(() => world.close())

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736'
async function seenBy(headers: Readonly<Record<string, string>>): Promise<string> {
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

test('without one, or with one that is malformed, the hub begins a trace', async () => {
  const [none, malformed] = [await seenBy({}), await seenBy({ traceparent: `00-${TRACE}` })]
  for (const seen of [none, malformed]) expect(seen).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-00$/)
  expect(none).not.toBe(malformed)
})
