import { lfiHeaders } from '../../lfi/index.ts'
import { onlyForeignExchange } from '../../permissions.ts'
import type { Facts } from '../facts.ts'
import { readPage } from '../paging.ts'
import { PERIOD_PARAMETERS } from '../period.ts'
import { stage } from '../stage.ts'

/** The call to the LFI. How it went is a fact too: it is recorded whatever is made of it. */
export const askLfi = stage({
  name: 'ask-lfi',
  needs: ['arrival', 'read', 'client', 'consent', 'accountId', 'query', 'period'],
  adds: ['exchange'],
  fails: [],
  async run(facts, { tenant, routes, connector }) {
    const { arrival, read, client, consent } = facts
    const headers = lfiHeaders({
      tenantId: tenant.id,
      client,
      consent,
      apiUri: routes.template(read),
      method: arrival.method,
      correlationId: arrival.correlationId,
      correlationGiven: arrival.correlationGiven,
      fxOnly: read.lfi.fxOnly && onlyForeignExchange(consent.permissions),
    })
    const { operationId, path } = read.lfi
    const target = targetOf(facts, tenant.lfi.pageSize)
    const exchange = await connector.ask(
      { operationId, method: 'GET', route: path, target, headers, under: consent, trace: arrival.trace },
      arrival.gone,
    )
    return { exchange }
  },
})

function targetOf(facts: Pick<Facts, 'read' | 'consent' | 'accountId' | 'query' | 'period'>, pageSize: number): string {
  const { lfi } = facts.read
  const path = lfi.path.replace('{accountId}', encodeURIComponent(facts.accountId ?? ''))
  const query: string[] = []
  if (lfi.accountIds) query.push(`accountIds=${facts.consent.accountIds.map(encodeURIComponent).join(',')}`)
  if (lfi.period !== null) {
    const [fromName, toName] = PERIOD_PARAMETERS[lfi.period]
    const { from, to } = facts.period
    if (from !== null) query.push(`${fromName}=${encodeURIComponent(from)}`)
    if (to !== null) query.push(`${toName}=${encodeURIComponent(to)}`)
  }
  if (lfi.paged) query.push(`page=${readPage(facts.query['page']) ?? 1}`, `page-size=${pageSize}`)
  return query.length === 0 ? path : `${path}?${query.join('&')}`
}
