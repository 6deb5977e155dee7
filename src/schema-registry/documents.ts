import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { load } from 'js-yaml'

/** A piece of a parsed document. */
export type Node = { readonly [key: string]: unknown }

export const DOCUMENTS = {
  'account-information': 'standards/account-information.v2.1.yaml',
  'confirmation-of-payee': 'standards/confirmation-of-payee.v2.1.yaml',
  atm: 'standards/atm.v2.1.yaml',
  product: 'standards/product.v2.1.yaml',
  fx: 'standards/fx.v2.1.yaml',
  'account-opening': 'standards/account-opening.v2.1.yaml',
  onboarding: 'standards/onboarding.v2.1.yaml',
  webhook: 'standards/webhook.v2.1.yaml',
  'audit-receipts': 'standards/audit-receipts.v1.yaml',
  'data-sharing': 'ozone-connect/data-sharing.v2.1.yaml',
  'open-data': 'ozone-connect/open-data.v2.1.yaml',
  'products-data': 'ozone-connect/products-data.v2.1.yaml',
  'fx-and-account-opening': 'ozone-connect/fx-and-account-opening.v2.1.yaml',
  'health-check': 'ozone-connect/health-check.v2.1.yaml',
  'consent-events-actions': 'ozone-connect/consent-events-actions.v2.1.yaml',
  'consent-manager': 'api-hub/consent-manager.v2.1.yaml',
  'tpp-reports': 'api-hub/tpp-reports.v2.1.yaml',
  'headless-authorization': 'api-hub/headless-authorization.v2.1.yaml',
  'bank-initiation': 'standards/bank-initiation.v2.1.yaml',
  'service-initiation': 'ozone-connect/service-initiation.v2.1.yaml',
  'payment-consents': 'standards/payment-consents.v2.1.yaml',
  'insurance-consents': 'standards/insurance-consents.v2.1.yaml',
} as const satisfies Record<string, string>

export type DocumentId = keyof typeof DOCUMENTS

export type OperationFacts = {
  readonly operationId: string
  readonly method: string
  readonly path: string
  readonly requestMediaTypes: readonly string[]
  readonly responseMediaTypes: readonly string[]
  readonly statuses: readonly number[]
}

export type Place = 'path' | 'query' | 'header'
export type Parameter = {
  readonly name: string
  readonly place: Place
  readonly required: boolean
  readonly schema: Node
  /** Stands for whatever parameters there are (`style: form`, exploded object). */
  readonly everything: boolean
}

export type Operation = {
  readonly facts: OperationFacts
  readonly parameters: readonly Parameter[]
  /** Plain body, before any signature; null where there is none. */
  readonly requestBody: { readonly required: boolean; readonly schema: Node } | null
  /** By status or `default`. */
  readonly responses: ReadonlyMap<string, Node | null>
}

export type Document = {
  readonly basePath: string
  readonly operations: ReadonlyMap<string, Operation>
  readonly schemas: Node
}

const METHODS = new Set(['get', 'put', 'post', 'delete', 'patch'])

export function readDocument(file: string): Document {
  const root = readYaml(file)
  return {
    basePath: basePathOf(root),
    operations: operationsIn(root),
    schemas: node(at(root, ['components', 'schemas'])),
  }
}

export function operationsIn(root: Node): ReadonlyMap<string, Operation> {
  const operations = new Map<string, Operation>()
  for (const [path, item] of Object.entries(node(root['paths']))) {
    for (const [method, operation] of Object.entries(node(item))) {
      if (!METHODS.has(method)) continue
      const shared = list(node(item)['parameters'])
      const read = readOperation(root, path, method, {
        ...node(operation),
        parameters: [...shared, ...list(node(operation)['parameters'])],
      })
      operations.set(read.facts.operationId, read)
    }
  }
  return operations
}

/** Schemas of authorization details, by the URN in `type`. */
export function readRarSchemas(directory: string): ReadonlyMap<string, Node> {
  const folder = join(directory, 'rar')
  const schemas = readdirSync(folder)
    .filter((name) => name.endsWith('.yaml'))
    .map((name) => readYaml(join(folder, name)))
  return new Map(schemas.map((schema) => [text(at(schema, ['properties', 'type', 'const'])), schema]))
}

