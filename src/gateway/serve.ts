/**
 * Takes a request along its path and answers it. Whichever way the path ends, the call is recorded first: an answer
 * leaves only once its audit entry is durable (lfi-api 7.6).
 */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { digestOf } from '../body.ts'
import { whoSent } from '../caller.ts'
import { HubError, toHubError } from '../errors.ts'
import { goneOf } from '../gone.ts'
import type { HubContext } from '../listener.ts'
import { explained, UNEXPLAINED } from '../measure.ts'
import type { Answer } from './answer.ts'
import type { Arrival, Facts } from './facts.ts'
import { partsOf } from './parts.ts'
import { arrived, requestPaths } from './pipeline.ts'
import { CALLER_GONE, entriesOf, type Outcome, type Segments, segmentsOf } from './records.ts'
import { type Rendered, renderAnswer, renderError } from './render.ts'
import { isService, type Route } from './routes.ts'
import type { Services } from './services.ts'
import { type Timing, walk } from './stage.ts'

/** Facts so far: what is known when a stage throws is what the records say. */
type Known = { -readonly [Name in keyof Facts]?: Facts[Name] } & { readonly arrival: Arrival }

export function createServe(services: Services): (ctx: HubContext) => Promise<void> {
  return async (ctx) => {
    ctx.respond = false
    const gone = goneOf(ctx.res)
    const known: Known = { arrival: arrivalOf(ctx, gone) }
    const timings: Timing[] = []
    const ended = await follow(known, services, timings)
    const rendered = await render(ended, known, services)
    const renderedAt = performance.now()
    const outcome = gone.aborted ? CALLER_GONE : outcomeOf(ended, rendered, known)
    const segments = segmentsOf(ctx.state.startedAt, renderedAt, known.exchange, timings)
    const recorded = await record(known, outcome, segments, services)
    const times = { startedAt: ctx.state.startedAt, renderedAt, recordedAt: performance.now() }
    ctx.state.parts?.push(...partsOf(ctx.state.trace, timings, known.exchange, times))
    const told = recorded === null ? outcome : outcomeOf(recorded, rendered, known)
    report(known, told, recorded ?? ended, segments.totalMs, timings)
    ctx.state.measured = { operation: known.route?.operationId ?? null, rule: told.why.rule, ...segments }
    if (recorded === null) send(ctx.req, ctx.res, rendered)
    else send(ctx.req, ctx.res, await render(recorded, known, services))
  }
}

async function follow(known: Known, services: Services, timings: Timing[]): Promise<Answer | HubError> {
  try {
    const early = await walk(arrived.stages, known, services, timings)
    if (early !== null) return early
    const { route } = known
    if (route === undefined) throw new Error('a request without a route')
    narrow(known, route)
    if (isService(route)) known.service = route
    const rest = requestPaths[route.follows].stages.slice(arrived.stages.length)
    const answer = await walk(rest, known, services, timings)
    if (answer === null) throw new Error('a request path without an end')
    return answer
  } catch (thrown) {
    return toHubError(thrown)
  }
}

/** The row under the name by which the stages of its path know it. */
function narrow(known: Known, route: Route): void {
  switch (route.follows) {
    case 'read-resource':
      known.read = route
      break
    case 'list-consents':
      known.listRoute = route
      break
    case 'show-consent':
    case 'change-consent':
      known.consentRoute = route
      break
    case 'show-refund':
    case 'hand-over-file':
      known.askingRoute = route
      break
    case 'make-payment':
      known.pay = route
      break
    case 'find-payment':
    case 'show-payment':
    case 'show-report':
      known.paid = route
      break
    default:
  }
}

/** What cannot be rendered is told as a fault of ours, in plain. */
async function render(ended: Answer | HubError, known: Known, services: Services): Promise<Rendered> {
  const to = {
    offer: known.offer,
    clientId: known.client?.clientId,
    audience: known.route?.audience ?? ('list' as const),
    nonce: nonceFor(known.arrival, services),
  }
  try {
    return ended instanceof HubError ? await renderError(ended, to, services) : await renderAnswer(ended, to, services)
  } catch (thrown) {
    known.arrival.log.error({ err: thrown }, 'an answer could not be rendered')
    return renderError(toHubError(thrown), { ...to, offer: undefined }, services)
  }
}

