/** Published keys of applications that are no TPPs: the LFI's own callers at `hh` and `cm` (lfi-api 4.3). */
import type { Clock } from '../clock.ts'
import { HubError } from '../errors.ts'
import type { JWK } from '../jose.ts'
import type { Log } from '../log.ts'
import type { Directory } from './directory.ts'

/** A `wanted` key id that is not among the known keys may be a new one: they are fetched again, but not for ever. */
export type ApplicationKeys = (organisationId: string, application: string, wanted?: string) => Promise<readonly JWK[]>

type Known = { readonly keys: readonly JWK[]; readonly at: number }

/** lfi-api 4.3: keys are cached for ten minutes at most, also when the keystore cannot be asked. */
const BELIEVED_AT_MOST_MS = 600_000
const REFETCH_AT_MOST_EVERY_MS = 10_000
const APPLICATIONS_MAX = 100

export function createApplicationKeys(deps: {
  readonly directory: Pick<Directory, 'keys'>
  readonly cacheMs: number
  readonly clock: Clock
  readonly log: Log
}): ApplicationKeys {
  const cacheMs = Math.min(deps.cacheMs, BELIEVED_AT_MOST_MS)
  const known = new Map<string, Known>()
  const running = new Map<string, Promise<readonly JWK[]>>()
  const ageOf = ({ at }: Known): number => deps.clock.now() - at

  const isGood = (found: Known, wanted: string | undefined): boolean => {
    if (ageOf(found) >= cacheMs) return false
    const isThere = wanted === undefined || found.keys.some((key) => key.kid === wanted)
    return isThere || ageOf(found) < REFETCH_AT_MOST_EVERY_MS
  }

  const fetch = async (name: string, organisationId: string, application: string): Promise<readonly JWK[]> => {
    const keys = (await deps.directory.keys(organisationId, application)) ?? []
    if (known.size >= APPLICATIONS_MAX) known.clear()
    known.set(name, { keys, at: deps.clock.now() })
    return keys
  }

  return async (organisationId, application, wanted) => {
    const name = `${organisationId}/${application}`
    const found = known.get(name)
    if (found !== undefined && isGood(found, wanted)) return found.keys
    const started = running.get(name) ?? fetch(name, organisationId, application).finally(() => running.delete(name))
    running.set(name, started)
    try {
      return await started
    } catch (cause) {
      deps.log.warn({ err: cause, organisationId, application }, 'keystore out of reach')
      if (found !== undefined && ageOf(found) < BELIEVED_AT_MOST_MS) return found.keys
      throw new HubError('GenericRecoverableError', { detail: 'the keystore is out of reach', cause })
    }
  }
}
