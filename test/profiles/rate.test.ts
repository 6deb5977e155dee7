/** So many requests a second are a client's, over however many connections, and wherever TLS ends. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Answer } from '../gateway/support/tpp.ts'
import { flowOf } from './support/flow.ts'
import { createProfileWorld, type ProfileWorld } from './support/world.ts'

const OWN = { grant_type: 'client_credentials', scope: 'accounts' }
const AT_ONCE = 30
/** Each client has used one of them at `rs` already, when it registered itself. */
const PER_SECOND = 2

describe.each(['in-process', 'behind-proxy'] as const)('TLS that ends %s', (ends) => {
  let world: ProfileWorld
  beforeAll(async () => {
    world = await createProfileWorld(['uae', 'fapi2'], { ends, limits: { requestsPerSecond: PER_SECOND } })
  }, 120_000)
  afterAll(() => world?.close())

  test.each(['as', 'rs'] as const)('at %s: 429 with Retry-After, for that client alone', async (door) => {
    const { uae, otherUae } = world.parties
    const ask = (certificate = uae.certificate): Promise<Answer> =>
      door === 'as'
        ? flowOf(world)
            .token(uae, OWN, { certificate })
            .then(({ answer }) => answer)
        : world.call('rs', { path: '/open-finance/account-information/v2.1/accounts', certificate })
    // Each on a connection of its own.
    const answers = await Promise.all(Array.from({ length: AT_ONCE }, () => ask()))
    const refused = answers.filter(({ status }) => status === 429)
    expect(refused.length).toBeGreaterThan(AT_ONCE / 2)
    for (const { headers, text } of refused) {
      expect([headers['retry-after'], text]).toEqual(['1', ''])
    }
    expect((await ask(otherUae.certificate)).status).not.toBe(429)
  })
})
