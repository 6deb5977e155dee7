/**
 * Published documents that an operator puts in the place of ours, so that an erratum can be followed without a new
 * release. Only bodies are taken from them: operations, parameters and statuses are what the code was written for, and
 * a file that lacks one of those operations is refused.
 */
import { existsSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { load } from 'js-yaml'
import { OperatorError } from '../errors.ts'
import { at, type DocumentId, list, type Node, node, type Operation, operationsIn, resolve } from './documents.ts'

/** Under which name the document of each family is published. */
export const PUBLISHED_NAMES: Readonly<Partial<Record<DocumentId, string>>> = {
  'account-information': 'uae-account-information-openapi.yaml',
  'confirmation-of-payee': 'uae-confirmation-of-payee-openapi.yaml',
  atm: 'uae-atm-openapi.yaml',
  product: 'uae-product-openapi.yaml',
  fx: 'uae-fx-service-initiation-openapi.yaml',
  'account-opening': 'uae-account-opening-service-initiation-openapi.yaml',
  'data-sharing': 'uae-ozone-connect-bank-data-sharing-openapi.yaml',
  'open-data': 'uae-ozone-connect-bank-open-data-openapi.yaml',
  'products-data': 'uae-ozone-connect-bank-products-data-openapi.yaml',
  'fx-and-account-opening': 'uae-ozone-connect-bank-service-initiation-openapi.yaml',
}

export type PublishedDocument = {
  readonly file: string
  readonly operations: ReadonlyMap<string, Operation>
  readonly schemas: Node
}

/** Null where the folder has no file for the family. @throws OperatorError for a file that cannot be used */
export function readPublished(
  directory: string,
  id: DocumentId,
  needed: ReadonlyMap<string, Operation>,
): PublishedDocument | null {
  const name = PUBLISHED_NAMES[id]
  const file = join(directory, name ?? '')
  if (name === undefined || !existsSync(file)) return null
  try {
    const root = merged(load(readFileSync(file, 'utf8')))
    const operations = operationsIn(root)
    for (const [operationId, { facts }] of needed) {
      const found = operations.get(operationId)?.facts
      if (found?.method !== facts.method || found.path !== facts.path) {
        throw new Error(`it has no operation ${operationId} at ${facts.method} ${facts.path}`)
      }
    }
    return { file, operations, schemas: node(at(root, ['components', 'schemas'])) }
  } catch (cause) {
    throw new OperatorError(`publishedSchemas: ${file} cannot be used: ${cause instanceof Error ? cause.message : ''}`)
  }
}

/** @throws OperatorError where there is no such folder, or nothing in it that could be used */
export function requireDirectory(directory: string): void {
  if (!existsSync(directory) || !statSync(directory).isDirectory()) {
    throw new OperatorError(`publishedSchemas: ${directory} is not a folder`)
  }
  const known = Object.values(PUBLISHED_NAMES)
  if (!known.some((name) => existsSync(join(directory, name)))) {
    throw new OperatorError(`publishedSchemas: ${directory} holds none of ${known.join(', ')}`)
  }
}

/**
 * A closed object that is also built with `allOf` forbids its parts to each other and accepts nothing: what is meant
 * is one object of all of them. Everything else stays as it is published.
 */
function merged(document: unknown): Node {
  const root = node(document)
  const merge = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(merge)
    if (typeof value !== 'object' || value === null) return value
    const copy = Object.fromEntries(Object.entries(value).map(([key, member]) => [key, merge(member)]))
    if (copy['additionalProperties'] !== false || !Array.isArray(copy['allOf'])) return copy
    const { allOf, ...own } = copy
    const parts = [...list(allOf).map((part) => resolve(root, part)), own]
    return {
      type: 'object',
      additionalProperties: false,
      properties: Object.assign({}, ...parts.map((part) => merge(part['properties'] ?? {}))),
      required: parts.flatMap((part) => list(part['required'])),
    }
  }
  return node(merge(root))
}
