/**
 * The doors of the hub. Every role of every tenant is a Koa app behind its own public origin; listeners that share an
 * address and port are told apart by host name. What all of them do alike is here: the host is pinned, the
 * interaction id is on every answer, and the peer certificate is worked out once.
 */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer, type Server } from 'node:https'
import { createSecureContext, type SecureContext, type TLSSocket } from 'node:tls'
import Koa from 'koa'
import { type Clock, type Instant, type Seconds, secondsToMilliseconds } from './clock.ts'
import type { ListenerConfig, ListenerRole } from './config.ts'
import { type CorrelationId, newCorrelationId, type TenantId, toCorrelationId } from './ids.ts'
import type { Log } from './log.ts'
import { type PeerCertificate, peerCertificate, TLS_PROFILE } from './tls.ts'

export type ContextState = {
  /** The caller's `x-fapi-interaction-id`, or one minted here when it sent none (or a malformed one). */
  correlationId: CorrelationId
  /** The header was sent and is a UUID; only then is it passed on to the LFI as the caller's. */
  correlationGiven: boolean
  /** The header was sent and is not a UUID. */
  correlationMalformed: boolean
  receivedAt: Instant
  /** Monotonic, in milliseconds, for durations. */
  startedAt: number
  peer: PeerCertificate | null
  log: Log
}
export type HubApp = Koa<ContextState>
export type HubContext = Koa.ParameterizedContext<ContextState>

export const INTERACTION_HEADER = 'x-fapi-interaction-id'

export function createApp(deps: { readonly log: Log; readonly clock: Clock }): HubApp {
  const app = new Koa<ContextState>()
  // `proxy` stays off and `keys` unset: no forwarded header is believed, and the engine reads its own cookies raw.
  app.silent = true
  app.use(async (ctx, next) => {
    const sent = ctx.get(INTERACTION_HEADER)
    const given = toCorrelationId(sent)
    ctx.state.correlationId = given ?? newCorrelationId()
    ctx.state.correlationGiven = given !== null
    ctx.state.correlationMalformed = given === null && sent !== ''
    ctx.state.receivedAt = deps.clock.now()
    ctx.state.startedAt = performance.now()
    ctx.state.peer = peerCertificate(ctx.req.socket as TLSSocket)
    ctx.state.log = deps.log.child({ interactionId: ctx.state.correlationId })
    ctx.set(INTERACTION_HEADER, ctx.state.correlationId)
    await next()
  })
  app.on('error', (error: unknown) => deps.log.error({ err: error }, 'request failed outside every handler'))
  return app
}

export type Door = {
  readonly tenantId: TenantId
  readonly role: ListenerRole
  readonly listener: ListenerConfig
  readonly clientCertificates: ClientCertificates
  readonly app: HubApp
}

/**
 * `requested`: the handshake asks and the app decides, so that a missing certificate gets an answer with a reason.
 * `required`: the handshake fails without a trusted one.
 */
export type ClientCertificates = 'none' | { readonly mode: 'requested' | 'required'; readonly ca: string }

export type Listeners = { close(): Promise<void> }

export async function openDoors(
  doors: readonly Door[],
  deps: { readonly log: Log; readonly drainSeconds: Seconds },
): Promise<Listeners> {
  const servers: Server[] = []
  const sockets = Map.groupBy(doors, (door) => `${door.listener.address}:${door.listener.port}`)
  try {
    for (const sharing of sockets.values()) servers.push(await listen(sharing))
  } catch (error) {
    await Promise.all(servers.map((server) => shut(server, 0)))
    throw error
  }
  return {
    close: async () => {
      await Promise.all(servers.map((server) => shut(server, secondsToMilliseconds(deps.drainSeconds))))
    },
  }
}

async function listen(doors: readonly Door[]): Promise<Server> {
  const first = doors[0]
  if (first === undefined) throw new Error('a socket without a door')
  const handlers = new Map(doors.map((door) => [new URL(door.listener.origin).host, door.app.callback()]))
  const contexts = new Map(doors.map((door) => [new URL(door.listener.origin).hostname, contextOf(door)]))
  const asking = first.clientCertificates
  const server = createServer({
    ...TLS_PROFILE,
    cert: first.listener.certificate,
    key: first.listener.key.reveal(),
    ...(asking === 'none' ? {} : { requestCert: true, rejectUnauthorized: asking.mode === 'required', ca: asking.ca }),
    SNICallback: (name, done) => done(null, contexts.get(name) ?? contextOf(first)),
    maxHeaderSize: 16_384,
    headersTimeout: 15_000,
    requestTimeout: 30_000,
    keepAliveTimeout: 65_000,
  })
  server.maxHeadersCount = 100
  server.on('request', (request: IncomingMessage, response: ServerResponse) => {
    const handler = handlers.get((request.headers.host ?? '').toLowerCase())
    // Issuer, endpoints and links are never built from Host, and an absolute-form target could smuggle a second one.
    if (handler === undefined || !request.url?.startsWith('/')) {
      response.writeHead(421, { [INTERACTION_HEADER]: newCorrelationId(), connection: 'close' }).end()
      return
    }
    void handler(request, response)
  })
  await new Promise<void>((ready, failed) => {
    server.once('error', failed)
    server.listen({ host: first.listener.address, port: first.listener.port, backlog: 1024 }, () => {
      server.off('error', failed)
      ready()
    })
  })
  return server
}

function contextOf(door: Door): SecureContext {
  const asking = door.clientCertificates
  return createSecureContext({
    ...TLS_PROFILE,
    cert: door.listener.certificate,
    key: door.listener.key.reveal(),
    ...(asking === 'none' ? {} : { ca: asking.ca }),
  })
}

/** Stops accepting, lets requests in flight end, then cuts what is left. */
async function shut(server: Server, drainMs: number): Promise<void> {
  const closed = new Promise<void>((done) => server.close(() => done()))
  server.closeIdleConnections()
  const sweep = setInterval(() => server.closeIdleConnections(), 50)
  const cut = setTimeout(() => server.closeAllConnections(), drainMs)
  await closed
  clearInterval(sweep)
  clearTimeout(cut)
}
