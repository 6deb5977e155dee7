/** What the first page of the portal shows, and its settings. */
import { Command } from 'commander'
import { iso, toInstant } from '../clock.ts'
import type { Figures } from '../portal/index.ts'
import { ofTenant, tell } from './command.ts'
import { type DeskOptions, withDesk } from './desk.ts'

export function dashboardCommand(): Command {
  return ofTenant(new Command('dashboard'))
    .description('How the hub is doing: what waits, the last day by hour and operation, consents by state.')
    .action((options: DeskOptions) =>
      withDesk(options, async ({ rooms }) => {
        const { figuresOf, withinOf } = await import('../portal/index.ts')
        const { queues, traffic, operations, consents } = await figuresOf(rooms)
        const figures = {
          queues,
          traffic: traffic.map(({ startsAt, calls }) => ({ startsAt: iso(toInstant(startsAt)), calls })),
          operations: operations.map((each) => ({ ...each, withinLimit: withinOf(each.calls, each.overLimit) })),
          consents,
        }
        tell(options, figures, linesOf(figures))
      }),
    )
}

type Told = Omit<Figures, 'operations' | 'traffic'> & {
  readonly traffic: readonly { readonly startsAt: string; readonly calls: Figures['traffic'][number]['calls'] }[]
  readonly operations: readonly (Figures['operations'][number] & {
    readonly withinLimit: { readonly share: number; readonly isMet: boolean }
  })[]
}

function linesOf({ queues, traffic, operations, consents }: Told): readonly string[] {
  const called = traffic.filter(({ calls }) => calls['2xx'] + calls['4xx'] + calls['5xx'] > 0)
  return [
    ...queues.map(({ name, value, isHigh }) => `${isHigh ? 'LOOK' : 'ok  '}  ${name}  ${value ?? '?'}`),
    ...called.map(
      ({ startsAt, calls }) => `${startsAt}  2xx ${calls['2xx']}  4xx ${calls['4xx']}  5xx ${calls['5xx']}`,
    ),
    ...operations.map(
      ({ method, route, calls, withinLimit: { share, isMet }, p95 }) =>
        `${isMet ? 'ok  ' : 'SLOW'}  ${method} ${route}  ${calls} calls, ${Math.round(share * 1000) / 10} % within 500 ms, p95 ${p95 === null ? '–' : `${Math.round(p95.total)} ms`}`,
    ),
    ...Object.entries(consents).map(([status, count]) => `${String(count).padStart(8)}  ${status}`),
  ]
}

export function settingsCommand(): Command {
  return ofTenant(new Command('settings'))
    .description('The configuration of a tenant as it is in force, with what each line means; never a secret.')
    .action((options: DeskOptions) =>
      withDesk(options, async ({ rooms }) => {
        const { settingsOf } = await import('../portal/index.ts')
        const all = settingsOf(rooms.tenant).map(({ key, value, description }) => ({
          ...{ key, isSecret: value === null, value: value === '' ? null : value, description },
        }))
        const lines = all.map(
          ({ key, isSecret, value }) => `${key} = ${isSecret ? '(not shown)' : (value ?? '(not set)')}`,
        )
        tell(options, all, lines)
      }),
    )
}
