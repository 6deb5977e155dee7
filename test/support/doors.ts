/** Two doors on one socket, opened for a test, and a caller of them. */
import { once } from 'node:events'
import { type RequestOptions, request } from 'node:https'
import { text } from 'node:stream/consumers'
import { readBody } from '../../src/body.ts'
import { whoSent } from '../../src/caller.ts'
import { systemClock, toSeconds } from '../../src/clock.ts'
import type { ListenerTls } from '../../src/config.ts'
import { toHubError } from '../../src/errors.ts'
import type { TenantId } from '../../src/ids.ts'
import {
  type Capacity,
  type ClientCertificates,
  createApp,
  type Door,
  type EarlyRefusal,
  type Listeners,
  openDoors,
  SERVER_LIMITS,
} from '../../src/listener.ts'
import { createLog } from '../../src/log.ts'
import { Secret } from '../../src/secret.ts'
import { type Authority, createAuthority } from '../gateway/support/pki.ts'
import { freePort } from './free-port.ts'

export const BODY_BYTES_MAX = 1000
export const OU = 'cd7e71fa-1863-44be-9ce1-e3add79d70f8'

export type Doors = Awaited<ReturnType<typeof createDoors>>
type Pem = { readonly certificate: string; readonly key: string }
type Answer = {
  readonly door: string
  readonly correlationGiven: boolean
  readonly correlationMalformed: boolean
  readonly peer: Readonly<Record<string, unknown>> | null
  readonly address: string
}
type Asking = RequestOptions & { readonly body?: string }
type Opening = {
  readonly asking?: ClientCertificates
  readonly drainSeconds?: number
  readonly limits?: Partial<Record<keyof typeof SERVER_LIMITS, number>>
  readonly more?: Partial<Door> & { readonly tls?: ListenerTls; readonly capacity?: Capacity }
}

export async function createDoors() {
  const framework = await createAuthority('Test Trust Framework')
  const log = createLog({ level: 'silent', name: 'test' })
  const [one, two] = await Promise.all(
    ['one', 'two'].map((name) => framework.issue({ O: 'Hub', dns: `${name}.example` })),
  )
  if (one === undefined || two === undefined) throw new Error('no certificates')
  let asked = 0
  const refusals: EarlyRefusal[] = []
  const refused = (refusal: EarlyRefusal): void => void refusals.push(refusal)
  let release = (): void => {}
  let listeners: Listeners | null = null

  const door = (name: string, port: number, own: Pem, asking: ClientCertificates, more: Opening['more'] = {}): Door => {
    const { tls, capacity, ...others } = more
    const app = createApp({
      log,
      clock: systemClock,
      ...(capacity === undefined ? {} : { door: { role: others.role ?? 'as', capacity, refused } }),
    })
    app.use(async (ctx) => {
      asked += 1
      if (ctx.path === '/slow') {
        await new Promise<void>((resolve) => {
          release = resolve
        })
      }
      if (ctx.path === '/begun') {
        ctx.respond = false
        ctx.res.writeHead(200, { 'content-length': '4' }).write('be')
        return
      }
      if (ctx.path === '/body') {
        try {
          await readBody(ctx.req, BODY_BYTES_MAX)
        } catch (thrown) {
          ctx.status = toHubError(thrown).status
          ctx.body = ''
          return
        }
      }
      const { correlationGiven, correlationMalformed, correlationId, peer } = ctx.state
      const { address } = whoSent(ctx.req)
      ctx.body = { door: name, correlationGiven, correlationMalformed, correlationId, peer, address }
    })
    const { certificate, key } = own
    const origin = `https://${name}.example:${port}`
    const listener = {
      origin,
      address: '127.0.0.1',
      port,
      certificate,
      key: new Secret(key),
      ...(tls === undefined ? {} : { tls }),
    }
    return { tenantId: 'aurora' as TenantId, role: 'as', listener, clientCertificates: asking, app, ...others }
  }

  const openThese = async (doors: readonly Door[], { drainSeconds = 0, limits = {} }: Opening = {}): Promise<void> => {
    listeners = await openDoors(doors, {
      log,
      drainSeconds: toSeconds(drainSeconds),
      limits: { ...SERVER_LIMITS, ...limits },
      refused: (_tenantId, refusal) => refused(refusal),
    })
  }
  const close = async (): Promise<void> => {
    const closing = listeners
    listeners = null
    await closing?.close()
  }
  return {
    framework,
    one,
    two,
    door,
    openThese,
    /** Opens both on a free port, which is returned. */
    open: async (opening: Opening = {}): Promise<number> => {
      const port = await freePort()
      const asking = opening.asking ?? 'none'
      const { more } = opening
      await openThese([door('one', port, one, asking, more), door('two', port, two, asking, more)], opening)
      return port
    },
    ask: (port: number, options: Asking = {}) => ask(framework, port, options),
    /** How often an app was asked: what the listener refuses never gets there. */
    asked: () => asked,
    /** What was counted of those, since the last test. */
    refusals,
    untilAsked: async (times: number): Promise<void> => {
      while (asked < times) await new Promise((resolve) => setTimeout(resolve, 5))
    },
    /** Lets `/slow` answer. */
    release: () => release(),
    close,
    /** After each test. */
    reset: async (): Promise<void> => {
      release()
      await close()
      asked = 0
      refusals.length = 0
    },
  }
}

async function ask(framework: Authority, port: number, { headers, body, ...options }: Asking) {
  const sent = request({
    port,
    host: '127.0.0.1',
    servername: 'one.example',
    ca: framework.certificate,
    agent: false,
    ...options,
    headers: { host: `one.example:${port}`, ...headers },
  })
  sent.end(body)
  const [response] = await once(sent, 'response')
  const answer = await text(response)
  return {
    status: response.statusCode as number,
    headers: response.headers as Readonly<Record<string, string | undefined>>,
    body: (answer === '' ? null : JSON.parse(answer)) as Answer,
  }
}
