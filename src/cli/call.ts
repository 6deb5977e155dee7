/** Calls of TPPs and of the LFI: one of them, or those that somebody looks for. */
import { Command } from 'commander'
import { type Instant, iso, toInstant } from '../clock.ts'
import { HubError, OperatorError } from '../errors.ts'
import { toCorrelationId } from '../ids.ts'
import type { CallFilter, FoundCall } from '../reports/index.ts'
import { aboutTenant, tell } from './command.ts'
import { type DeskOptions, withDesk } from './desk.ts'

type SearchOptions = DeskOptions & {
  readonly client?: string
  readonly operation?: string
  readonly status?: string
  readonly refused?: boolean
  readonly from?: string
  readonly to?: string
  readonly before?: string
}

export function callCommand(): Command {
  const call = new Command('call').description('The API log: calls of TPPs and of the LFI, from the audit log.')
  aboutTenant(call, 'search', 'The newest calls that are all of what is asked for, a page of them.')
    .option('--client <id>', 'of this client')
    .option('--operation <name>', 'its published name, or a part of its path')
    .option('--status <status>', 'such as 404, or a group such as 4xx')
    .option('--refused', 'only what the hub refused by a rule')
    .option('--from <moment>', 'date-time with an offset')
    .option('--to <moment>', 'date-time with an offset')
    .option('--before <place>', 'the next page: `next` of the one before')
    .action((options: SearchOptions) => {
      const filter = filterOf(options)
      return withDesk(options, async ({ rooms }) => {
        const { calls, next, readTo, isCut } = await rooms.reports.calls.search(filter, options.before ?? null)
        const page = { calls: calls.map(toldOf), next, readTo: readTo === null ? null : iso(readTo), isCut }
        const rest = [
          ...(isCut ? [`read back to ${page.readTo}, which is as far as one search goes`] : []),
          ...(next === null ? [] : [`older ones: --before ${next}`]),
        ]
        tell(options, page, [...calls.map(lineOf), ...rest])
      })
    })
  aboutTenant(call, 'show', 'One call by its interaction id: why it was refused, its times, and all that is recorded.')
    .argument('<interaction-id>', 'x-fapi-interaction-id of its answer')
    .action((raw: string, options: DeskOptions) =>
      withDesk(options, async ({ rooms: { reports } }) => {
        const id = toCorrelationId(raw)
        const trace = id === null ? null : await reports.calls.trace(id)
        if (id === null || trace === null || trace.records.length === 0) {
          throw new HubError('NotFound', { reason: `nothing is recorded under the interaction id ${raw}` })
        }
        const refusals = await reports.explanations.ofAnybody(id)
        const records = trace.records.map(({ recordedAt, facts, ...record }) => ({
          ...{ ...record, recordedAt: iso(recordedAt), facts: Object.fromEntries(facts) },
        }))
        const lines = [
          ...trace.calls.map(lineOf),
          ...refusals.map(
            ({ Rule, Clause, Expected, Seen }) =>
              `  refused by ${Rule} (${Clause}): expected ${Expected}; seen ${Seen}`,
          ),
          ...records.map(
            ({ kind, recordedAt, index, facts }) =>
              `  ${recordedAt}  ${kind}  ${index ?? 'not yet sealed'}  ${JSON.stringify(facts)}`,
          ),
        ]
        tell(options, { interactionId: id, calls: trace.calls.map(toldOf), refusals, records }, lines)
      }),
    )
  return call
}

const toldOf = ({ at, recordedAt, ...call }: FoundCall) => ({
  ...call,
  ...{ at: iso(toInstant(at)), recordedAt: iso(recordedAt) },
})

const lineOf = ({ at, status, method, route, operationId, clientId, door, totalUs, interactionId, rule }: FoundCall) =>
  [
    iso(toInstant(at)),
    String(status),
    operationId ?? `${method} ${route ?? '–'}`,
    `${door} ${clientId ?? '–'}`,
    `${Math.round(totalUs / 1000)} ms`,
    interactionId ?? '–',
    ...(rule === null ? [] : [rule]),
  ].join('  ')

const filterOf = ({ client, operation, status, refused, from, to }: SearchOptions): CallFilter => ({
  clientId: client ?? null,
  operation: operation ?? null,
  status: status ?? null,
  isRefused: refused === true,
  from: momentOf('--from', from),
  to: momentOf('--to', to),
})

function momentOf(option: string, text: string | undefined): Instant | null {
  if (text === undefined) return null
  const at = /(Z|[+-]\d{2}:?\d{2})$/.test(text) ? Date.parse(text) : Number.NaN
  if (Number.isNaN(at)) throw new OperatorError(`${option} must be a date-time with an offset`)
  return toInstant(at)
}
