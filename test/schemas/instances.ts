import fc from 'fast-check'
import { type Json, json, list, resolve } from './published.ts'

/** One body, with what was done to it and where. */
export type Instance = { readonly kind: string; readonly at: string; readonly value: unknown }

/** A schema whose references and combinations are folded away; a choice gives several of these. */
type Flat = {
  readonly type: string | null
  readonly properties: ReadonlyMap<string, readonly unknown[]>
  readonly required: ReadonlySet<string>
  readonly items: unknown
  readonly enum: readonly unknown[] | null
  readonly facts: Json
}
type Size = 'full' | 'minimal'
type Wrap = (value: unknown) => unknown

/**
 * Bodies that a schema should accept (complete, least, every branch, every listed value, limits) and bodies one step
 * away from them. Whether each is valid is for the validators to say.
 */
export function* instancesOf(root: Json, schema: unknown): Generator<Instance> {
  yield* visit(root, [schema], (value) => value, '')
}

function* visit(root: Json, schemas: readonly unknown[], wrap: Wrap, at: string): Generator<Instance> {
  for (const flat of alternatives(root, { allOf: schemas })) {
    const full = sample(root, flat, 'full')
    const make = (kind: string, value: unknown): Instance => ({ kind, at, value: wrap(value) })
    yield make('complete', full)
    yield make('least', sample(root, flat, 'minimal'))
    if (flat.facts['example'] !== undefined) yield make('example', flat.facts['example'])
    for (const [kind, value] of scalarSteps(flat, full)) yield make(kind, value)
    for (const [kind, value] of wrongTypes(full)) yield make(kind, value)
    if (Array.isArray(full)) {
      yield make('empty list', [])
      const { minItems, maxItems } = flat.facts
      if (typeof minItems === 'number') yield make('too few items', full.slice(0, minItems - 1))
      if (typeof maxItems === 'number')
        yield make(
          'too many items',
          Array.from({ length: maxItems + 1 }, () => full[0]),
        )
      yield make('two items', [...full, ...full])
      yield* visit(root, [flat.items], (value) => wrap([value]), `${at}[]`)
    } else if (typeof full === 'object' && full !== null) {
      yield make('empty object', {})
      yield make('unknown member', { ...full, zzUnknown: 1 })
      for (const name of flat.properties.keys()) {
        const { [name]: _, ...rest } = json(full)
        yield { kind: 'member left out', at: join(at, name), value: wrap(rest) }
      }
      for (const [name, member] of flat.properties) {
        yield* visit(root, member, (value) => wrap({ ...full, [name]: value }), join(at, name))
      }
    }
  }
}

const join = (at: string, name: string): string => (at === '' ? name : `${at}.${name}`)

const WRONG: readonly (readonly [string, unknown])[] = [
  ['null', null],
  ['boolean', true],
  ['number', 7.5],
  ['string', 'text'],
  ['array', []],
  ['object', {}],
]

const kindOf = (value: unknown): string => (value === null ? 'null' : Array.isArray(value) ? 'array' : typeof value)

const wrongTypes = (full: unknown): readonly (readonly [string, unknown])[] =>
  WRONG.filter(([type]) => type !== kindOf(full)).map(([type, value]) => [`${type} instead`, value])

function* scalarSteps(flat: Flat, full: unknown): Generator<readonly [string, unknown]> {
  const { facts } = flat
  if (flat.enum !== null) {
    for (const value of flat.enum) {
      yield ['listed value', value]
      yield ['unlisted value', `${value}X`]
      yield ['listed value in small letters', String(value).toLowerCase()]
    }
    return
  }
  if (typeof full === 'number') {
    for (const value of [1.5, -1, 0, 1, 100, 101, 2 ** 31]) yield [`number ${value}`, value]
    if (typeof facts['minimum'] === 'number') yield ['below minimum', facts['minimum'] - 1]
    if (typeof facts['maximum'] === 'number') yield ['above maximum', facts['maximum'] + 1]
  }
  if (typeof full !== 'string') return
  yield ['empty text', '']
  const { minLength, maxLength, pattern, format } = facts
  if (typeof minLength === 'number') yield ['too short', full.slice(0, minLength - 1)]
  if (typeof maxLength === 'number') {
    yield ['longest', 'x'.repeat(maxLength)]
    yield ['too long', 'x'.repeat(maxLength + 1)]
  }
  if (pattern !== undefined) {
    for (const value of samplesOf(String(pattern))) yield ['fits pattern', value]
    for (const value of [`!${full}`, `${full}!`, full.toLowerCase(), full.toUpperCase(), ` ${full}`, `${full}\n`])
      yield ['near pattern', value]
  }
  if (format !== undefined) for (const value of FORMATTED) yield [`format ${format} against ${value}`, value]
}

