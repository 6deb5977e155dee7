/**
 * The load of the authorization benchmark, in a process of its own: so many callers, each with one call in flight, and
 * a fixed number of calls, because everything signed is made beforehand.
 */
import { type Journey, openJourney, type Target } from './auth-journey.ts'
import { type Asked, lfiSigner, tppSigner } from './auth-signed.ts'

export type Operation = 'PAR' | 'token, code' | 'token, refresh' | 'token, client credentials' | 'complete flow'
export type AuthLoadSettings = {
  readonly operation: Operation
  readonly target: Target
  readonly callers: number
  /** Of `count` calls this many are not measured. */
  readonly warmUp: number
  readonly count: number
}
export type AuthLoadResult = {
  readonly calls: number
  readonly seconds: number
  readonly p50: number
  readonly p99: number
  /** Mean milliseconds of each step of the complete flow. */
  readonly steps: Readonly<Record<string, number>>
}

type Work = () => Promise<unknown>
type Prepared = { readonly asked: Asked; readonly jwts: readonly (string | null)[] }

const REFRESH_TOKENS = 16
const settings = JSON.parse(process.argv[2] ?? '{}') as AuthLoadSettings
const { target, callers, warmUp } = settings
const journey: Journey = openJourney(target, callers)
const tpp = tppSigner(target.tpp, target.issuer)
const jwtAuth = target.lfi.jwtAuth === null ? async () => null : lfiSigner(target.lfi.jwtAuth)
const steps = new Map<string, { readonly total: number; readonly times: number }>()

const many = <T>(times: number, make: (index: number) => Promise<T>): Promise<T[]> =>
  Promise.all(Array.from({ length: times }, (_, index) => make(index)))

async function inTurn(work: readonly Work[], before: (index: number) => void = () => {}): Promise<void> {
  let next = 0
  const caller = async (): Promise<void> => {
    for (let index = next++; index < work.length; index = next++) {
      before(index)
      await work[index]?.()
    }
  }
  await many(callers, caller)
}

async function step<T>(name: string, work: () => Promise<T>): Promise<T> {
  const began = performance.now()
  const result = await work()
  const known = steps.get(name) ?? { total: 0, times: 0 }
  steps.set(name, { total: known.total + performance.now() - began, times: known.times + 1 })
  return result
}

const prepared = async (): Promise<Prepared> => ({ asked: await tpp.ask(), jwts: await many(3, jwtAuth) })

async function toCode({ asked, jwts: [begin = null, patch = null, confirm = null] }: Prepared): Promise<string> {
  const requestUri = await step('PAR', () => journey.par(asked))
  const interactionId = await step('GET /auth', () => journey.begin(requestUri, begin))
  if (target.cm !== null) await step('PATCH', () => journey.authorize(asked.consentId, patch))
  return step('doConfirm', () => journey.confirm(interactionId, confirm))
}

const exchangeForm = () => tpp.form({ grant_type: 'authorization_code', redirect_uri: target.tpp.redirectUri })
const exchange = (form: string, code: string, { verifier }: Asked): string =>
  `${form}&${new URLSearchParams({ code, code_verifier: verifier })}`

/** Token requests with codes, each of which is good once and for a minute. */
async function exchanges(count: number): Promise<string[]> {
  const bodies: string[] = []
  const all = await many(count, async () => ({ ...(await prepared()), form: await exchangeForm() }))
  await inTurn(all.map((each) => async () => bodies.push(exchange(each.form, await toCode(each), each.asked))))
  return bodies
}

async function refreshes(count: number): Promise<string[]> {
  const tokens = await many(REFRESH_TOKENS, async () => {
    const [body = ''] = await exchanges(1)
    return String((await journey.token(body))['refresh_token'])
  })
  return many(count, (index) =>
    tpp.form({ grant_type: 'refresh_token', refresh_token: tokens[index % REFRESH_TOKENS] ?? '' }),
  )
}

const WORK: Readonly<Record<Operation, (count: number) => Promise<readonly Work[]>>> = {
  PAR: async (count) => (await many(count, tpp.ask)).map((asked) => () => journey.par(asked)),
  'token, code': async (count) => (await exchanges(count)).map((body) => () => journey.token(body)),
  'token, refresh': async (count) => (await refreshes(count)).map((body) => () => journey.token(body)),
  'token, client credentials': async (count) => {
    const bodies = await many(count, () => tpp.form({ grant_type: 'client_credentials', scope: 'accounts' }))
    return bodies.map((body) => () => journey.token(body))
  },
  'complete flow': async (count) => {
    const all = await many(count, async () => ({ ...(await prepared()), form: await exchangeForm() }))
    return all.map((each) => async () => {
      const code = await toCode(each)
      await step('token', () => journey.token(exchange(each.form, code, each.asked)))
    })
  },
}

const latencies: number[] = []
const timed = (work: Work): Work => {
  return async () => {
    const began = performance.now()
    await work()
    latencies.push(performance.now() - began)
  }
}
const work = await WORK[settings.operation](settings.count)
let began = 0
await inTurn(work.map(timed), (index) => {
  if (index !== warmUp) return
  steps.clear()
  latencies.length = 0
  process.send?.('measuring')
  began = performance.now()
})
const seconds = (performance.now() - began) / 1000
await journey.close()
latencies.sort((one, other) => one - other)
const at = (share: number): number => latencies[Math.floor(latencies.length * share)] ?? Number.NaN
const result: AuthLoadResult = {
  calls: latencies.length,
  seconds,
  p50: at(0.5),
  p99: at(0.99),
  steps: Object.fromEntries([...steps].map(([name, { total, times }]) => [name, total / times])),
}
process.send?.(result, () => process.exit(0))
