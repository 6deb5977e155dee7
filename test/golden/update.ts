/** Prints what an auditor reads: `node test/golden/update.ts` writes the files anew, the tests compare. */
import { writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { requestPaths } from '../../src/gateway/pipeline.ts'
import { isService, ROUTES, type Route, type ServiceRoute } from '../../src/gateway/routes.ts'
import { opening } from '../../src/permissions.ts'
import { loadSchemas } from '../../src/schema-registry.ts'

export const GOLDEN: Readonly<Record<string, () => string>> = { 'routes.txt': routes, 'stages.txt': stages }

/** Every operation: where, which path it follows, who may call it, what of the LFI answers it. */
function routes(): string {
  const registry = loadSchemas()
  const lines = ROUTES.map((route) =>
    [
      `${route.method} ${registry.basePath(route.document)}${route.path}`,
      ...(route.alsoAt ?? []).map((at) => `  also at     ${at}`),
      `  operation   ${route.operationId}`,
      `  follows     ${route.follows}`,
      `  grant       ${route.grant}${'scope' in route ? `, scope ${route.scope}` : ''}`,
      ...lfi(route),
    ].join('\n'),
  )
  return `${lines.join('\n\n')}\n`
}

function lfi(route: Route): readonly string[] {
  if (isService(route)) return service(route)
  if (route.follows !== 'read-resource') return []
  const { operationId, path, accountIds, paged, period, fxOnly } = route.lfi
  const sends = [
    ...(accountIds ? ['accountIds'] : []),
    ...(period === null ? [] : [`${period} period`]),
    ...(paged ? ['page', 'page-size'] : []),
    ...(fxOnly ? ['o3-fx-transactions'] : []),
  ]
  return [
    `  permissions ${[...opening(route.operationId)].join(' | ')}`,
    `  LFI         GET ${path} (${operationId})${sends.length === 0 ? '' : `, sends ${sends.join(', ')}`}`,
  ]
}

function service({
  method,
  service: name,
  answers,
  lfi: { document, operationId, path, paged, query, sends },
}: ServiceRoute) {
  const sent = [...(query ? ['the query'] : []), ...(paged ? ['page', 'page-size'] : []), ...sends]
  return [
    `  answers     ${answers}, as ${name}`,
    `  LFI         ${method} ${path} (${document}: ${operationId})${sent.length === 0 ? '' : `, sends ${sent.join(', ')}`}`,
  ]
}

/** Every request path: its stages in order, with the facts they need and add and the errors they may end in. */
function stages(): string {
  const blocks = Object.entries(requestPaths).map(([name, { stages: list }]) =>
    [
      name,
      ...list.map((each) =>
        [
          `  ${each.name}`,
          `    needs ${each.needs.join(', ')}`,
          ...(each.adds.length === 0 ? [] : [`    adds  ${each.adds.join(', ')}`]),
          ...(each.fails.length === 0 ? [] : [`    fails ${each.fails.join(', ')}`]),
        ].join('\n'),
      ),
    ].join('\n'),
  )
  return `${blocks.join('\n\n')}\n`
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  for (const [file, print] of Object.entries(GOLDEN)) writeFileSync(new URL(file, import.meta.url), print())
}
