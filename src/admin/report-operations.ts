/** Reports, outages and explanations at the operator's door. Which of them there are is a table; what they say is not decided here. */
import { Readable } from 'node:stream'
import { parseJson, readBody } from '../body.ts'
import { HubError } from '../errors.ts'
import { toCorrelationId } from '../ids.ts'
import type { HubContext } from '../listener.ts'
import { type By, csvOf, type Days, MEDIA_TYPES, type ReportedSet, type Reports } from '../reports/index.ts'
import type { AdminOperation } from './operations.ts'

type Operation = {
  readonly operationId: AdminOperation
  readonly method: 'GET' | 'POST'
  readonly route: string
  run(ctx: HubContext, reports: Reports, id: string): Promise<void>
}

const BODY_BYTES_MAX = 4096

// biome-ignore format: a table reads by its columns
export const REPORT_OPERATIONS: readonly Operation[] = [
  { operationId: 'readLfiAvailability', method: 'GET', route: '/reports/lfi-availability',
    run: async (ctx, reports) => rows(ctx, await reports.lfiAvailability(daysOf(ctx))) },
  { operationId: 'readDailyFigures', method: 'GET', route: '/reports/daily',
    run: async (ctx, reports) => rows(ctx, await reports.rollUps('day', daysOf(ctx))) },
  { operationId: 'readHourlyFigures', method: 'GET', route: '/reports/hourly',
    run: async (ctx, reports) => rows(ctx, await reports.rollUps('hour', daysOf(ctx))) },
  { operationId: 'readConsentFigures', method: 'GET', route: '/reports/consents', run: datasetOf('consents') },
  { operationId: 'readPaymentFigures', method: 'GET', route: '/reports/payments', run: datasetOf('payments') },
  { operationId: 'readBillingFigures', method: 'GET', route: '/reports/billing', run: datasetOf('billing') },
  { operationId: 'readVersionFigures', method: 'GET', route: '/reports/versions', run: datasetOf('versions') },
  { operationId: 'readTimes', method: 'GET', route: '/reports/times', run: datasetOf('times') },
  { operationId: 'readRawLog', method: 'GET', route: '/reports/raw-log', run: rawLog },
  { operationId: 'readRawLogFields', method: 'GET', route: '/reports/raw-log/fields',
    run: async (ctx, reports) => rows(ctx, reports.fields()) },
  { operationId: 'explainRefusal', method: 'GET', route: '/refusals/{interactionId}', run: explain },
  { operationId: 'listOutages', method: 'GET', route: '/outages',
    run: async (ctx, reports) => rows(ctx, (await reports.outages.list()).map((outage) => ({ ...outage }))) },
  { operationId: 'declareOutage', method: 'POST', route: '/outages', run: declare },
  { operationId: 'endOutage', method: 'POST', route: '/outages/{id}/end',
    run: async (ctx, reports, id) => { ctx.body = await reports.outages.end(id, byOf(ctx)) } },
]

/** Everything on the path, of any method; `id` is what stands for its placeholder. */
export function reportOperationsAt(path: string): readonly { readonly operation: Operation; readonly id: string }[] {
  const given = path.split('/')
  return REPORT_OPERATIONS.flatMap((operation) => {
    const wanted = operation.route.split('/')
    if (wanted.length !== given.length) return []
    const fits = wanted.every((part, at) => (part.startsWith('{') ? given[at] !== '' : part === given[at]))
    const id = given[wanted.findIndex((part) => part.startsWith('{'))] ?? ''
    return fits ? [{ operation, id }] : []
  })
}

const daysOf = ({ query }: HubContext): Days => ({ first: String(query['from']), last: String(query['to']) })
const byOf = ({ state }: HubContext): By => ({
  actor: state.peer?.commonName ?? 'unknown',
  interactionId: state.correlationId,
})

function datasetOf(name: ReportedSet): Operation['run'] {
  return async (ctx, reports) => rows(ctx, await reports.dataset(name, daysOf(ctx)))
}

function rows(ctx: HubContext, data: readonly Readonly<Record<string, string | number | null>>[]): void {
  const { format = 'json' } = ctx.query
  if (format === 'json') ctx.body = { data }
  else if (format === 'csv') {
    ctx.type = MEDIA_TYPES.csv
    ctx.body = csvOf(data)
  } else throw unknownFormat('json or csv')
}

async function rawLog(ctx: HubContext, reports: Reports): Promise<void> {
  const { format = 'ndjson' } = ctx.query
  if (format !== 'ndjson' && format !== 'csv') throw unknownFormat('ndjson or csv')
  const lines = reports.rawLog(daysOf(ctx), format)
  ctx.type = MEDIA_TYPES[format]
  ctx.body = Readable.from(lines, { objectMode: false })
}

async function explain(ctx: HubContext, reports: Reports, raw: string): Promise<void> {
  const id = toCorrelationId(raw)
  const found = id === null ? [] : await reports.explanations.ofAnybody(id)
  if (found.length === 0) throw new HubError('NotFound')
  ctx.body = { data: found }
}

async function declare(ctx: HubContext, { outages }: Reports): Promise<void> {
  const { kind, subject, reason, startsAt, endsAt } = await bodyOf(ctx)
  if (subject !== 'lfi' && subject !== 'hub') throw invalid('subject', 'lfi or hub')
  if (kind !== 'planned' && kind !== 'unplanned') throw invalid('kind', 'planned or unplanned')
  const about = { subject, reason: String(reason ?? '') } as const
  ctx.body =
    kind === 'planned'
      ? await outages.plan({ ...about, startsAt: String(startsAt), endsAt: String(endsAt) }, byOf(ctx))
      : await outages.begin(about, byOf(ctx))
  ctx.status = 201
}

async function bodyOf(ctx: HubContext): Promise<Readonly<Record<string, unknown>>> {
  const body = parseJson(await readBody(ctx.req, BODY_BYTES_MAX))
  if (typeof body !== 'object' || body === null) throw invalid('$', 'an object')
  return body as Readonly<Record<string, unknown>>
}

const invalid = (path: string, must: string): HubError =>
  new HubError('Body.InvalidFormat', { reason: `${path} must be ${must}`, path })
const unknownFormat = (must: string): HubError =>
  new HubError('Resource.InvalidFormat', { reason: `format must be ${must}`, path: 'format' })
