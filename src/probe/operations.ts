/** Every operation asked once as the gateway would, and once more in pages of one where it has pages. */
import type { SchemaRegistry } from '../schema-registry.ts'
import type { Caller } from './caller.ts'
import { acceptanceCall, openCalls, openingCall, type ProbeCall, quoteCall, readCalls, WRITES } from './calls.ts'
import { judge, reportOf } from './judge.ts'
import { type Finding, finding, type OperationReport, type ProbeTarget } from './report.ts'

type Deps = { readonly registry: SchemaRegistry }

export async function probeOperations(
  deps: Deps,
  caller: Caller,
  target: ProbeTarget,
): Promise<readonly OperationReport[]> {
  const calls = [...readCalls(deps.registry, target), ...openCalls(target)]
  const reports: OperationReport[] = []
  for (const call of calls) reports.push(await probeOne(deps, caller, call, target))
  if (target.writes) for (const call of WRITES) reports.push(...(await probeWrite(deps, caller, call, target)))
  return reports
}

async function probeOne(deps: Deps, caller: Caller, call: ProbeCall, target: ProbeTarget): Promise<OperationReport> {
  const exchange = await caller.call(call)
  const { findings, body } = judge(deps.registry, call, exchange, { statuses: call.expects, withinMs: target.withinMs })
  const strangers = [...foreignAccounts(call, body, target)]
  const paging = call.paged === null || findings.length > 0 ? [] : await pageOfOne(caller, call)
  return reportOf(`${call.method} ${call.path}`, exchange, [...findings, ...strangers, ...paging])
}

async function probeWrite(
  deps: Deps,
  caller: Caller,
  call: ProbeCall,
  target: ProbeTarget,
): Promise<readonly OperationReport[]> {
  const exchange = await caller.call(call)
  const { findings, body } = judge(deps.registry, call, exchange, { statuses: call.expects, withinMs: target.withinMs })
  const report = reportOf(`${call.method} ${call.path}`, exchange, findings)
  const begun = membersOf(membersOf(body)['data'])
  const reports = [report]
  const { FxQuoteId: quote, AccountId: opening } = begun
  if (typeof quote === 'string') {
    reports.push(await probeOne(deps, caller, quoteCall(quote), target))
    if (target.payments !== null) reports.push(await probeOne(deps, caller, acceptanceCall(quote, begun), target))
  }
  if (typeof opening === 'string') reports.push(await probeOpening(deps, caller, opening, target))
  return reports
}

/** How it stands, of the one that was begun. */
async function probeOpening(deps: Deps, caller: Caller, id: string, target: ProbeTarget): Promise<OperationReport> {
  const call = openingCall(id)
  const exchange = await caller.call(call)
  const { findings, body } = judge(deps.registry, call, exchange, { statuses: call.expects, withinMs: target.withinMs })
  const said = membersOf(membersOf(body)['data'])['AccountId']
  const isOther = said !== undefined && said !== id
  const other = finding('account', 'of the opening asked for', 'it is of another', 'data.AccountId')
  return reportOf(`${call.method} ${call.path}`, exchange, [...findings, ...(isOther ? [other] : [])])
}

/** Answers about another account than the one asked for would be another customer's data. */
function* foreignAccounts(call: ProbeCall, body: unknown, { accountIds }: ProbeTarget): Generator<Finding> {
  const data = membersOf(body)['data']
  const records = Array.isArray(data) ? data : [data]
  const own = new Set(call.accountId === null ? accountIds : [call.accountId])
  const names = call.path === '/accounts' || call.path === '/accounts/{accountId}' ? ['id'] : ['accountId', 'AccountId']
  if (call.accountId === null && call.path !== '/accounts') return
  for (const [at, record] of records.entries()) {
    for (const name of names) {
      const id = membersOf(record)[name]
      if (id !== undefined && !own.has(String(id))) {
        yield finding('account', 'of the account asked for', 'it is of another', `data[${at}].${name}`)
      }
    }
  }
}

/** A page of one has at most one record. */
async function pageOfOne(caller: Caller, call: ProbeCall): Promise<readonly Finding[]> {
  const { attempt } = await caller.call(call, { target: call.target.replace('page-size=100', 'page-size=1') })
  if (attempt.outcome !== 'answered' || attempt.status !== 200) {
    return [finding('paging', 'page-size=1', `answered ${attempt.status ?? attempt.outcome}`)]
  }
  const data = membersOf(JSON.parse(attempt.body.toString('utf8')))['data']
  const first = Array.isArray(data) ? membersOf(data[0]) : {}
  const records = { data, 'data.Statements': membersOf(data)['Statements'], 'data[0].Products': first['Products'] }
  const found = call.paged === null ? undefined : records[call.paged]
  return Array.isArray(found) && found.length > 1
    ? [finding('paging', 'page-size=1', `${found.length} records`, call.paged)]
    : []
}

const membersOf = (value: unknown): Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}