function readOperation(root: Node, path: string, method: string, operation: Node): Operation {
  const body = operation['requestBody'] === undefined ? null : resolve(root, operation['requestBody'])
  const responses = Object.entries(node(operation['responses'])).map(
    ([status, response]) => [status, resolve(root, response)] as const,
  )
  return {
    facts: {
      operationId: text(operation['operationId']),
      method: method.toUpperCase(),
      path,
      requestMediaTypes: body === null ? [] : Object.keys(node(body['content'])),
      responseMediaTypes: responses
        .filter(([status]) => status.startsWith('2'))
        .flatMap(([, response]) => Object.keys(node(response['content'] ?? {}))),
      statuses: responses.map(([status]) => Number(status)).filter(Number.isInteger),
    },
    parameters: list(operation['parameters']).map((parameter) => readParameter(root, parameter)),
    requestBody: body === null ? null : { required: body['required'] === true, schema: plainSchema(root, body) ?? {} },
    responses: new Map(responses.map(([status, response]) => [status, plainSchema(root, response)])),
  }
}

function readParameter(root: Node, raw: unknown): Parameter {
  const parameter = resolve(root, raw)
  const place = parameter['in']
  if (place !== 'path' && place !== 'query' && place !== 'header') throw new Error('a parameter in an unknown place')
  const schema = resolve(root, parameter['schema'])
  return {
    name: text(parameter['name']),
    place,
    required: parameter['required'] === true,
    schema,
    everything: place === 'query' && schema['type'] === 'object',
  }
}

/**
 * The schema of the first media type that carries the plain body: signed variants hold the same under `message`. Where
 * there is no plain one, it is the claim `message` of the signed one, or all that is said of it.
 */
function plainSchema(root: Node, holder: Node): Node | null {
  const content = Object.entries(node(holder['content'] ?? {}))
  const plain = content.find(([mediaType]) => mediaType !== 'application/jwt')
  if (plain !== undefined) return node(node(plain[1])['schema'])
  return content[0] === undefined ? null : messageOf(root, node(node(content[0][1])['schema']))
}

/** The claims are one object, or several that are one; a published file may describe the bare message. */
function messageOf(root: Node, schema: Node): Node {
  const claims = resolve(root, schema)
  const parts = [schema, claims, ...list(claims['allOf']).map((part) => resolve(root, part))]
  const message = parts.map((part) => node(part['properties'] ?? {})['message']).find((found) => found !== undefined)
  return message === undefined ? schema : node(message)
}

function basePathOf(root: Node): string {
  const first = list(root['servers'])[0]
  return first === undefined ? '' : text(node(first)['url'])
}

/** The schema with what its references lead to in their place. No document here refers to itself in a circle. */
export function followed(schema: Node, components: Node): Node {
  const follow = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(follow)
    if (typeof value !== 'object' || value === null) return value
    const { $ref, ...rest } = value as Node
    const own = Object.fromEntries(Object.entries(rest).map(([key, member]) => [key, follow(member)]))
    if (typeof $ref !== 'string') return own
    return { ...node(follow(components[$ref.split('/').at(-1) ?? ''])), ...own }
  }
  return node(follow(schema))
}

const readYaml = (file: string): Node => node(load(readFileSync(file, 'utf8'), { maxAliases: 0 }))

export function resolve(root: Node, value: unknown): Node {
  const found = node(value)
  const ref = found['$ref']
  return typeof ref === 'string' ? resolve(root, at(root, ref.split('/').slice(1))) : found
}

export const at = (root: Node, keys: readonly string[]): unknown =>
  keys.reduce<unknown>((from, key) => node(from)[key], root)

export function node(value: unknown): Node {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new Error('not a mapping in a document')
  return value as Node
}

export const list = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : [])

function text(value: unknown): string {
  if (typeof value !== 'string') throw new Error('not a text in a document')
  return value
}
