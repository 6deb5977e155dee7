/** The schemas are the reference documentation, so what a description claims is held against the schema itself. */
import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'

type Schema = {
  readonly description?: string
  readonly default?: unknown
  readonly required?: readonly string[]
  readonly properties?: Readonly<Record<string, Schema>>
  readonly [keyword: string]: unknown
}
type Described = { readonly path: string; readonly isRequired: boolean; readonly schema: Schema }

function propertiesOf(schema: Schema, path = ''): readonly Described[] {
  const own = Object.entries(schema.properties ?? {}).map(([name, child]) => ({
    path: `${path}.${name}`,
    isRequired: schema.required?.includes(name) ?? false,
    schema: child,
  }))
  const inner = Object.entries(schema).flatMap(([keyword, part]) => {
    if (part === null || typeof part !== 'object' || ['default', 'required', 'enum'].includes(keyword)) return []
    return Object.entries(part).flatMap(([name, child]) =>
      child !== null && typeof child === 'object'
        ? propertiesOf(child as Schema, `${path}${keyword === 'properties' ? '' : `.${keyword}`}.${name}`)
        : [],
    )
  })
  return [...own, ...inner]
}

const UNITS: Readonly<Record<string, number>> = { KiB: 1024, MiB: 1024 * 1024 }

/** What a description says the default is, as a value; undefined where it says it in words. */
function claimed(text: string): unknown {
  const [, amount, unit] = /^(\d+(?:\.\d+)?)(?: (KiB|MiB))?$/.exec(text) ?? []
  if (amount !== undefined) return Number(amount) * (unit === undefined ? 1 : (UNITS[unit] ?? Number.NaN))
  if (text === 'none') return []
  if (text === 'true' || text === 'false') return text === 'true'
  const members = /^\{ (.+) \}$/
    .exec(text)?.[1]
    ?.split(', ')
    .map((each) => each.split(': '))
  if (members !== undefined) return Object.fromEntries(members.map(([name, value]) => [name, claimed(value ?? '')]))
  return text
}

describe.each(['deployment', 'tenant'])('config/%s.schema.json', (name) => {
  const schema = JSON.parse(readFileSync(`config/${name}.schema.json`, 'utf8')) as Schema
  const all = propertiesOf(schema)

  test('describes every key, and says whether it is required', () => {
    expect(all.length).toBeGreaterThan(20)
    const silent = all.filter(({ schema, isRequired }) => {
      const starts = isRequired ? /^Required\. \S/ : /^Optional; default(: \S| \S)/
      return !starts.test(schema.description ?? '')
    })
    expect(silent.map(({ path }) => path)).toEqual([])
  })

  test('gives the default that is documented', () => {
    for (const { path, schema } of all.filter((each) => !each.isRequired)) {
      const inWords = /^Optional; default: (.+?)[.;]( |$)/.exec(schema.description ?? '')?.[1]
      const value = /^Optional; default (\{.*?\}|[^:]+?)[.:;]( |$)/.exec(schema.description ?? '')?.[1]
      if (value !== undefined && !(value === 'none' && schema.default === undefined)) {
        expect(claimed(value), path).toEqual(schema.default)
      } else if (inWords === 'the defaults of its keys') {
        expect(schema.default, path).toEqual({})
      } else {
        // A default that depends on something else is in the code that knows it.
        expect(schema.default, path).toBeUndefined()
        expect(inWords ?? value, path).toMatch(
          /^(all|none|those in common use in the Emirates|the system's authorities|the tenant id|falaj\/ and the id|optional with private_key_jwt and dpop, else required)$/,
        )
      }
    }
  })

  test('has no default for what is required', () => {
    expect(all.filter(({ isRequired, schema }) => isRequired && schema.default !== undefined)).toEqual([])
  })

  test('takes no key that it does not describe', () => {
    const open: string[] = []
    const walk = (part: unknown, path: string): void => {
      if (part === null || typeof part !== 'object') return
      const at = part as Schema
      if (at.properties !== undefined && at['additionalProperties'] !== false) open.push(path)
      for (const [key, child] of Object.entries(part)) walk(child, `${path}.${key}`)
    }
    walk(schema, name)
    expect(open).toEqual([])
  })
})
