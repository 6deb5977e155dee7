import { linksOf, readPage, totalPages } from '../paging.ts'
import { REQUESTS } from '../requests.ts'
import { stage } from '../stage.ts'

/** The LFI's answer in the TPP's form (lfi-api 3.10, 3.11). */
export const translateService = stage({
  name: 'translate-service',
  needs: ['arrival', 'service', 'query', 'reply'],
  adds: ['translation'],
  fails: ['GenericError'],
  run({ arrival, service, query, reply }, { tenant, registry, serviceTranslator }) {
    if (reply.body === undefined || service.answers === 204) {
      return { translation: { body: null, records: 0, quality: null } }
    }
    const { origin } = tenant.listeners.rs
    const page = readPage(query['page']) ?? 1
    const translation = serviceTranslator.answer(service, reply.body, {
      pages(meta, records) {
        const total = totalPages(meta, page, records, tenant.lfi.pageSize)
        const filters = Object.entries(query).filter(([name]) => name !== 'page')
        const pageGiven = query['page'] !== undefined
        const links = linksOf({ origin, path: arrival.path, filters, page, pageGiven, totalPages: total })
        return { links, totalPages: total }
      },
      self(data) {
        if (service.kind === null) return origin + arrival.path
        const { id, shownAt } = REQUESTS[service.kind]
        return origin + registry.basePath(service.document) + shownAt(String(data[id]))
      },
    })
    if (translation.quality !== null) {
      const { operationId } = service.lfi
      arrival.log.warn({ operationId, quality: translation.quality }, 'data quality of an answer of the LFI')
    }
    return { translation }
  },
})
