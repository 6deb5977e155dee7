import type { ErrorObject } from 'ajv'

export type Violation = { readonly path: string; readonly rule: string; readonly message: string }

const REPORTED_MAX = 10
/** Longest name from the wire that is repeated to a caller. */
const NAME_MAX = 60
const LIST_MAX = 400
/** A hostile body can hold an error per byte; the first ones are as good as all. */
const EXAMINED_MAX = 200

/** Public words for what ajv found: names and limits of the schema, never a value of the body. */
export function toViolations(all: readonly ErrorObject[]): readonly Violation[] {
  const errors = all.slice(0, EXAMINED_MAX)
  const seen = new Set<string>()
  const violations: Violation[] = []
  for (const error of errors) {
    if (isOverruled(error, errors)) continue
    const violation = { path: pathOf(error), rule: error.keyword, message: messageOf(error) }
    const key = JSON.stringify(violation)
    if (seen.has(key)) continue
    seen.add(key)
    violations.push(violation)
    if (violations.length === REPORTED_MAX) break
  }
  return violations
}

/** That no branch fits says less than why the branches do not. */
const isOverruled = (error: ErrorObject, errors: readonly ErrorObject[]): boolean =>
  isChoice(error) && errors.some((other) => !isChoice(other) && isWithin(other.instancePath, error.instancePath))

const isChoice = (error: ErrorObject): boolean => error.keyword === 'anyOf' || error.keyword === 'oneOf'
const isWithin = (path: string, parent: string): boolean => path === parent || path.startsWith(`${parent}/`)

function pathOf(error: ErrorObject): string {
  const segments = error.instancePath.split('/').slice(1).map(decode)
  const member = memberAtFault(error)
  return (member === null ? segments : [...segments, member]).reduce(step, '')
}

const decode = (segment: string): string => segment.replaceAll('~1', '/').replaceAll('~0', '~')

function step(path: string, segment: string): string {
  if (/^\d+$/.test(segment)) return `${path}[${segment}]`
  const name = shorten(segment)
  if (!/^[\w-]+$/.test(name)) return `${path}[${JSON.stringify(name)}]`
  return path === '' ? name : `${path}.${name}`
}

/** A missing or unknown member is named by the path as well, so that the caller need not read the message. */
function memberAtFault(error: ErrorObject): string | null {
  const params: Readonly<Record<string, unknown>> = error.params
  const name = params['missingProperty'] ?? params['additionalProperty'] ?? params['tag']
  return typeof name === 'string' ? name : null
}

function messageOf(error: ErrorObject): string {
  const params: Readonly<Record<string, unknown>> = error.params
  switch (error.keyword) {
    case 'required':
      return 'is required'
    case 'additionalProperties':
      return 'is not known here'
    case 'discriminator':
      return 'must name one of the kinds that exist'
    case 'enum':
      return `must be one of ${list(params['allowedValues'])}`
    case 'const':
      return `must be ${String(params['allowedValue'])}`
    case 'pattern':
      return `must match ${String(params['pattern'])}`
    case 'format':
      return `must be a valid ${String(params['format'])}`
    case 'anyOf':
    case 'oneOf':
      return 'must have exactly one of the documented forms'
    default:
      // What is left speaks of a type or a limit, both taken from the schema.
      return error.message ?? 'is not as documented'
  }
}

const list = (values: unknown): string => (Array.isArray(values) ? cut(values.join(', '), LIST_MAX) : '')
const shorten = (name: string): string => cut(name, NAME_MAX)
const cut = (text: string, max: number): string => (text.length <= max ? text : `${text.slice(0, max - 1)}…`)
