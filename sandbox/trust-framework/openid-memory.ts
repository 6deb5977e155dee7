/** What the OpenID provider remembers, for as long as it runs: logins of people begin anew with it. */
import type { Adapter, AdapterPayload } from 'oidc-provider'

type Kept = { payload: AdapterPayload; readonly until: number }

const KEPT_MAX = 10_000
const KEPT_SECONDS = 3600

export function openIdMemory(): (name: string) => Adapter {
  const kept = new Map<string, Kept>()
  const live = (matches: (key: string, payload: AdapterPayload) => boolean): AdapterPayload | undefined => {
    for (const [key, { payload, until }] of kept) if (until > Date.now() && matches(key, payload)) return payload
    return undefined
  }
  return (name) => {
    const keyOf = (id: string): string => `${name}:${id}`
    return {
      upsert: async (id, payload, expiresIn) => {
        // The oldest are first, and the first to go.
        for (const [key, { until }] of kept) if (until <= Date.now() || kept.size >= KEPT_MAX) kept.delete(key)
        kept.set(keyOf(id), { payload, until: Date.now() + (expiresIn ?? KEPT_SECONDS) * 1000 })
      },
      find: async (id) => live((key) => key === keyOf(id)),
      findByUid: async (uid) => live((key, payload) => key.startsWith(`${name}:`) && payload.uid === uid),
      findByUserCode: async () => undefined,
      consume: async (id) => {
        const found = kept.get(keyOf(id))
        if (found !== undefined) found.payload = { ...found.payload, consumed: Math.floor(Date.now() / 1000) }
      },
      destroy: async (id) => {
        kept.delete(keyOf(id))
      },
      revokeByGrantId: async (grantId) => {
        for (const [key, { payload }] of kept) if (payload.grantId === grantId) kept.delete(key)
      },
    }
  }
}