const FORMATTED = [
  '2026-02-28',
  '2026-02-30',
  '2026-02-28T10:00:00Z',
  '2026-02-28T10:00:00.123+04:00',
  '2026-02-28T10:00:00',
  '2026-02-28T25:00:00Z',
  'https://bank.example/page?x=1',
  '/page',
  'not a uri',
  'somebody@bank.example',
  'somebody',
  'P1Y2M',
  'P',
  'P1D',
  '3f6f2b0c-7c5d-4a53-9f43-0b1c2d3e4f50',
  '3f6f2b0c7c5d4a539f430b1c2d3e4f50',
]

function sample(root: Json, flat: Flat, size: Size): unknown {
  if (flat.enum !== null) return flat.enum[0]
  const { facts } = flat
  switch (flat.type) {
    case 'object': {
      const names = [...flat.properties.keys()]
      const required = names.filter((name) => flat.required.has(name))
      // An object that must not be empty gets its first members where it requires none.
      const least =
        required.length < Number(facts['minProperties'] ?? 0)
          ? names.slice(0, Number(facts['minProperties']))
          : required
      return Object.fromEntries(
        (size === 'full' ? names : least).map((name) => [name, sampleOf(root, flat.properties.get(name) ?? [], size)]),
      )
    }
    case 'array': {
      const length = size === 'full' ? Math.max(1, Number(facts['minItems'] ?? 1)) : Number(facts['minItems'] ?? 0)
      return Array.from({ length }, () => sampleOf(root, [flat.items], size))
    }
    case 'boolean':
      return true
    case 'number':
    case 'integer':
      return Number(facts['minimum'] ?? 1)
    default:
      return text(facts)
  }
}

function sampleOf(root: Json, schemas: readonly unknown[], size: Size): unknown {
  const [first] = alternatives(root, { allOf: schemas })
  if (first === undefined) throw new Error('a schema without alternatives')
  return sample(root, first, size)
}

const FORMATS = new Map([
  ['date', '2026-02-28'],
  ['date-time', '2026-02-28T10:00:00+04:00'],
  ['uri', 'https://bank.example/page'],
  ['url', 'https://bank.example/page'],
  ['email', 'somebody@bank.example'],
  ['uuid', '3f6f2b0c-7c5d-4a53-9f43-0b1c2d3e4f50'],
  ['duration', 'P1Y'],
])

function text(facts: Json): string {
  const formatted = FORMATS.get(String(facts['format']))
  if (formatted !== undefined) return formatted
  const least = Number(facts['minLength'] ?? 0)
  if (facts['pattern'] === undefined) return 'sample'.padEnd(least, 'x').slice(0, Number(facts['maxLength'] ?? 50))
  const found = samplesOf(String(facts['pattern'])).find((value) => value.length >= least)
  if (found === undefined) throw new Error(`no sample for ${facts['pattern']}`)
  return found
}

const samples = new Map<string, readonly string[]>()
function samplesOf(pattern: string): readonly string[] {
  const known = samples.get(pattern)
  if (known !== undefined) return known
  const made = fc.sample(fc.stringMatching(new RegExp(pattern)), { seed: 21, numRuns: 5 })
  samples.set(pattern, made)
  return made
}

const ANYTHING: Flat = { type: null, properties: new Map(), required: new Set(), items: {}, enum: null, facts: {} }

function alternatives(root: Json, raw: unknown): readonly Flat[] {
  const schema = resolve(root, raw)
  let flats: readonly Flat[] = [own(schema)]
  for (const part of list(schema['allOf'])) flats = product(flats, alternatives(root, part))
  for (const choice of ['oneOf', 'anyOf']) {
    const branches = list(schema[choice])
    if (branches.length > 0)
      flats = product(
        flats,
        branches.flatMap((branch) => alternatives(root, branch)),
      )
  }
  return flats
}

const own = (schema: Json): Flat => ({
  ...ANYTHING,
  type: typeof schema['type'] === 'string' ? schema['type'] : schema['properties'] === undefined ? null : 'object',
  properties: new Map(Object.entries(json(schema['properties'])).map(([name, member]) => [name, [member]])),
  required: new Set(list(schema['required']).map(String)),
  items: schema['items'] ?? {},
  enum: Array.isArray(schema['enum']) ? schema['enum'] : schema['const'] === undefined ? null : [schema['const']],
  facts: schema,
})

const product = (left: readonly Flat[], right: readonly Flat[]): readonly Flat[] =>
  left.flatMap((a) => right.map((b) => both(a, b)))

function both(a: Flat, b: Flat): Flat {
  const properties = new Map(a.properties)
  for (const [name, schemas] of b.properties) properties.set(name, [...(properties.get(name) ?? []), ...schemas])
  const { enum: listed } = b
  return {
    type: b.type ?? a.type,
    properties,
    required: new Set([...a.required, ...b.required]),
    items: b.type === 'array' ? b.items : a.items,
    enum: a.enum !== null && listed !== null ? a.enum.filter((value) => listed.includes(value)) : (listed ?? a.enum),
    facts: { ...a.facts, ...b.facts },
  }
}
