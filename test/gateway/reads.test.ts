import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { ROUTES } from '../../src/gateway/routes.ts'
import type { ResourceName } from '../../src/gateway/transform/resources.ts'
import { SAMPLES } from '../unit/gateway/samples.ts'
import { json } from './support/outside.ts'
import { BASE, createWorld, type World } from './support/world.ts'

let world: World
beforeAll(async () => {
  world = await createWorld()
})
afterAll(() => world.close())

const READS = ROUTES.flatMap((route) => (route.follows === 'read-resource' ? [route] : []))

test.each(READS.map((route) => [route.operationId, route] as const))('%s', async (_name, route) => {
  const consent = await world.consentOf({ accountIds: ['acc-1'] })
  const sample = SAMPLES[route.resource as ResourceName]
  world.lfi.answer = json(200, sample.lfi)
  const answer = await world.get(route.path.replace('{AccountId}', 'acc-1'), await world.userToken(consent))
  expect([answer.status, answer.text]).toEqual([200, expect.any(String)])
  const body = answer.json() as { Data: unknown; Links: unknown }
  expect(body.Links).toEqual({ Self: `${world.tenant.listeners.rs.origin}${BASE}${route.path.replace('{AccountId}', 'acc-1')}` })
})
describe('x', () => {})
