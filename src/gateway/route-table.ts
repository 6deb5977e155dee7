/** Finds the row of a request. Built once, and only if the rows agree with the documents they name. */
import type { SchemaRegistry } from '../schema-registry.ts'
import type { Route } from './routes.ts'

export type Found =
  | {
      readonly kind: 'route'
      readonly route: Route
      /** Full path as documented, with its placeholders. */
      readonly template: string
      readonly values: Readonly<Record<string, string>>
    }
  | { readonly kind: 'other-method'; readonly allow: readonly string[] }
  | { readonly kind: 'nowhere' }

export type RouteTable = {
  find(method: string, path: string): Found
  /** Full path of the row, under the base path of its document. */
  template(route: Route): string
}

type Entry = { readonly route: Route; readonly template: string; readonly segments: readonly string[] }

export function createRouteTable(routes: readonly Route[], registry: SchemaRegistry): RouteTable {
  for (const route of routes) agree(route, registry)
  const template = (route: Route): string => registry.basePath(route.document) + route.path
  const entries = routes.flatMap((route) =>
    [template(route), ...(route.alsoAt ?? [])].map((at): Entry => ({ route, template: at, segments: at.split('/') })),
  )
  const byLength = Map.groupBy(entries, (entry) => entry.segments.length)
  return {
    template,
    find(method, path) {
      const segments = path.split('/')
      const here = (byLength.get(segments.length) ?? []).filter((entry) => fits(entry.segments, segments))
      const entry = here.find(({ route }) => route.method === method)
      if (entry !== undefined) {
        const values = valuesOf(entry.segments, segments)
        return { kind: 'route', route: entry.route, template: entry.template, values }
      }
      if (here.length === 0) return { kind: 'nowhere' }
      return { kind: 'other-method', allow: here.map(({ route }) => route.method) }
    },
  }
}

function agree(route: Route, registry: SchemaRegistry): void {
  const documented = registry.operations(route.document).find((each) => each.operationId === route.operationId)
  if (documented?.method !== route.method || documented.path !== route.path) {
    throw new Error(`route ${route.operationId} is not in document ${route.document} as ${route.method} ${route.path}`)
  }
}

const isPlaceholder = (segment: string): boolean => segment.startsWith('{')

function fits(template: readonly string[], segments: readonly string[]): boolean {
  return template.every((part, at) => (isPlaceholder(part) ? segments[at] !== '' : segments[at] === part))
}

/** Raw: a stage decodes and judges them. */
function valuesOf(template: readonly string[], segments: readonly string[]): Readonly<Record<string, string>> {
  return Object.fromEntries(
    template.flatMap((part, at) => (isPlaceholder(part) ? [[part.slice(1, -1), segments[at] ?? '']] : [])),
  )
}
