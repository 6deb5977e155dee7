/**
 * The engine reads its keys when it is built, and never again: each change of keys takes a new one. What is handed out
 * here stands for whichever is current. Everything that outlives a request is in the database, so a request that began
 * at one engine may end at the next, and none is lost.
 */
import mount from 'koa-mount'
import type { Provider } from 'oidc-provider'
import type { KeyRing, KeySnapshot } from '../keys/index.ts'

type Listener = Parameters<Provider['on']>[1]
type Middleware = (ctx: unknown, next: () => Promise<unknown>) => unknown
type Built = { readonly keys: KeySnapshot; readonly provider: Provider; readonly run: Middleware }

export function engineOf(ring: KeyRing, build: (keys: KeySnapshot) => Provider): Provider {
  const listeners: [event: Parameters<Provider['on']>[0], listener: Listener][] = []
  const make = (keys: KeySnapshot): Built => {
    const provider = build(keys)
    for (const [event, listener] of listeners) provider.on(event, listener)
    return { keys, provider, run: mount(provider) as Middleware }
  }
  let built = make(ring.now())
  const current = (): Built => {
    const keys = ring.now()
    if (keys !== built.keys) built = make(keys)
    return built
  }
  const on = (event: Parameters<Provider['on']>[0], listener: Listener): Provider => {
    listeners.push([event, listener])
    built.provider.on(event, listener)
    return engine
  }
  const middleware: readonly Middleware[] = [(ctx, next) => current().run(ctx, next)]
  const engine: Provider = new Proxy(built.provider, {
    get: (_first, name) => {
      if (name === 'on') return on
      if (name === 'middleware') return middleware
      const { provider } = current()
      const value: unknown = Reflect.get(provider, name, provider)
      // A method reaches for private members of its own engine; a class (Grant, Interaction, …) is used as it is.
      return isMethod(value) ? value.bind(provider) : value
    },
  })
  return engine
}

const isMethod = (value: unknown): value is CallableFunction => typeof value === 'function' && !('prototype' in value)
