/**
 * The doors of the hub. Every role of every tenant is a Koa app behind its own public origin; listeners that share an
 * address and port are told apart by host name. What all of them do alike is here: the host is pinned, the
 * interaction id is on every answer, and the peer certificate is worked out once.
 */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer, type Server } from 'node:https'
import type { Duplex } from 'node:stream'
import { createSecureContext, type SecureContext, type TLSSocket } from 'node:tls'
import Koa from 'koa'
import { type Clock, type Instant, type Seconds, secondsToMilliseconds } from './clock.ts'
import type { ListenerConfig, ListenerRole } from './config.ts'
import { OperatorError } from './errors.ts'
import { type CorrelationId, newCorrelationId, type TenantId, toCorrelationId } from './ids.ts'
import type { Log } from './log.ts'
import type { Measured, Observed } from './metrics.ts'
import { type PeerCertificate, peerCertificate, TLS_PROFILE } from './tls.ts'
import { TRACE_HEADER, type Trace, traceOf } from './trace.ts'

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
  /** W3C trace context: the caller's trace, or a new one, and the span of this request. */
  trace: Trace
  /** What the door knows of the request beyond its status, for the figures. */
  measured: Measured | null
}
export type HubApp = Koa<ContextState>
export type HubContext = Koa.ParameterizedContext<ContextState>

export const INTERACTION_HEADER = 'x-fapi-interaction-id'

export type AppDeps = {
  readonly log: Log
  readonly clock: Clock
  /** Told of every request when it is over. */
  readonly observe?: (call: Omit<Observed, 'door'>) => void
}

export function createApp(deps: AppDeps): HubApp {
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
    ctx.state.trace = traceOf(ctx.get(TRACE_HEADER))
    const { traceId, spanId } = ctx.state.trace
    ctx.state.log = deps.log.child({ interactionId: ctx.state.correlationId, traceId, spanId })
    ctx.state.measured = null
    ctx.set(INTERACTION_HEADER, ctx.state.correlationId)
    const observe = (status: number): void => {
      deps.observe?.({ status, totalMs: performance.now() - ctx.state.startedAt, measured: ctx.state.measured })
    }
    try {
      await next()
    } catch (thrown) {
      observe(500)
      throw thrown
    }
    observe(ctx.res.statusCode)
    // The rest of a body that is too large is not read, so nothing can follow it on this connection.
    if (ctx.status === 413) ctx.set('connection', 'close')
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

/** In milliseconds where nothing else is said. A caller who sends slowly, or nothing, does not hold a connection. */
export const SERVER_LIMITS = {
  handshakeTimeout: 10_000,
  headersTimeout: 15_000,
  requestTimeout: 30_000,
  keepAliveTimeout: 65_000,
  /** How often the two in the middle are looked at. */
  connectionsCheckingInterval: 5_000,
  /** Bytes of the request line and all headers together. */
  maxHeaderSize: 16_384,
} as const
const HEADERS_MAX = 100

export type ListenersDeps = {
  readonly log: Log
  readonly drainSeconds: Seconds
  readonly limits?: Readonly<Record<keyof typeof SERVER_LIMITS, number>>
}

export async function openDoors(doors: readonly Door[], deps: ListenersDeps): Promise<Listeners> {
  const sockets: Socket[] = []
  const sharing = Map.groupBy(doors, (door) => `${door.listener.address}:${door.listener.port}`)
  try {
    for (const group of sharing.values()) sockets.push(await listen(group, deps.limits ?? SERVER_LIMITS))
  } catch (error) {
    await Promise.all(sockets.map((socket) => shut(socket, 0)))
    throw error
  }
  return {
    close: async () => {
      await Promise.all(sockets.map((socket) => shut(socket, secondsToMilliseconds(deps.drainSeconds))))
    },
  }
}

type Socket = { readonly server: Server; readonly connections: ReadonlySet<Duplex> }

async function listen(doors: readonly Door[], limits: NonNullable<ListenersDeps['limits']>): Promise<Socket> {
  const first = doors[0]
  if (first === undefined) throw new Error('a socket without a door')
  const asking = first.clientCertificates
  if (doors.some((door) => modeOf(door.clientCertificates) !== modeOf(asking))) {
    throw new Error('doors that share a socket must treat client certificates alike')
  }
  const handlers = new Map(doors.map((door) => [new URL(door.listener.origin).host, door.app.callback()]))
  const contexts = new Map(doors.map((door) => [new URL(door.listener.origin).hostname, contextOf(door)]))
  const server = createServer({
    ...TLS_PROFILE,
    cert: first.listener.certificate,
    key: first.listener.key.reveal(),
    ...(asking === 'none' ? {} : { requestCert: true, rejectUnauthorized: asking.mode === 'required', ca: asking.ca }),
    // No context: the first door's, as for a caller who names no server.
    SNICallback: (name, done) => done(null, contexts.get(name.toLowerCase())),
    ...limits,
  })
  server.maxHeadersCount = HEADERS_MAX
  server.on('request', (request: IncomingMessage, response: ServerResponse) => {
    const host = hostOf(request)
    const handler = handlers.get(host ?? '')
    // Issuer, endpoints and links are never built from Host, and an absolute-form target could smuggle a second one.
    if (handler !== undefined && request.url?.startsWith('/')) return void handler(request, response)
    const status = host === null ? 400 : 421
    response.writeHead(status, { [INTERACTION_HEADER]: newCorrelationId(), connection: 'close' }).end()
  })
  const connections = new Set<Duplex>()
  server.on('connection', (connection) => {
    connections.add(connection)
    connection.once('close', () => connections.delete(connection))
  })
  await new Promise<void>((ready, failed) => {
    server.once('error', (cause: NodeJS.ErrnoException) => {
      const { address, port } = first.listener
      failed(new OperatorError(`cannot listen on ${address} port ${port}: ${cause.code ?? cause.message}`, { cause }))
    })
    server.listen({ host: first.listener.address, port: first.listener.port, backlog: 1024 }, () => {
      server.removeAllListeners('error')
      ready()
    })
  })
  return { server, connections }
}

const modeOf = (asked: ClientCertificates): string => (asked === 'none' ? asked : asked.mode)

/** Written as origins are: lower case, without the port that goes without saying. null: not named exactly once. */
function hostOf(request: IncomingMessage): string | null {
  const [host, second] = request.headersDistinct['host'] ?? []
  if (host === undefined || second !== undefined) return null
  return host.toLowerCase().replace(/:443$/, '')
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

/** Stops accepting, lets requests in flight end, then cuts what is left: also what never got past the handshake. */
async function shut({ server, connections }: Socket, drainMs: number): Promise<void> {
  const closed = new Promise<void>((done) => server.close(() => done()))
  server.closeIdleConnections()
  const sweep = setInterval(() => server.closeIdleConnections(), 50)
  const cut = setTimeout(() => {
    for (const connection of connections) connection.destroy()
  }, drainMs)
  await closed
  clearInterval(sweep)
  clearTimeout(cut)
}
