/** How the hub reaches the bank of a tenant, whether it is there, and proposals to reach it elsewhere. */
import { Argument, Command } from 'commander'
import { iso } from '../clock.ts'
import type { TenantConfig } from '../config.ts'
import { ENDPOINT_NAMES, type Endpoint, type EndpointChange, type EndpointName } from '../endpoints/index.ts'
import { OperatorError } from '../errors.ts'
import { connectionsOf, timeoutOf } from '../lfi/index.ts'
import { isLfiOperation, LFI_CLASSES, LFI_OPERATIONS, type LfiClass } from '../lfi-operations.ts'
import { aboutTenant, tell } from './command.ts'
import { type DeskOptions, withDesk } from './desk.ts'
import { addLfiProbe } from './lfi-probe.ts'

const which = (): Argument => new Argument('<name>', 'which address').choices(ENDPOINT_NAMES)

export function lfiCommand(): Command {
  const lfi = new Command('lfi').description('The LFI of a tenant: where it is, and whether it is there.')
  addLfiProbe(lfi)
  aboutTenant(
    lfi,
    'show',
    'Addresses, authentication, time and connections, and where each address comes from.',
  ).action((options: DeskOptions) =>
    withDesk(options, async ({ rooms: { endpoints, tenant } }) => {
      const all = await endpoints.read()
      const authentication = tenant.lfi.authentication.type
      const classes = LFI_CLASSES.map((named) => budgetOf(tenant.lfi, named))
      tell(options, { endpoints: all.map(toldOf), authentication, classes }, [
        ...all.map(lineOf),
        `authentication  ${authentication}`,
        ...classes.map(
          ({ name, connections, timeoutsMs }) =>
            `${name.padEnd(14)}  ${connections} connections, ${timeoutsMs.join('–')} ms`,
        ),
      ])
    }),
  )
  const endpoints = lfi.command('endpoints').description('Addresses of the bank, which can be set while hubs run.')
  aboutTenant(endpoints, 'show', 'Each address with where it comes from, and every change of it.').action(
    (options: DeskOptions) =>
      withDesk(options, async ({ rooms }) => {
        const [all, history] = [await rooms.endpoints.read(), await rooms.endpoints.history()]
        const document = { endpoints: all.map(toldOf), history: history.map(changeOf) }
        tell(options, document, [...all.map(lineOf), ...history.map(historyLine)])
      }),
  )
  aboutTenant(endpoints, 'set', 'Try another address, and propose it: somebody approves it in the portal.')
    .addArgument(which())
    .argument('<url>', 'https, and no slash at its end')
    .action((name: EndpointName, url: string, options: DeskOptions) => proposed(options, name, url))
  aboutTenant(endpoints, 'reset', 'Propose to go back to the address of the file.')
    .addArgument(which())
    .action((name: EndpointName, options: DeskOptions) => proposed(options, name, null))
  return lfi
}

function proposed(options: DeskOptions, name: EndpointName, url: string | null): Promise<void> {
  return withDesk(options, async ({ rooms: { endpoints, tenant }, propose }) => {
    const present = (await endpoints.read()).find((each) => each.name === name)
    if (present === undefined) throw new OperatorError(`tenant ${tenant.id} has no address ${name}`)
    const given = { name, version: String(present.version) }
    const { id, seen } =
      url === null ? await propose('lfi.endpoint-reset', given) : await propose('lfi.endpoint', { ...given, url })
    const to = url ?? present.inFile
    tell(options, { proposal: id, name, from: present.url, to, seen }, [
      `proposal ${id}: ${[present.key, url, seen].filter((each) => each !== null).join(' ')}`,
      `It waits ${tenant.portal?.approvalMinutes} minutes for somebody to approve it in the portal.`,
    ])
  })
}

const toldOf = ({ setAt, ...each }: Endpoint) => ({ ...each, setAt: setAt === null ? null : iso(setAt) })
const changeOf = ({ setAt, ...each }: EndpointChange) => ({ ...each, setAt: iso(setAt) })

const lineOf = ({ name, url, from, inFile, setAt }: Endpoint): string =>
  `${name.padEnd(14)}  ${url}  ${from === 'file' ? 'as in the file' : `set in the hub ${setAt === null ? '' : iso(setAt)}; the file has ${inFile}`}`

const historyLine = ({ name, version, before, after, setAt, proposedBy, approvedBy }: EndpointChange): string =>
  `${name.padEnd(14)}  change ${version}  ${iso(setAt)}  ${before} → ${after ?? 'as in the file'}  proposed by ${proposedBy}, approved by ${approvedBy}`

function budgetOf(lfi: TenantConfig['lfi'], name: LfiClass) {
  const times = Object.entries(LFI_OPERATIONS).flatMap(([operation, named]) =>
    named === name && isLfiOperation(operation) ? [timeoutOf(lfi, operation)] : [],
  )
  return {
    name,
    connections: connectionsOf(lfi, name),
    timeoutsMs: [...new Set([Math.min(...times), Math.max(...times)])],
  }
}
