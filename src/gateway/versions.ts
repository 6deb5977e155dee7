/**
 * Versions of an API family that are served side by side. The rows of routes.ts are those of a family's first
 * version; a further one is a line here and a document, whose server says the base path. Operations that the new
 * document no longer has are not served under it; those that it adds are rows of its own.
 */
import type { DocumentId, SchemaRegistry } from '../schema-registry.ts'
import type { Route } from './routes.ts'

export type ApiVersion = {
  /** Document of the first version, which the rows of the family name. */
  readonly family: DocumentId
  /** null: its addresses name none. */
  readonly version: string | null
  readonly document: DocumentId
  /** Type of the consents under which it may be called, where that has a version of its own. */
  readonly rarType?: string
}

// biome-ignore format: a table reads by its columns
export const VERSIONS: readonly ApiVersion[] = [
  { family: 'account-information',   version: '2.1', document: 'account-information' },
  { family: 'account-opening',       version: '2.1', document: 'account-opening' },
  { family: 'atm',                   version: '2.1', document: 'atm' },
  { family: 'audit-receipts',        version: null,  document: 'audit-receipts' },
  { family: 'bank-initiation',       version: '2.1', document: 'bank-initiation' },
  { family: 'confirmation-of-payee', version: '2.1', document: 'confirmation-of-payee' },
  { family: 'fx',                    version: '2.1', document: 'fx' },
  { family: 'insurance-consents',    version: '2.1', document: 'insurance-consents' },
  { family: 'onboarding',            version: '2.1', document: 'onboarding' },
  { family: 'payment-consents',      version: '2.1', document: 'payment-consents' },
  { family: 'product',               version: '2.1', document: 'product' },
  { family: 'tpp-reports',           version: '2.1', document: 'tpp-reports' },
]

/** The rows of every version that is served. @throws Error where a document is not of the version that its line says */
export function servedRoutes(
  rows: readonly Route[],
  versions: readonly ApiVersion[],
  registry: SchemaRegistry,
): readonly Route[] {
  for (const { document, version } of versions) {
    const basePath = registry.basePath(document)
    if (version !== null && !basePath.endsWith(`/v${version}`)) {
      throw new Error(`${document} is at ${basePath}, not at version ${version}`)
    }
  }
  const unserved = rows.filter(({ document }) => !versions.some(({ family }) => family === document))
  if (unserved[0] !== undefined) throw new Error(`the family ${unserved[0].document} has rows and no version`)
  return versions.flatMap((served) => {
    const offered = new Set(registry.operations(served.document).map(({ operationId }) => operationId))
    return rows
      .filter((row) => row.document === served.family && offered.has(row.operationId))
      .map((row) => versionOf(row, served))
  })
}

function versionOf(row: Route, { family, document, rarType }: ApiVersion): Route {
  if (document === family) return row
  // Addresses without a version stay those of the first.
  const { alsoAt: _, ...kept } = row
  return { ...kept, document, family, ...('rarType' in row && rarType !== undefined ? { rarType } : {}) } as Route
}
