import { withheld } from '../../permissions.ts'
import { linksOf, readPage, totalPages } from '../paging.ts'
import { PERIOD_PARAMETERS } from '../period.ts'
import type { ReadRoute } from '../routes.ts'
import { stage } from '../stage.ts'

/** The LFI's answer in the TPP's form, without what the permissions do not open (lfi-api 3.4–3.7). */
export const translateReply = stage({
  name: 'translate-reply',
  needs: ['arrival', 'read', 'consent', 'accountId', 'query', 'reply'],
  adds: ['translation'],
  fails: ['GenericError'],
  run({ arrival, read, consent, accountId, query, reply }, { tenant, translator }) {
    const viewer = {
      accountIds: new Set<string>(consent.accountIds),
      accountId,
      withheld: withheld(read.operationId, consent.permissions, tenant.fieldFilter).map((path) => path.join('.')),
    }
    const page = readPage(query['page']) ?? 1
    const call = {
      origin: tenant.listeners.rs.origin,
      path: arrival.path,
      filters: filtersOf(read, query),
      page,
      pageGiven: query['page'] !== undefined,
    }
    const translation = translator.translate(read, reply.body, viewer, (meta, records) => {
      const total = read.lfi.paged ? totalPages(meta, page, records, tenant.lfi.pageSize) : 1
      return { links: linksOf({ ...call, totalPages: total }), totalPages: total }
    })
    if (translation.quality !== null) {
      const { operationId } = read.lfi
      arrival.log.warn({ operationId, quality: translation.quality }, 'data quality of an answer of the LFI')
    }
    return { translation }
  },
})

function filtersOf(read: ReadRoute, query: Readonly<Record<string, string>>): readonly (readonly [string, string])[] {
  const names = read.lfi.period === null ? [] : PERIOD_PARAMETERS[read.lfi.period]
  return names.flatMap((name) => (query[name] === undefined ? [] : [[name, query[name]] as const]))
}
