/**
 * Persistence as the engine wants it. Within a unit of work its records are gathered there; anywhere else each is
 * written at once. Which of them are secrets, and what guards their single use, is said in engine-records.ts.
 */
import type { Adapter, AdapterPayload } from 'oidc-provider'
import { epochSeconds, toInstant } from '../clock.ts'
import { type EngineRow, fileId, isSecret, type Records, type RecordsDeps, recordsIn } from './engine-records.ts'
import { ANSWER_KEPT_SECONDS } from './kept-answers.ts'
import { currentUnit } from './unit-of-work.ts'

const MODELS: ReadonlySet<string> = new Set([
  'PushedAuthorizationRequest',
  'AuthorizationCode',
  'RefreshToken',
  'Interaction',
  'Grant',
  'ReplayDetection',
])

export type FindClient = (clientId: string) => Promise<AdapterPayload | undefined>
export type AdapterFactory = (model: string) => Adapter
export type AdapterDeps = RecordsDeps & { readonly findClient: FindClient; readonly requestUriSeconds: number }

export function createAdapterFactory(deps: AdapterDeps): AdapterFactory {
  const atOnce = recordsIn(deps)
  const records = (): Records => currentUnit() ?? atOnce
  return (model) => {
    if (model === 'Client') return { ...refusing(model), find: deps.findClient }
    // There is no browser at the hub, so there is no session to keep (authorization-server 6.5).
    if (model === 'Session')
      return { ...refusing(model), find: async () => undefined, upsert: async () => {}, destroy: async () => {} }
    return MODELS.has(model) ? stored(model, deps, records) : refusing(model)
  }
}

function stored(model: string, { clock, requestUriSeconds }: AdapterDeps, records: () => Records): Adapter {
  const isPushed = model === 'PushedAuthorizationRequest'
  return {
    ...refusing(model),
    upsert: async (id, given, expiresIn) => {
      const expiresAt = new Date(clock.now() + (isPushed ? requestUriSeconds : (expiresIn ?? 0)) * 1000)
      const row: EngineRow = {
        model,
        id: fileId(model, id),
        payload: asStored({
          ...given,
          ...(isSecret(model) ? { jti: undefined } : {}),
          ...(isPushed ? { exp: Math.floor(expiresAt.getTime() / 1000) } : {}),
        }),
        grantId: model === 'Grant' ? id : (given.grantId ?? null),
        expiresAt,
        consumedAt: null,
      }
      if (model === 'ReplayDetection') await records().useOnce(row)
      else await records().put(row)
    },
    find: async (id) => {
      const row = await records().find(model, fileId(model, id))
      if (row === null) return undefined
      return {
        ...asStored(row.payload),
        ...(isSecret(model) ? { jti: id } : {}),
        ...(row.consumedAt === null ? {} : consumedMembers(row, row.consumedAt)),
      }
    },
    consume: (id) => records().consume(model, fileId(model, id)),
    destroy: (id) => (model === 'Grant' ? records().endGrant(id) : records().remove(model, fileId(model, id))),
    revokeByGrantId: (grantId) => records().removeUnder(model, grantId),
  }
}

/** Without members that are undefined, so that a secret is not in the row; and nobody else's to change. */
const asStored = (payload: AdapterPayload): AdapterPayload => JSON.parse(JSON.stringify(payload)) as AdapterPayload

/**
 * To the engine a code that has run out is no more than that, used or not. Told of its use instead, it ends what came
 * of the code, and whoever has not had the answer gets it, for as long as the answer is kept.
 */
function consumedMembers({ model, payload }: EngineRow, consumedAt: Date): Partial<AdapterPayload> {
  const consumed = epochSeconds(toInstant(consumedAt))
  if (model !== 'AuthorizationCode') return { consumed }
  return { consumed, exp: Math.max(payload.exp ?? 0, consumed + ANSWER_KEPT_SECONDS) }
}

/** JWT access tokens are not stored; an opaque one must not slip in. */
function refusing(model: string): Adapter {
  const refuse = () => Promise.reject(new Error(`${model} is not stored`))
  return {
    upsert: refuse,
    find: async () => undefined,
    findByUid: async () => undefined,
    findByUserCode: async () => undefined,
    consume: refuse,
    destroy: refuse,
    revokeByGrantId: async () => {},
  }
}
