/**
 * Where the LFI is, as a running process holds it: the configuration's addresses, and those that were set since. Every
 * process asks the database every other second, so that all follow within a few seconds without being told.
 */
import type { Audit } from '../audit/index.ts'
import type { Clock } from '../clock.ts'
import type { TenantConfig } from '../config.ts'
import { type Db, inTransaction } from '../db.ts'
import { OperatorError } from '../errors.ts'
import type { CorrelationId } from '../ids.ts'
import type { Log } from '../log.ts'
import { every } from '../timer.ts'
import { type Endpoint, type EndpointName, endpointsIn } from './endpoint.ts'
import { type EndpointChange, insertChange, readHistory, readLatest } from './store.ts'

/** For whoever follows it. */
export type InForce = {
  /** The same object for as long as nothing changes. */
  now(): readonly Endpoint[]
}

export type SetEndpoint = {
  readonly name: EndpointName
  /** null: as in the file. */
  readonly url: string | null
  /** Which the two people have seen; where another is in force by now, nothing is changed. */
  readonly version: number
}
export type SetBy = {
  readonly proposedBy: string
  readonly approvedBy: string
  readonly interactionId: CorrelationId | null
}

export type Endpoints = InForce & {
  /** From the database, and in force in this process from then on. */
  read(): Promise<readonly Endpoint[]>
  /** The newest first. */
  history(): Promise<readonly EndpointChange[]>
  /** @throws OperatorError: it has changed meanwhile */
  set(ask: SetEndpoint, by: SetBy): Promise<void>
  close(): Promise<void>
}

export type EndpointsDeps = {
  readonly db: Db
  readonly tenant: TenantConfig
  readonly audit: Audit
  readonly clock: Clock
  readonly log: Log
}

const REREAD_MS = 2_000

/** The configuration's, and nothing else. */
export function fixedEndpoints(tenant: TenantConfig): InForce {
  const inFile = endpointsIn(tenant)
  return { now: () => inFile }
}

export async function createEndpoints(deps: EndpointsDeps): Promise<Endpoints> {
  const { db, tenant, clock, log } = deps
  let held = await endpointsNow(deps)
  for (const each of held.filter(({ from }) => from === 'stored')) tellOf(log, each)
  const read = async (): Promise<readonly Endpoint[]> => {
    const found = await endpointsNow(deps)
    for (const each of found) {
      const before = held.find(({ name }) => name === each.name)
      if (before?.version !== each.version) tellOf(log, each)
    }
    if (versions(found) !== versions(held)) held = found
    return held
  }
  const timer = every(REREAD_MS, 'reading the addresses of the LFI', log, read)
  return {
    now: () => held,
    read,
    history: () => readHistory(db),
    set: async ({ name, url, version }, { proposedBy, approvedBy, interactionId }) => {
      const before = (await read()).find((each) => each.name === name)
      if (before === undefined) throw new OperatorError(`tenant ${tenant.id} has no such address: ${name}`)
      const setAt = clock.now()
      const change = { name, version: version + 1, before: before.url, after: url, setAt, proposedBy, approvedBy }
      await inTransaction(db, async (tx) => {
        if (before.version !== version || !(await insertChange(tx, change))) {
          throw new OperatorError(`${before.key} has changed since this was proposed: it is ${before.url} now`)
        }
        const told = { kind: 'admin-act', at: setAt, interactionId, tenantId: tenant.id, actor: approvedBy } as const
        const act = `${before.key} ${url === null ? 'as in the file' : 'set'}, before ${before.url}`
        await deps.audit.append(tx, { ...told, act, target: url ?? before.inFile })
      })
      await read()
    },
    close: () => timer.stop(),
  }
}

/** Once, for whoever does not stay. */
export async function endpointsNow({ db, tenant }: Pick<EndpointsDeps, 'db' | 'tenant'>): Promise<readonly Endpoint[]> {
  const latest = await readLatest(db)
  return endpointsIn(tenant).map((inFile): Endpoint => {
    const change = latest.find(({ name }) => name === inFile.name)
    if (change === undefined) return inFile
    const { after, version, setAt } = change
    return { ...inFile, version, setAt, ...(after === null ? {} : { url: after, from: 'stored' }) }
  })
}

const versions = (all: readonly Endpoint[]): string => all.map(({ version }) => version).join(' ')

function tellOf(log: Log, { key, url, from, inFile, version }: Endpoint): void {
  const told = { key, url, inFile, version }
  if (from === 'stored') log.warn(told, 'an address of the LFI that was set in the hub wins over the configuration')
  else log.info(told, 'an address of the LFI is that of the configuration')
}
