import { lfiServiceHeaders } from '../../lfi/index.ts'
import type { Facts } from '../facts.ts'
import { readPage } from '../paging.ts'
import { stage } from '../stage.ts'

/** The call to the LFI for a client, without a consent: its body is made from the checked one by the row's table. */
export const askService = stage({
  name: 'ask-service',
  needs: ['arrival', 'service', 'client', 'pathValues', 'query', 'body'],
  adds: ['exchange'],
  fails: [],
  async run(facts, { tenant, routes, connector, serviceTranslator }) {
    const { arrival, service, client, body } = facts
    const headers = lfiServiceHeaders({
      tenantId: tenant.id,
      client,
      apiUri: routes.template(service),
      method: arrival.method,
      correlationId: arrival.correlationId,
      correlationGiven: arrival.correlationGiven,
      sends: service.lfi.sends,
      customerIp: text(arrival.headers['x-fapi-customer-ip-address']),
    })
    const { operationId, path } = service.lfi
    const asked = serviceTranslator.ask(service, body)
    const call = {
      operationId,
      method: service.method,
      route: path,
      target: targetOf(facts, tenant.lfi.pageSize),
      headers,
      under: null,
      trace: arrival.trace,
    }
    return { exchange: await connector.ask(asked === undefined ? call : { ...call, body: asked }, arrival.gone) }
  },
})

function targetOf({ service, pathValues, query }: Pick<Facts, 'service' | 'pathValues' | 'query'>, pageSize: number) {
  const { lfi } = service
  const path = lfi.path.replaceAll(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(pathValues[name] ?? ''))
  const passed = lfi.query ? Object.entries(query).filter(([name]) => name !== 'page') : []
  const paged = lfi.paged
    ? [
        ['page', String(readPage(query['page']) ?? 1)],
        ['page-size', String(pageSize)],
      ]
    : []
  const text = [...passed, ...paged].map(([name, value]) => `${name}=${encodeURIComponent(value ?? '')}`).join('&')
  return text === '' ? path : `${path}?${text}`
}

const text = (value: string | readonly string[] | undefined): string | null =>
  typeof value === 'string' ? value : null
