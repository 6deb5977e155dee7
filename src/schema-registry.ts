import { resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { OperatorError } from './errors.ts'
import {
  DOCUMENTS,
  type Document,
  type DocumentId,
  followed,
  type Node,
  type Operation,
  type OperationFacts,
  type Parameter,
  type Place,
  readDocument,
  readRarSchemas,
} from './schema-registry/documents.ts'
import { readPublished, requireDirectory } from './schema-registry/published.ts'
import { type Check, createValidators, type Validators } from './schema-registry/validators.ts'

export type { DocumentId, Node, OperationFacts } from './schema-registry/documents.ts'
export type { Check } from './schema-registry/validators.ts'
export type { Violation } from './schema-registry/violations.ts'

/** What `schemas/` says: the operations that exist, and whether a value has the form that they document. */
export type SchemaRegistry = {
  operations(document: DocumentId): readonly OperationFacts[]
  /** Path of the first server, '' where the document names none. */
  basePath(document: DocumentId): string
  /**
   * Each takes a plain object of texts (header names in lower case; query values also lists of texts). Numbers and
   * booleans are read from the text. Unknown query parameters are violations, unknown headers are not.
   */
  parameters(
    document: DocumentId,
    operationId: string,
  ): { readonly path: Check; readonly query: Check; readonly header: Check }
  /** Null where the operation takes no body. `undefined` stands for an absent body, fine unless one is required. */
  requestBody(document: DocumentId, operationId: string): Check | null
  /** Null where that status has no body. A status that is not listed falls to `default`, if there is one. */
  response(document: DocumentId, operationId: string, status: number): Check | null
  /** By the URN of the type; null if it is unknown. */
  rar(type: string): Check | null
  /** The same bodies as schemas, references followed; for tables that are read from a document rather than written. */
  requestSchema(document: DocumentId, operationId: string): Node | null
  responseSchema(document: DocumentId, operationId: string, status: number): Node | null
  /** Compiles everything, so that no caller waits for it. */
  warm(): void
}

const SCHEMAS = fileURLToPath(new URL('../schemas', import.meta.url))

export type SchemaOptions = {
  /** Of the documents of this release. */
  readonly directory?: string
  /** Documents beside those: files by the id that rows and versions name them with. */
  readonly further?: Readonly<Record<string, string>>
  /** Published documents that replace ours for bodies. @throws OperatorError where one of them cannot be used */
  readonly published?: string
}

/** Reads every document once; validators are compiled on first use, those of published documents at once. */
export function loadSchemas(options: SchemaOptions = {}): SchemaRegistry {
  const directory = options.directory ?? SCHEMAS
  const validators = createValidators()
  const files = Object.entries({ ...DOCUMENTS, ...options.further }) as [DocumentId, string][]
  const documents = new Map<DocumentId, Loaded>()
  for (const [id, file] of files) {
    documents.set(id, load(id, readDocument(resolve(directory, file)), validators))
  }
  if (options.published !== undefined) replaceBodies(options.published, documents)
  const rar = new Map<string, Check>()
  for (const [urn, schema] of readRarSchemas(directory)) {
    validators.add(urn, schema)
    rar.set(urn, validators.check(urn))
  }

  const document = (id: DocumentId): Loaded => found(documents.get(id), `document ${id}`)
  const operation = (id: DocumentId, operationId: string): LoadedOperation =>
    found(document(id).operations.get(operationId), `operation ${operationId} in ${id}`)

  return {
    operations: (id) => document(id).facts,
    basePath: (id) => document(id).basePath,
    parameters: (id, operationId) => operation(id, operationId).parameters,
    requestBody: (id, operationId) => operation(id, operationId).requestBody,
    response(id, operationId, status) {
      const { responses } = operation(id, operationId)
      return (
        responses.get(String(status)) ?? (responses.has(String(status)) ? null : (responses.get('default') ?? null))
      )
    },
    requestSchema: (id, operationId) => operation(id, operationId).requestSchema(),
    responseSchema: (id, operationId, status) => operation(id, operationId).responseSchema(status),
    rar: (type) => rar.get(type) ?? null,
    warm: () => validators.warm(),
  }
}

type LoadedOperation = {
  readonly parameters: Readonly<Record<Place, Check>>
  readonly requestBody: Check | null
  readonly responses: ReadonlyMap<string, Check | null>
  requestSchema(): Node | null
  responseSchema(status: number): Node | null
}

type Loaded = {
  readonly basePath: string
  readonly document: Document
  readonly facts: readonly OperationFacts[]
  readonly operations: ReadonlyMap<string, LoadedOperation>
}

/** Gives every schema of the document a name of its own beside its components, so that references in it keep working. */
function load(id: DocumentId, document: Document, validators: Validators): Loaded {
  const schemas: Record<string, unknown> = { ...document.schemas }
  const uri = `falaj://schemas/${id}`
  const define = (name: string, schema: Node): Check => {
    schemas[name] = schema
    return validators.check(`${uri}#/components/schemas/${name}`)
  }
  const operations = new Map<string, LoadedOperation>()
  for (const [operationId, operation] of document.operations) {
    operations.set(operationId, loadOperation(operationId, operation, define, document.schemas))
  }
  validators.add(uri, { components: { schemas } })
  const facts = [...document.operations.values()].map((operation) => operation.facts)
  return { basePath: document.basePath, document, facts, operations }
}

/** Bodies as they are published, parameters as they are ours. */
function replaceBodies(directory: string, documents: Map<DocumentId, Loaded>): void {
  requireDirectory(directory)
  for (const [id, ours] of documents) {
    const published = readPublished(directory, id, ours.document.operations)
    if (published === null) continue
    const validators = createValidators('as-published')
    const { operations } = load(id, { ...published, basePath: ours.basePath }, validators)
    try {
      validators.warm()
    } catch (cause) {
      const why = cause instanceof Error ? cause.message : ''
      throw new OperatorError(`publishedSchemas: ${published.file} holds a schema that cannot be compiled: ${why}`)
    }
    const replaced = [...ours.operations].map(([operationId, operation]) => {
      const bodies = operations.get(operationId)
      return [operationId, bodies === undefined ? operation : { ...bodies, parameters: operation.parameters }] as const
    })
    documents.set(id, { ...ours, operations: new Map(replaced) })
  }
}

function loadOperation(
  id: string,
  operation: Operation,
  define: (name: string, schema: Node) => Check,
  components: Node,
): LoadedOperation {
  const at = (place: Place): Check => {
    const parameters = operation.parameters.filter((parameter) => parameter.place === place)
    return coercing(parameters, define(`${id}.${place}`, parameterSchema(place, parameters)))
  }
  const { requestBody, responses } = operation
  return {
    parameters: { path: at('path'), query: at('query'), header: at('header') },
    requestBody: requestBody && presence(requestBody.required, define(`${id}.request`, requestBody.schema)),
    responses: new Map([...responses].map(([status, schema]) => [status, schema && define(`${id}.${status}`, schema)])),
    requestSchema: () => requestBody && followed(requestBody.schema, components),
    responseSchema(status) {
      const schema = responses.get(String(status))
      return schema ? followed(schema, components) : null
    },
  }
}

function parameterSchema(place: Place, parameters: readonly Parameter[]): Node {
  const named = parameters.filter((parameter) => !parameter.everything)
  const open = place === 'header' || named.length < parameters.length
  return {
    type: 'object',
    properties: Object.fromEntries(named.map(({ name, schema }) => [name, schema])),
    required: named.filter((parameter) => parameter.required).map(({ name }) => name),
    ...(open ? {} : { additionalProperties: false }),
  }
}

const REQUIRED = [{ path: '', rule: 'required', message: 'a body is required' }] as const

const presence =
  (required: boolean, check: Check): Check =>
  (value) =>
    value === undefined ? (required ? REQUIRED : []) : check(value)

/** Text that reads as the wanted type is replaced by it, in a copy; any other stays text and fails the check. */
function coercing(parameters: readonly Parameter[], check: Check): Check {
  const typed = parameters.flatMap(({ name, schema }) => {
    const read = READERS.get(String(schema['type']))
    return read === undefined ? [] : [{ name, read }]
  })
  if (typed.length === 0) return check
  return (value) => {
    if (typeof value !== 'object' || value === null) return check(value)
    const copy: Record<string, unknown> = { ...value }
    for (const { name, read } of typed) {
      const raw = copy[name]
      if (typeof raw === 'string') copy[name] = read(raw)
    }
    return check(copy)
  }
}

const READERS = new Map<string, (raw: string) => unknown>([
  ['integer', (raw) => (/^-?\d{1,15}$/.test(raw) ? Number(raw) : raw)],
  ['number', (raw) => (/^-?\d{1,15}(?:\.\d{1,15})?$/.test(raw) ? Number(raw) : raw)],
  ['boolean', (raw) => (raw === 'true' ? true : raw === 'false' ? false : raw)],
])

function found<T>(value: T | undefined, what: string): T {
  if (value === undefined) throw new Error(`no ${what}`)
  return value
}
