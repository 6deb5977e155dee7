/** One engine follows another when the keys change: whoever holds the engine notices nothing but the keys. */
import { Provider } from 'oidc-provider'
import { beforeEach, describe, expect, test } from 'vitest'
import { engineOf } from '../../src/auth-server/engine.ts'
import { privateJwk, type SigningKey } from '../../src/jose.ts'
import { fixedKeyRing, type KeyRing, type KeySnapshot } from '../../src/keys/index.ts'
import { newRsaKey } from './support/store.ts'

const KEYS = ['one', 'two'].map(newRsaKey)
const snapshotWith = (key: SigningKey): KeySnapshot => fixedKeyRing({ signing: [key], encryption: [] }).now()
const [one, two] = KEYS.map(snapshotWith)
if (one === undefined || two === undefined) throw new Error('two keys were made')

let now: KeySnapshot = one
let built: Provider[] = []
const ring: KeyRing = { now: () => now, verifying: async () => null, close: async () => {} }
const build = ({ signing }: KeySnapshot): Provider => {
  const provider = new Provider('https://auth.example', {
    jwks: { keys: signing.map((key) => privateJwk(key, 'sig')) } as never,
    // Nothing is stored here.
    adapter: (() => ({})) as never,
    features: { devInteractions: { enabled: false } },
  })
  built.push(provider)
  return provider
}
beforeEach(() => {
  now = one
  built = []
})

describe('the engine', () => {
  test('is built once for the same keys, and once more for others', () => {
    const engine = engineOf(ring, build)
    for (let use = 0; use < 3; use += 1) engine.cookieName('interaction')
    expect(built.length).toBe(1)
    now = two
    expect(engine.Grant).toBe(built[1]?.Grant)
    expect(engine.Grant).not.toBe(built[0]?.Grant)
    engine.cookieName('resume')
    expect(built.length).toBe(2)
  })

  test('has classes to make things of, and methods that know their own', () => {
    const engine = engineOf(ring, build)
    expect(engine).toBeInstanceOf(Provider)
    expect(new engine.Grant({ clientId: 'c', accountId: 'a' }).clientId).toBe('c')
    expect(typeof engine.Interaction.find).toBe('function')
    expect(engine.cookieName('interaction')).toBe('_interaction')
    const { cookieName } = engine
    expect(cookieName('resume')).toBe('_interaction_resume')
  })

  test('tells its listeners, whichever engine it is', () => {
    const engine = engineOf(ring, build)
    const heard: string[] = []
    engine.on('server_error', (_ctx, error) => heard.push(error.message))
    now = two
    engine.cookieName('interaction')
    for (const [index, each] of built.entries()) each.emit('server_error', {}, new Error(`from ${index}`))
    expect(heard).toEqual(['from 0', 'from 1'])
  })

  test('that cannot be built is asked for again, and the one before does not go on with its keys', () => {
    let isBroken = false
    const engine = engineOf(ring, (keys) => {
      if (isBroken) throw new Error('no engine for these keys')
      return build(keys)
    })
    isBroken = true
    now = two
    expect(() => engine.Grant).toThrow('no engine for these keys')
    isBroken = false
    expect(engine.Grant).toBe(built[1]?.Grant)
  })
})
