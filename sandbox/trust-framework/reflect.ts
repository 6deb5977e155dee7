/**
 * @peculiar/x509 resolves its algorithms through tsyringe, which refuses to load without a metadata reflection API.
 * These are the three functions it calls; a full polyfill, loaded earlier, is left alone. Import this before x509.
 */
type Metadata = Map<unknown, unknown>

const store = new WeakMap<object, Metadata>()

function getMetadata(key: unknown, target: object): unknown {
  for (let holder: object | null = target; holder !== null; holder = Object.getPrototypeOf(holder)) {
    if (store.get(holder)?.has(key)) return store.get(holder)?.get(key)
  }
  return undefined
}

function getOwnMetadata(key: unknown, target: object): unknown {
  return store.get(target)?.get(key)
}

function defineMetadata(key: unknown, value: unknown, target: object): void {
  store.set(target, (store.get(target) ?? new Map()).set(key, value))
}

if (!('getMetadata' in Reflect)) Object.assign(Reflect, { getMetadata, getOwnMetadata, defineMetadata })
