/**
 * The doors of the hub. Every role of every tenant is a Koa app behind its own public origin; listeners that share an
 * address and port are told apart by host name. What all of them do alike is here: the host is pinned, the
 * interaction id is on every answer, who calls is worked out once (in listener/), and how much is at work is bounded.
 */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer, type Server } from 'node:https'
import type { Socket as NetSocket } from 'node:net'
import type { Duplex } from 'node:stream'
import { createSecureContext, type SecureContext, type TLSSocket } from 'node:tls'
import Koa from 'koa'
import { setCaller, whoSent } from './caller.ts'
import { type Clock, type Instant, type Seconds, secondsToMilliseconds, systemClock } from './clock.ts'
import type { ListenerConfig, ListenerRole } from './config.ts'
import { OperatorError } from './errors.ts'
import { type CorrelationId, newCorrelationId, type TenantId, toCorrelationId } from './ids.ts'
import { type Admission, createAdmission } from './listener/admission.ts'
import type { Capacity } from './listener/capacity.ts'
import { createProxies, type Proxies } from './listener/proxy.ts'
import type { EarlyReason, EarlyRefusal } from './listener/refused.ts'
import { unavailableBody } from './listener/unavailable.ts'
import { answerUnreadable } from './listener/unreadable.ts'
import type { Log } from './log.ts'
import type { Measured, Observed } from './metrics.ts'
import type { Revocation } from './revocation.ts'
import type { Part, SpanSink } from './spans.ts'
import { handshakeCertificate, type PeerCertificate, TLS_PROFILE } from './tls.ts'
import { TRACE_HEADER, type Trace, traceOf } from './trace.ts'

export { type Capacity, createCapacity } from './listener/capacity.ts'
export type { EarlyRefusal } from './listener/refused.ts'

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
  /** What the request was made of, of one whose trace is kept. */
  parts: Part[] | null
  /** What the door knows of the request beyond its status, for the figures. */
  measured: Measured | null
}
export type HubApp = Koa<ContextState>
export type HubContext = Koa.ParameterizedContext<ContextState>

export const INTERACTION_HEADER = 'x-fapi-interaction-id'