/** Only for who sends a token as DPoP, where that is served. */
function nonceFor({ headers }: Arrival, { dpop }: Services): string | undefined {
  return /^dpop /i.test(headers.authorization ?? '') ? dpop?.nonce() : undefined
}

/** Null when the entries are durable; otherwise what the caller is told instead. */
async function record(
  known: Known,
  outcome: Outcome,
  segments: Segments,
  services: Services,
): Promise<HubError | null> {
  try {
    await services.audit.record(...entriesOf(known, outcome, segments, services))
    return null
  } catch (cause) {
    known.arrival.log.error({ err: cause }, 'a call could not be recorded, so it is not answered')
    return new HubError('GenericRecoverableError', { detail: 'the call could not be recorded', cause })
  }
}

function outcomeOf(ended: Answer | HubError, rendered: Rendered, { exchange }: Known): Outcome {
  const responseDigest = digestOf(rendered.body)
  if (!(ended instanceof HubError)) {
    return { status: rendered.status, errorCode: null, records: ended.records, responseDigest, why: UNEXPLAINED }
  }
  // Past the call to the LFI a refusal without a rule is the LFI's.
  const isOurs = exchange === undefined || ended.options.rule !== undefined
  const why = isOurs ? explained(ended) : UNEXPLAINED
  return { status: ended.status, errorCode: ended.wireCode, records: null, responseDigest, why }
}

/** One line per call. Names, numbers and reasons; never a value from a payload, a token or a person. */
function report(
  { arrival, route, exchange }: Known,
  outcome: Outcome,
  ended: Answer | HubError,
  totalMs: number,
  timings: readonly Timing[],
): void {
  const { log } = arrival
  const line = {
    operationId: route?.operationId ?? null,
    status: outcome.status,
    errorCode: outcome.errorCode,
    ms: round(totalMs),
    lfiMs: exchange === undefined ? null : round(exchange.lfiMs),
    stage: timings.at(-1)?.stage ?? null,
  }
  if (outcome === CALLER_GONE) {
    log.info(line, 'caller gone before its answer')
  } else if (ended instanceof HubError && ended.status >= 500) {
    log.error({ ...line, detail: ended.options.detail, err: ended.options.cause }, 'call failed')
  } else if (ended instanceof HubError) {
    log.info({ ...line, detail: ended.options.detail ?? ended.options.reason }, 'call refused')
  } else {
    log.info(line, 'call answered')
  }
  if (log.isLevelEnabled('debug')) {
    log.debug({ stages: Object.fromEntries(timings.map(({ stage, ms }) => [stage, round(ms)])) }, 'stages of the call')
  }
}

const round = (ms: number): number => Math.round(ms * 10) / 10

function arrivalOf(ctx: HubContext, gone: AbortSignal): Arrival {
  const { req, state } = ctx
  const target = req.url ?? '/'
  const mark = target.indexOf('?')
  return {
    method: req.method ?? '',
    path: mark < 0 ? target : target.slice(0, mark),
    search: mark < 0 ? '' : target.slice(mark + 1),
    headers: req.headers,
    request: req,
    peer: state.peer,
    address: whoSent(req).address,
    correlationId: state.correlationId,
    correlationGiven: state.correlationGiven,
    correlationMalformed: state.correlationMalformed,
    receivedAt: state.receivedAt,
    gone,
    trace: state.trace,
    log: state.log,
  }
}

/** Straight to the socket: the framework's own way of answering costs as much as the rest of it. */
function send(request: IncomingMessage, response: ServerResponse, rendered: Rendered): void {
  if (response.destroyed || response.headersSent) return
  // A body that nobody has read would be taken for the next request if the connection stayed open.
  const close = request.complete ? {} : { connection: 'close' }
  response.writeHead(rendered.status, { ...rendered.headers, ...close })
  response.end(rendered.body ?? undefined)
}
