/** Public keys of callers, by the address that their certificate's subject gives (lfi-api 4.3). */
import { type CryptoKey, importJWK, type JWK } from 'jose'
import { type Dispatcher, request } from 'undici'

export type Keystore = {
  /** The key with this id; `null` when the holder has published none such. */
  key(organisationId: string, commonName: string, kid: string): Promise<CryptoKey | null>
}

/** The contract's limit for a cached key set. */
const KEPT_MS = 10 * 60_000
/** An unknown key id causes one look at a fresh set, but no flood of them. */
const REFETCH_PAUSE_MS = 5_000
const KEY_SETS_MAX = 64
const TIMEOUT_MS = 5_000

type Kept = { readonly fetchedAt: number; readonly keys: readonly JWK[] }

export function createKeystore(deps: {
  readonly origin: string
  readonly dispatcher: Dispatcher
  readonly now: () => number
}): Keystore {
  const kept = new Map<string, Kept>()

  async function fetchSet(url: string): Promise<Kept> {
    const answer = await request(url, {
      dispatcher: deps.dispatcher,
      headersTimeout: TIMEOUT_MS,
      bodyTimeout: TIMEOUT_MS,
      headers: { accept: 'application/json' },
    })
    const body: unknown = answer.statusCode === 200 ? await answer.body.json() : await answer.body.dump()
    const set = { fetchedAt: deps.now(), keys: keysOf(body) }
    if (kept.size >= KEY_SETS_MAX) kept.clear()
    kept.set(url, set)
    return set
  }

  return {
    async key(organisationId, commonName, kid) {
      const url = `${deps.origin}/${encodeURIComponent(organisationId)}/${encodeURIComponent(commonName)}/application.jwks`
      const known = kept.get(url)
      const age = known === undefined ? Number.POSITIVE_INFINITY : deps.now() - known.fetchedAt
      let set = known === undefined || age > KEPT_MS ? await fetchSet(url) : known
      if (find(set, kid) === undefined && age > REFETCH_PAUSE_MS && set === known) set = await fetchSet(url)
      const jwk = find(set, kid)
      if (jwk === undefined) return null
      const key = await importJWK(jwk, 'PS256')
      return key instanceof Uint8Array ? null : key
    },
  }
}

const find = (set: Kept, kid: string): JWK | undefined =>
  set.keys.find((key) => key.kid === kid && key.kty === 'RSA' && key.use !== 'enc')

function keysOf(body: unknown): readonly JWK[] {
  const keys = typeof body === 'object' && body !== null && 'keys' in body ? body.keys : undefined
  return Array.isArray(keys) ? keys.filter((key): key is JWK => typeof key === 'object' && key !== null) : []
}
