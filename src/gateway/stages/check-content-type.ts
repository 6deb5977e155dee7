import { readBodyType } from '../accept.ts'
import { stage } from '../stage.ts'

/** Operations without a body ignore one: nothing of it is read, and nothing of it goes on. */
export const checkContentType = stage({
  name: 'check-content-type',
  needs: ['arrival', 'route'],
  adds: ['bodyType'],
  fails: ['UnsupportedMediaType'],
  run({ arrival, route }, { registry }) {
    const documented = registry.operations(route.document).find((each) => each.operationId === route.operationId)
    const accepted = documented?.requestMediaTypes ?? []
    if (accepted.length === 0) return { bodyType: 'none' as const }
    const { headers } = arrival
    const hasBody = headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0
    const contentType = headers['content-type']
    const contentEncoding = headers['content-encoding']
    return { bodyType: readBodyType({ contentType, contentEncoding, hasBody, accepted }) }
  },
})
