import { HubError } from '../../errors.ts'
import { isStorableText } from '../../storable.ts'
import { readPage } from '../paging.ts'
import { stage } from '../stage.ts'
import { invalidResource } from '../violations.ts'

/** Form of path and query, decoded; unknown and repeated query parameters are refused. */
export const checkParameters = stage({
  name: 'check-parameters',
  needs: ['arrival', 'route', 'pathValues'],
  adds: ['pathValues', 'query'],
  fails: ['Resource.InvalidFormat'],
  run({ arrival, route, pathValues: raw }, { registry }) {
    const pathValues = Object.fromEntries(Object.entries(raw).map(([name, value]) => [name, decode(name, value)]))
    const query = readQuery(arrival.search)
    const checks = registry.parameters(route.document, route.operationId)
    const violations = [...checks.path(pathValues), ...checks.query(query)]
    if (violations.length > 0) throw invalidResource(violations)
    if (readPage(query['page']) === null) {
      throw new HubError('Resource.InvalidFormat', {
        rule: 'query.page',
        reason: 'page is not the number of a page',
        path: 'page',
      })
    }
    return { pathValues, query }
  },
})

function decode(name: string, value: string): string {
  const malformed = (cause?: unknown): HubError =>
    new HubError('Resource.InvalidFormat', {
      rule: 'resource.form',
      reason: `${name} is not well encoded`,
      path: name,
      cause,
    })
  let text: string
  try {
    text = decodeURIComponent(value)
  } catch (cause) {
    throw malformed(cause)
  }
  if (!isStorableText(text)) throw malformed()
  return text
}

function readQuery(search: string): Readonly<Record<string, string>> {
  const query = new Map<string, string>()
  for (const [name, value] of new URLSearchParams(search)) {
    if (query.has(name)) {
      const reason = 'A query parameter is repeated'
      throw new HubError('Resource.InvalidFormat', { rule: 'query.once', reason, path: name.slice(0, 100) })
    }
    if (!isStorableText(value)) {
      const reason = 'A query value is not text'
      throw new HubError('Resource.InvalidFormat', { rule: 'resource.form', reason, path: name.slice(0, 100) })
    }
    query.set(name, value)
  }
  return Object.fromEntries(query)
}
