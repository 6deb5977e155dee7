/** Callers that go on without a pause: consents, tokens, data and payments, through whatever stands before the nodes. */
import { randomUUID } from 'node:crypto'
import { bankUsers } from '../../../sandbox/bank/users.ts'
import { outcomeOf } from '../../auth-server/support/bank.ts'
import type { Json } from '../../auth-server/support/jws.ts'
import { send } from '../../auth-server/support/tpp.ts'
import type { Answer } from '../../auth-server/support/wire.ts'
import type { World } from '../../auth-server/support/world.ts'
import { type Agreed, agree, pay } from '../../loss-proof/support/payment.ts'

type Doors = Readonly<Record<'as' | 'rs' | 'hh' | 'cm', string>>
export type Failure = { readonly what: string; readonly startedAt: number; readonly why: string }
export type Load = {
  readonly failures: Failure[]
  readonly calls: { count: number }
  /** Consents that their TPP holds a token of. */
  readonly shared: { readonly consentId: string; readonly refreshToken: string }[]
  /** Payments that were asked for, and answered in the end. */
  readonly paid: Agreed[]
  stop(): Promise<void>
}

/** Answers of the hub that are no fault of it or its callers. */
const good = (answer: Answer): boolean => answer.status < 400

export function startLoad(world: World, doors: Doors, workers: number): Load {
  const load = { failures: [] as Failure[], calls: { count: 0 }, shared: [] as Load['shared'], paid: [] as Agreed[] }
  let isStopped = false
  /** One call; a failure is noted, and null. */
  const call = async (what: string, asked: () => Promise<Answer>): Promise<Answer | null> => {
    const startedAt = performance.now()
    load.calls.count += 1
    try {
      const answer = await asked()
      if (good(answer)) return answer
      load.failures.push({ what, startedAt, why: `${answer.status} ${answer.text.slice(0, 200)}` })
    } catch (error) {
      load.failures.push({ what, startedAt, why: String(error) })
    }
    return null
  }
  /** As a caller does whose answer was lost: the same once more. */
  const insist = async (what: string, asked: () => Promise<Answer>): Promise<Answer | null> =>
    (await call(what, asked)) ?? (await call(`${what}, again`, asked))

  const { tpp, bank } = world
  const [user] = bankUsers('aurora')
  const share = async (): Promise<void> => {
    const push = tpp.push()
    const pushed = await call('par', () => send({ ...push, url: `${doors.as}/par` }))
    if (pushed === null) return
    const query = new URLSearchParams({ client_id: tpp.clientId, request_uri: String(pushed.json['request_uri']) })
    const begun = await call('GET /auth', () => bank.call(`${doors.hh}/auth?${query}`))
    if (begun === null) return
    const patch = {
      status: 'Authorized',
      'consentBody.Data.Status': 'Authorized',
      authorizationChannel: 'Web',
      psuIdentifiers: { userId: user?.userId },
      accountIds: user?.accountIds,
    }
    const patched = await insist('PATCH consent', () =>
      bank.call(`${doors.cm}/consents/${push.consentId}`, {
        method: 'PATCH',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(patch),
      }),
    )
    if (patched === null) return
    const id = String((begun.json['interaction'] as Json)['interactionId'])
    const confirmed = await insist('doConfirm', () => bank.call(`${doors.hh}/auth/${id}/doConfirm`, { method: 'POST' }))
    const code = confirmed === null ? null : outcomeOf(confirmed).query.get('code')
    if (code === null) return
    const tokens = await insist('token', () => send({ ...tpp.exchange(code, push.verifier), url: `${doors.as}/token` }))
    if (tokens === null) return
    const refreshToken = String(tokens.json['refresh_token'])
    load.shared.push({ consentId: push.consentId, refreshToken })
    await read(String(tokens.json['access_token']))
    const again = await insist('refresh', () => send({ ...tpp.refresh(refreshToken), url: `${doors.as}/token` }))
    if (again !== null) await read(String(again.json['access_token']))
  }
  const read = (token: string) =>
    insist('read', () =>
      tpp.wire.send(`${doors.rs}/open-finance/account-information/v2.1/accounts`, {
        headers: {
          authorization: `Bearer ${token}`,
          accept: 'application/json',
          'x-fapi-interaction-id': randomUUID(),
        },
      }),
    )
  const purchase = async (): Promise<void> => {
    let agreed: Agreed
    const startedAt = performance.now()
    try {
      agreed = await agree(world, doors)
    } catch (error) {
      load.failures.push({ what: 'agreeing to a payment', startedAt, why: String(error) })
      return
    }
    const answer = await insist('payment', () => pay(world, doors, agreed))
    if (answer !== null) load.paid.push(agreed)
  }
  const work = async (worker: number): Promise<void> => {
    for (let turn = worker; !isStopped; turn += 1) await (turn % 3 === 0 ? purchase() : share())
  }
  const working = Array.from({ length: workers }, (_, worker) => work(worker))
  return {
    ...load,
    stop: async () => {
      isStopped = true
      await Promise.all(working)
    },
  }
}
