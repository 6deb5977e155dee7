import type { ValidateFunction } from 'ajv'
import { Ajv2020 } from 'ajv/dist/2020.js'
import type { Node } from './documents.ts'
import { FORMATS } from './formats.ts'
import { toViolations, type Violation } from './violations.ts'

export type Check = (value: unknown) => readonly Violation[]

export type Validators = {
  /** Makes the definitions known; compiles nothing. */
  add(id: string, schema: Node): void
  /** Compiled on first use. `ref` is the id, or the id and a fragment. */
  check(ref: string): Check
  /** Compiles every check; what explains a refusal is still compiled at the first one. */
  warm(): void
}

const VALID: readonly Violation[] = []

/** The only place that knows the validation library. */
/** `strict`: a slip in a document is refused. Published documents are taken as they are. */
export function createValidators(manner: 'strict' | 'as-published' = 'strict'): Validators {
  // Valid bodies, the common case, stop at the first error; only a refused one is judged again for the rest.
  const quick = createAjv('first', manner)
  const thorough = createAjv('all', manner)
  const checks = new Map<string, Check>()
  const refs: string[] = []

  return {
    add(id, schema) {
      quick.addSchema({ ...schema, $id: id }, id, undefined, false)
      thorough.addSchema({ ...schema, $id: id }, id, undefined, false)
    },
    check(ref) {
      const known = checks.get(ref)
      if (known !== undefined) return known
      let validate: ValidateFunction | null = null
      const check: Check = (value) => {
        validate ??= compiled(quick, ref)
        return validate(value) ? VALID : explain(compiled(thorough, ref), value)
      }
      checks.set(ref, check)
      refs.push(ref)
      return check
    },
    warm() {
      for (const ref of refs) compiled(quick, ref)
    },
  }
}

function explain(validate: ValidateFunction, value: unknown): readonly Violation[] {
  validate(value)
  const violations = toViolations(validate.errors ?? [])
  // An empty list would pass for a valid value.
  if (violations.length === 0) throw new Error('a value was refused without a reason')
  return violations
}

function compiled(ajv: Ajv2020, ref: string): ValidateFunction {
  const validate = ajv.getSchema(ref)
  if (validate === undefined) throw new Error(`no schema ${ref}`)
  return validate
}

function createAjv(errors: 'first' | 'all', manner: 'strict' | 'as-published'): Ajv2020 {
  const isOurs = manner === 'strict'
  const ajv = new Ajv2020({
    allErrors: errors === 'all',
    discriminator: isOurs,
    // Unknown keywords and formats are slips in a document; a type beside every keyword is not demanded.
    strict: isOurs,
    // Nothing of a document is printed.
    logger: false,
    strictTypes: false,
    strictRequired: false,
    addUsedSchema: false,
    formats: {
      ...FORMATS,
      // Of published documents, without a meaning for validity.
      ...(isOurs ? {} : { base64: true, float: true, double: true, int64: true }),
      int32: { type: 'number', validate: (n: number) => Number.isInteger(n) && Math.abs(n) < 2 ** 31 },
    },
  })
  // OpenAPI keeps its definitions here.
  ajv.addKeyword('components')
  return ajv
}
