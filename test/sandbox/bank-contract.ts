/** The published Ozone Connect documents, as validators: as they are, and closed so that an invented member is seen. */
import { existsSync, readFileSync } from 'node:fs'
import { Ajv, type ValidateFunction } from 'ajv'
import formats from 'ajv-formats'
import { load } from 'js-yaml'

type Schema = { readonly [name: string]: unknown }

const FOLDER = new URL('../../../shared/specs/uae-open-finance/ozone-connect/', import.meta.url)
const DATA_SHARING = new URL('uae-ozone-connect-bank-data-sharing-openapi.yaml', FOLDER)
const HEALTH = new URL('uae-ozone-connect-health-check-openapi.yaml', FOLDER)

export const publishedDocumentsPresent = existsSync(DATA_SHARING) && existsSync(HEALTH)

export type Contract = {
  /** Complaints about an answer; empty when it conforms. */
  complaints(path: string, status: number, body: unknown): readonly string[]
}

export function readContract(): Contract {
  const documents = [DATA_SHARING, HEALTH].map((url) => load(readFileSync(url, 'utf8')) as Schema)
  const ajv = new Ajv({ strict: false, allErrors: true })
  formats.default(ajv)
  const kept = new Map<string, ValidateFunction>()

  function validator(path: string, status: number): ValidateFunction {
    const key = `${path} ${status}`
    const known = kept.get(key)
    if (known !== undefined) return known
    const document = documents.find((candidate) => isSchema(candidate['paths']) && path in candidate['paths'])
    if (document === undefined) throw new Error(`no document describes ${path}`)
    const responses = member(document, 'paths', path, 'get', 'responses')
    const response = resolve(document, member(responses, String(status)) ?? member(responses, 'default'))
    const schema = member(response, 'content', 'application/json', 'schema')
    const compiled = ajv.compile(closed(document, schema))
    kept.set(key, compiled)
    return compiled
  }

  return {
    complaints(path, status, body) {
      const validate = validator(path, status)
      return validate(body)
        ? []
        : (validate.errors ?? []).map(
            (error) => `${error.instancePath} ${error.message} ${JSON.stringify(error.params)}`,
          )
    },
  }
}

const isSchema = (value: unknown): value is Schema =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

function member(value: unknown, ...path: readonly string[]): unknown {
  return path.reduce<unknown>((here, name) => (isSchema(here) ? here[name] : undefined), value)
}

function resolve(document: Schema, value: unknown): unknown {
  const reference = member(value, '$ref')
  if (typeof reference !== 'string') return value
  return resolve(document, member(document, ...reference.slice(2).split('/')))
}

/**
 * References put in place, `allOf` merged into one object (closed branches beside further members would admit nothing),
 * and every object that lists its members closed: the documents leave most open, and a misspelt member would pass.
 */
function closed(document: Schema, given: unknown): Schema {
  const schema = resolve(document, given)
  if (!isSchema(schema)) return {}
  const merged = merge(document, schema)
  const out: Record<string, unknown> = {}
  for (const [name, value] of Object.entries(merged)) {
    if (name === 'properties' && isSchema(value)) {
      out[name] = Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, closed(document, inner)]))
    } else if (name === 'items') out[name] = closed(document, value)
    else if ((name === 'anyOf' || name === 'oneOf') && Array.isArray(value))
      out[name] = value.map((inner) => closed(document, inner))
    else if (name !== 'discriminator' && name !== 'example') out[name] = value
  }
  return 'properties' in out ? { ...out, additionalProperties: false } : out
}

function merge(document: Schema, schema: Schema): Schema {
  const { allOf, ...own } = schema
  if (!Array.isArray(allOf)) return own
  const parts = [own, ...allOf].map((part) => {
    const found = resolve(document, part)
    return isSchema(found) ? merge(document, found) : {}
  })
  const properties: Record<string, unknown> = {}
  for (const part of parts) {
    const named = part['properties']
    if (isSchema(named)) for (const [name, value] of Object.entries(named)) properties[name] ??= value
  }
  const required = parts.flatMap((part) => (Array.isArray(part['required']) ? (part['required'] as unknown[]) : []))
  const rest = Object.assign({}, ...parts) as Schema
  return {
    ...rest,
    ...(Object.keys(properties).length === 0 ? {} : { properties }),
    ...(required.length === 0 ? {} : { required: [...new Set(required)] }),
  }
}