export type AppDeps = {
  readonly log: Log
  readonly clock: Clock
  /** Absent: as much at a time as comes, as in front of a test. */
  readonly door?: {
    readonly role: ListenerRole
    readonly capacity: Capacity
    readonly refused?: (refusal: EarlyRefusal) => void
  }
  /** Told of every request when it is over. */
  readonly observe?: (call: Omit<Observed, 'door'>) => void
  /** Absent: nothing is kept of traces. */
  readonly spans?: SpanSink | undefined
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
    ctx.state.peer = whoSent(ctx.req).peer
    ctx.state.trace = traceOf(ctx.get(TRACE_HEADER), deps.spans?.sampler)
    ctx.state.parts = deps.spans !== undefined && ctx.state.trace.flags === '01' ? [] : null
    const { traceId, spanId } = ctx.state.trace
    ctx.state.log = deps.log.child({ interactionId: ctx.state.correlationId, traceId, spanId })
    ctx.state.measured = null
    ctx.set(INTERACTION_HEADER, ctx.state.correlationId)
    const observe = (status: number): void => {
      deps.observe?.({ status, totalMs: performance.now() - ctx.state.startedAt, measured: ctx.state.measured })
      keepTrace(ctx, status, deps)
    }
    try {
      await admit(ctx, next, deps)
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

function keepTrace({ state }: HubContext, status: number, { door, spans }: AppDeps): void {
  if (state.parts === null) return
  const { trace, correlationId: interactionId, startedAt, parts, measured } = state
  const operation = measured?.operation ?? null
  const endedAt = performance.now()
  spans?.take({ trace, interactionId, door: door?.role ?? 'door', operation, status, startedAt, endedAt, parts })
}

const NOTHING = (): void => {}
const RETRY_AFTER_SECONDS = 1

/** On to the door, or told to come back. */
async function admit(ctx: HubContext, next: () => Promise<unknown>, deps: AppDeps): Promise<void> {
  if (whoSent(ctx.req).undecided) {
    const why = 'it cannot be told at the moment whether the certificate still counts'
    return unavailable(ctx, deps, 'revocation', why)
  }
  const leave = deps.door === undefined ? NOTHING : deps.door.capacity.take()
  if (leave === null) return unavailable(ctx, deps, 'capacity', 'too much is at work at the moment')
  const answered = new Promise<void>((done) => ctx.res.once('close', done))
  try {
    await next()
  } finally {
    // Whoever hangs up early has not freed a place: what it asked for is still at work.
    void answered.then(leave)
  }
}

function unavailable(ctx: HubContext, { door }: AppDeps, reason: EarlyReason, why: string): void {
  door?.refused?.({ door: door.role, status: 503, reason })
  ctx.state.log.warn({ why }, 'request not taken')
  ctx.status = 503
  ctx.set('retry-after', String(RETRY_AFTER_SECONDS))
  ctx.set('cache-control', 'no-store')
  ctx.body = door === undefined ? '' : unavailableBody(door.role, why)
  // A body that nobody has read would be taken for the next request.
  if (!ctx.req.complete) ctx.set('connection', 'close')
}

export type Door = {
  readonly tenantId: TenantId
  readonly role: ListenerRole
  readonly listener: ListenerConfig
  readonly clientCertificates: ClientCertificates
  readonly app: HubApp
  /** Absent: the directory alone says whether a certificate still counts. */
  readonly revocation?: Revocation | null
  /** Open at the same time; absent: as many as come. */
  readonly connectionsMax?: number
}

/**
 * `requested`: the handshake asks and the app decides, so that a missing certificate gets an answer with a reason.
 * `required`: the handshake fails without a trusted one; behind a proxy the answer is 401.
 */
export type ClientCertificates = 'none' | { readonly mode: 'requested' | 'required'; readonly ca: string }

export type Listeners = { close(): Promise<void> }

/** In milliseconds where nothing else is said. A caller who sends slowly, or nothing, does not hold a connection. */
export const SERVER_LIMITS = {
  handshakeTimeout: 10_000,
  headersTimeout: 15_000,
  requestTimeout: 30_000,
  keepAliveTimeout: 65_000,
  /** A connection on which nothing happens, also while its request is at work: more than any call to an LFI may take. */
  timeout: 120_000,
  /** How often the times of headers and requests are looked at. */
  connectionsCheckingInterval: 5_000,
  /** Bytes of the request line and all headers together. */
  maxHeaderSize: 16_384,
} as const
const HEADERS_MAX = 100

export type ListenersDeps = {
  readonly log: Log
  readonly drainSeconds: Seconds
  readonly limits?: Readonly<Record<keyof typeof SERVER_LIMITS, number>>
  readonly clock?: Clock
  /** From then on every answer is the last of its connection: whoever comes again, comes to another process. */
  readonly stopping?: AbortSignal
  /** Told of what no door gets to see; of every tenant on the socket where it is not known whose it was. */
  readonly refused?: (tenantId: TenantId, refusal: EarlyRefusal) => void
}

export async function openDoors(doors: readonly Door[], deps: ListenersDeps): Promise<Listeners> {
  const sockets: Socket[] = []
  const sharing = Map.groupBy(doors, (door) => `${door.listener.address}:${door.listener.port}`)
  try {
    for (const group of sharing.values()) sockets.push(await listen(group, deps))
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

async function listen(doors: readonly Door[], deps: ListenersDeps): Promise<Socket> {
  const first = doors[0]
  if (first === undefined) throw new Error('a socket without a door')
  const { tls } = first.listener
  const limits = deps.limits ?? SERVER_LIMITS
  if (doors.some((door) => JSON.stringify(tlsOf(door)) !== JSON.stringify(tlsOf(first)))) {
    throw new Error('doors that share a socket must end TLS alike')
  }
  const asking = askedInHandshake(first)
  if (doors.some((door) => modeOf(askedInHandshake(door)) !== modeOf(asking))) {
    throw new Error('doors that share a socket must treat client certificates alike')
  }
  const proxies = tls?.mode === 'behind-proxy' ? createProxies(tls) : null
  const byHost = new Map(doors.map((door) => [new URL(door.listener.origin).host, opened(door, proxies, deps)]))
  const byName = new Map(
    doors.map((door) => [new URL(door.listener.origin).hostname, { door, context: contextOf(door) }]),
  )
  const server = createServer({
    ...TLS_PROFILE,
    cert: first.listener.certificate,
    key: first.listener.key.reveal(),
    ...(asking === 'none' ? {} : { requestCert: true, rejectUnauthorized: asking.mode === 'required', ca: asking.ca }),
    // No context: the first door's, as for a caller who names no server.
    SNICallback: (name, done) => done(null, byName.get(name.toLowerCase())?.context),
    ...limits,
  })
  server.maxHeadersCount = HEADERS_MAX
  server.timeout = limits.timeout
  server.maxConnections = doors.reduce((sum, door) => sum + (door.connectionsMax ?? Number.POSITIVE_INFINITY), 0)
  if (proxies !== null) onlyFrom(proxies, server, deps.log)
  const refused = (connection: Duplex, status: number, reason: EarlyReason): void => {
    const name = (connection as TLSSocket).servername
    const named = byName.get(typeof name === 'string' ? name.toLowerCase() : '')?.door
    const meant = named === undefined ? new Set(doors.map(({ tenantId }) => tenantId)) : [named.tenantId]
    for (const tenantId of meant) deps.refused?.(tenantId, { door: named?.role ?? null, status, reason })
  }
  answerUnreadable(server, INTERACTION_HEADER, refused)
  server.on('request', (request: IncomingMessage, response: ServerResponse) => {
    // What came together with the end of the handshake has been read although the connection was refused.
    if (proxies !== null && !isProxy(request.socket as TLSSocket, proxies)) return void request.socket.destroy()
    const host = hostOf(request)
    const door = byHost.get(host ?? '')
    const refuse = (status: number, reason: EarlyReason): void => {
      refused(request.socket, status, reason)
      response.writeHead(status, { [INTERACTION_HEADER]: newCorrelationId(), connection: 'close' }).end()
    }
    // Issuer, endpoints and links are never built from Host, and an absolute-form target could smuggle a second one.
    if (door === undefined || !request.url?.startsWith('/')) return refuse(host === null ? 400 : 421, 'host')
    const caller = door.admit(request)
    if ('status' in caller) {
      deps.log.warn({ why: caller.why }, 'request of a proxy refused')
      return refuse(caller.status, 'proxy')
    }
    setCaller(request, caller)
    if (deps.stopping?.aborted) response.setHeader('connection', 'close')
    void door.handle(request, response)
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

const tlsOf = ({ listener }: Door): unknown => listener.tls ?? { mode: 'in-process' }

/** A proxy shows a certificate of its own, whatever the door wants to see of the caller's. */
function askedInHandshake({ listener: { tls }, clientCertificates }: Door): ClientCertificates {
  return tls?.mode === 'behind-proxy' ? { mode: 'required', ca: tls.ca } : clientCertificates
}

type Opened = { readonly admit: Admission; readonly handle: ReturnType<HubApp['callback']> }

function opened(door: Door, proxies: Proxies | null, deps: ListenersDeps): Opened {
  const certificates = door.clientCertificates === 'none' ? null : door.clientCertificates
  const { clock = systemClock, log } = deps
  const admit = createAdmission({ certificates, proxies, revocation: door.revocation ?? null, clock, log })
  return { admit, handle: door.app.callback() }
}

/** What is handed on counts only from an address of a proxy (security 4.4), over a connection with its certificate. */
function onlyFrom(proxies: Proxies, server: Server, log: Log): void {
  server.on('connection', (connection: NetSocket) => {
    if (proxies.hasAddress(connection.remoteAddress)) return
    log.warn({ address: connection.remoteAddress }, 'connection refused: its address is no proxy’s')
    connection.destroy()
  })
  server.on('secureConnection', (socket: TLSSocket) => {
    if (isProxy(socket, proxies)) return
    log.warn({ address: socket.remoteAddress }, 'connection refused: its certificate is no proxy’s')
    socket.destroy()
  })
}

function isProxy(socket: TLSSocket, proxies: Proxies): boolean {
  const shown = handshakeCertificate(socket)
  return shown?.peer.trusted === true && proxies.hasCertificate(shown.peer.thumbprint)
}

const modeOf = (asked: ClientCertificates): string => (asked === 'none' ? asked : asked.mode)

/** Written as origins are: lower case, without the port that goes without saying. null: not named exactly once. */
function hostOf(request: IncomingMessage): string | null {
  const [host, second] = request.headersDistinct['host'] ?? []
  if (host === undefined || second !== undefined) return null
  return host.toLowerCase().replace(/:443$/, '')
}

function contextOf(door: Door): SecureContext {
  const asking = askedInHandshake(door)
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
