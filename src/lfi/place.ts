/**
 * The LFI at the addresses that are in force. Where one of them changes, calls that are out end where they began, and
 * every later one goes to the new place, over connections and with breakers that know nothing of the old.
 */
import type { Clock } from '../clock.ts'
import type { TenantConfig } from '../config.ts'
import { type Endpoint, type EndpointName, type InForce, withEndpoints } from '../endpoints/index.ts'
import type { FetchGuard } from '../fetch-guard.ts'
import { LFI_CLASSES, type LfiClass } from '../lfi-operations.ts'
import type { LfiAuthorization } from './authorization.ts'
import { type Breaker, createBreaker } from './breaker.ts'
import { connectionsOf, longestOf } from './budget.ts'
import { createWire, type Wire } from './exchange.ts'
import { createLfiAuthorization } from './lfi-auth.ts'

/** To the systems behind one class of operations. */
export type Line = { readonly wire: Wire; readonly breaker: Breaker }
export type Place = {
  readonly lines: Readonly<Record<LfiClass, Line>>
  readonly authorization: LfiAuthorization
}
export type Places = {
  now(): Place
  /** The same place from the first byte of `work` to its end. */
  during<T>(work: (place: Place) => Promise<T>): Promise<T>
  close(): Promise<void>
}

export type PlacesDeps = {
  readonly tenant: TenantConfig
  readonly clock: Clock
  readonly endpoints: InForce
  /** Of connections to addresses that the configuration does not name. */
  readonly guard: FetchGuard
}

type Held = { readonly place: Place; readonly of: string; underWay: number }

export function createPlaces({ tenant, clock, endpoints, guard }: PlacesDeps): Places {
  const build = (inForce: readonly Endpoint[]): Place => {
    const { lfi } = withEndpoints(tenant, inForce)
    const guardOf = (name: EndpointName): FetchGuard | null =>
      inForce.find((each) => each.name === name)?.from === 'stored' ? guard : null
    const to = { baseUrl: lfi.ozoneConnectUrl, guard: guardOf('ozone-connect') }
    const lineTo = (named: LfiClass): Line => {
      const limits = { connections: connectionsOf(lfi, named), timeoutMs: longestOf(lfi, named) }
      return { wire: createWire(lfi, to, limits, clock), breaker: createBreaker(clock) }
    }
    return {
      lines: Object.fromEntries(LFI_CLASSES.map((named) => [named, lineTo(named)])) as Record<LfiClass, Line>,
      authorization: createLfiAuthorization(lfi, { clock, guard: guardOf('token') }),
    }
  }
  const hold = (inForce: readonly Endpoint[]): Held => ({ place: build(inForce), of: calledIn(inForce), underWay: 0 })
  const left = new Set<Held>()
  let seen = endpoints.now()
  let held = hold(seen)

  const leave = async (old: Held): Promise<void> => {
    left.delete(old)
    await closeOf(old.place)
  }
  const current = (): Held => {
    const inForce = endpoints.now()
    if (inForce === seen) return held
    seen = inForce
    if (calledIn(inForce) === held.of) return held
    left.add(held)
    if (held.underWay === 0) void leave(held)
    held = hold(inForce)
    return held
  }
  return {
    now: () => current().place,
    during: async (work) => {
      const at = current()
      at.underWay += 1
      try {
        return await work(at.place)
      } finally {
        at.underWay -= 1
        if (at.underWay === 0 && left.has(at)) void leave(at)
      }
    },
    close: async () => {
      await Promise.all([held, ...left].map(({ place }) => closeOf(place)))
    },
  }
}

/** What the hub itself connects to; the page is for people. */
const calledIn = (inForce: readonly Endpoint[]): string =>
  inForce.flatMap(({ name, url, from }) => (name === 'authorization' ? [] : [`${name} ${from} ${url}`])).join(' ')

const closeOf = async ({ lines, authorization }: Place): Promise<void> => {
  await Promise.all([...Object.values(lines).map(({ wire }) => wire.close()), authorization.close()])
}
