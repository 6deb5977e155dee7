/** The catalogue of DPoP proofs at the token endpoint and at the gateway, over real connections. */
import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startHub } from '../../src/hub.ts'
import { send } from '../gateway/support/tpp.ts'
import { freePort } from '../support/free-port.ts'
import { type Asked, type Flow, flowOf } from './support/flow.ts'
import { type Json, newPair, type Pair, type ProofDraft, proofFor, signed } from './support/keys.ts'
import { ACCEPTED, type Place, type ProofCase, REFUSED } from './support/proof-cases.ts'
import { createProfileWorld, type ProfileWorld } from './support/world.ts'

const RESOURCE = '/open-finance/account-information/v2.1/account-access-consents'
const QUERY = `?baseConsentId=${randomUUID()}`

let world: ProfileWorld
let flow: Flow
let key: Pair
let accessToken: string
beforeAll(async () => {
  world = await createProfileWorld()
  flow = flowOf(world)
  key = newPair('ES256')
  const proof = await flow.freshProof(world.parties.dpop, key, '/token')
  const { answer } = await flow.token(world.parties.dpop, GRANT, { dpop: proof })
  accessToken = String((answer.json() as Json)['access_token'])
})
afterAll(() => world?.close())

const GRANT = { grant_type: 'client_credentials', scope: 'accounts' } as const
type Door = {
  readonly url: () => string
  readonly draft: (nonce?: string) => ProofDraft
  readonly ask: (dpop: string | readonly string[]) => Promise<Asked>
  /** Status and error of an answer; the body never holds a token of any kind. */
  readonly told: (asked: Asked) => readonly [status: number, error: string | undefined]
}
const challengeOf = ({ answer }: Asked): string => String(answer.headers['www-authenticate'])
const DOORS: Readonly<Record<Place['door'], Door>> = {
  token: {
    url: () => `${world.doors.as.origin}/token`,
    draft: (nonce) => proofFor(key, { method: 'POST', url: `${world.doors.as.origin}/token`, nonce }),
    ask: (dpop) => flow.token(world.parties.dpop, GRANT, { dpop: dpop === '' ? undefined : dpop }),
    told: ({ answer }) => [answer.status, (answer.json() as { readonly error?: string }).error],
  },
  resource: {
    url: () => `${world.doors.rs.origin}${RESOURCE}`,
    draft: (nonce) =>
      proofFor(key, { method: 'GET', url: `${world.doors.rs.origin}${RESOURCE}`, nonce, token: accessToken }),
    ask: async (dpop) => {
      const headers = { authorization: `DPoP ${accessToken}`, ...(dpop === '' ? {} : { dpop }) }
      const answer = await world.call('rs', { path: `${RESOURCE}${QUERY}`, headers })
      const nonce = answer.headers['dpop-nonce']
      return { answer, nonce: typeof nonce === 'string' ? nonce : undefined }
    },
    told: (asked) => [asked.answer.status, /^DPoP error="(\w+)"/.exec(challengeOf(asked))?.[1]],
  },
}
const names = (cases: readonly ProofCase[], door: Place['door']) =>
  cases.filter(({ only }) => only === undefined || only === door).map((each) => [each.name, each] as const)

describe.each(['token', 'resource'] as const)('at the %s endpoint', (at) => {
  const door = DOORS[at]
  const refusal = at === 'token' ? 400 : 401
  const nonceOf = async (): Promise<string> => {
    const { nonce } = await door.ask(signed(door.draft()))
    if (nonce === undefined) throw new Error('no nonce was given')
    return nonce
  }
  let used: string
  beforeAll(async () => {
    used = signed(door.draft(await nonceOf()))
    expect((await door.ask(used)).answer.status).toBe(200)
  })

  test.each(names(REFUSED, at))('refused: %s', async (_name, { send: make, error = 'invalid_dpop_proof' }) => {
    const draft = door.draft(await nonceOf())
    // Moments before, the same proof without the fault would have been good.
    expect((await door.ask(signed({ ...draft, claims: { ...draft.claims, jti: randomUUID() } }))).answer.status).toBe(
      200,
    )
    const asked = await door.ask(make(draft, { door: at, url: door.url(), used }))
    expect(door.told(asked)).toEqual([refusal, error])
    expect(asked.answer.text).not.toMatch(/access_token|ConsentId/)
    if (error === 'use_dpop_nonce') expect(asked.nonce).toMatch(/^[\w-]{43}$/)
  })

  test.each(names(ACCEPTED, at))('accepted: %s', async (_name, { send: make }) => {
    const draft = door.draft(await nonceOf())
    const asked = await door.ask(make(draft, { door: at, url: door.url(), used }))
    expect(asked.answer.status, `${asked.answer.text} ${challengeOf(asked)}`).toBe(200)
  })

  test('one proof at the same instant, many times: exactly one passes', async () => {
    const proof = signed(door.draft(await nonceOf()))
    const answers = await Promise.all(Array.from({ length: 6 }, () => door.ask(proof)))
    expect(answers.map(({ answer }) => answer.status).filter((status) => status === 200)).toHaveLength(1)
  })
})

test('a proof used at one node is used at the other', async () => {
  const port = await freePort()
  const [tenant] = world.config.tenants
  if (tenant === undefined) throw new Error('there is a tenant')
  const rs = { ...tenant.listeners.rs, port }
  const second = {
    ...world.config,
    roles: ['rs'] as const,
    tenants: [{ ...tenant, listeners: { ...tenant.listeners, rs } }],
  }
  const node = await startHub({ config: second, log: world.log })
  const at = (dpop: string) =>
    send(
      { origin: `https://localhost:${port}`, ca: world.ca },
      {
        path: `${RESOURCE}${QUERY}`,
        // Both are behind the one public origin.
        headers: { host: new URL(world.doors.rs.origin).host, authorization: `DPoP ${accessToken}`, dpop },
      },
    )
  try {
    const { nonce } = await DOORS.resource.ask(signed(DOORS.resource.draft()))
    // The nonce of one node is good at the other.
    for (const [first, then] of [
      [at, async (proof: string) => (await DOORS.resource.ask(proof)).answer],
      [async (proof: string) => (await DOORS.resource.ask(proof)).answer, at],
    ] as const) {
      const proof = signed(DOORS.resource.draft(nonce))
      expect((await first(proof)).status).toBe(200)
      expect((await then(proof)).headers['www-authenticate']).toMatch(/error="invalid_dpop_proof".*used before/)
    }
    const proof = signed(DOORS.resource.draft(nonce))
    const statuses = await Promise.all([at(proof), DOORS.resource.ask(proof).then(({ answer }) => answer)])
    expect(statuses.map(({ status }) => status).toSorted()).toEqual([200, 401])
  } finally {
    await node.close()
  }
})
