/** A schema as people read it: a table of its members, with tables in it where members have members. */
import { type Html, html, type Piece } from '../html.ts'
import { type Node, nodeOf, nodesOf } from './documents.ts'

/** Deeper than any document goes; a cycle passes through names, which are links. */
const DEPTH_MAX = 20

export function schemaTable(value: unknown, depth = 0): Html {
  const schema = nodeOf(value)
  if (depth > DEPTH_MAX) throw new Error('a schema is nested deeper than anybody reads')
  const members = Object.entries(nodeOf(schema['properties']))
  const required = new Set(Array.isArray(schema['required']) ? schema['required'].map(String) : [])
  const rows = members.map(([name, member]) => {
    const { description, deprecated } = nodeOf(member)
    return html`<tr><th scope="row"><code>${name}</code>${required.has(name) ? html` <span class="required">required</span>` : null}</th>
<td>${typeOf(member)}${deprecated === true ? ', deprecated' : null}</td><td>${text(description)}${inside(member, depth)}</td></tr>\n`
  })
  return html`${rows.length === 0 ? null : html`<table><thead><tr><th scope="col">Member</th><th scope="col">Type</th><th scope="col">Meaning</th></tr></thead>\n<tbody>\n${rows}</tbody></table>`}
${CHOICES.map(([keyword, words]) => choice(schema, keyword, words, depth))}`
}

const CHOICES = [
  ['allOf', 'All of'],
  ['oneOf', 'Exactly one of'],
  ['anyOf', 'At least one of'],
] as const

function choice(schema: Node, keyword: string, words: string, depth: number): Piece {
  const parts = nodesOf(schema[keyword])
  if (parts.length === 0) return null
  return html`<p>${words}:</p>\n<ul>${parts.map((part) => {
    const alone = Object.keys(part).every((each) => each === 'required') && Array.isArray(part['required'])
    const shown = alone ? `with ${(part['required'] as readonly string[]).join(', ')}` : typeOf(part)
    return html`<li>${shown} ${text(part['description'])}${inside(part, depth)}</li>`
  })}</ul>`
}

/** What is nested in a member and has no name of its own. */
function inside(value: unknown, depth: number): Piece {
  const schema = nodeOf(value)
  if (schema['$ref'] !== undefined) return null
  if (schema['items'] !== undefined) return inside(schema['items'], depth + 1)
  const isPlain = ['properties', 'allOf', 'oneOf', 'anyOf'].every((keyword) => schema[keyword] === undefined)
  return isPlain ? null : schemaTable(schema, depth + 1)
}

export function typeOf(value: unknown): Piece {
  const schema = nodeOf(value)
  const reference = schema['$ref']
  if (typeof reference === 'string') {
    const name = reference.split('/').at(-1) ?? ''
    return html`<a href="#schema-${name}">${name}</a>`
  }
  if (schema['items'] !== undefined) return html`list of ${typeOf(schema['items'])}${limits(schema)}`
  if (schema['const'] !== undefined) return html`<code>${String(schema['const'])}</code>`
  if (Array.isArray(schema['enum'])) {
    return html`one of ${schema['enum'].map((each, n) => html`${n === 0 ? null : ', '}<code>${String(each)}</code>`)}`
  }
  const type = schema['type'] ?? (schema['properties'] === undefined ? 'any' : 'object')
  const format = schema['format'] === undefined ? null : html`, ${String(schema['format'])}`
  return html`${Array.isArray(type) ? type.join(' or ') : String(type)}${format}${limits(schema)}`
}

const LIMITS: readonly (readonly [string, string])[] = [
  ['minLength', 'at least %s characters'],
  ['maxLength', 'at most %s characters'],
  ['minimum', 'at least %s'],
  ['maximum', 'at most %s'],
  ['minItems', 'at least %s'],
  ['maxItems', 'at most %s'],
  ['minProperties', 'at least %s members'],
]

function limits(schema: Node): Piece {
  const said = LIMITS.flatMap(([keyword, words]) =>
    schema[keyword] === undefined ? [] : [words.replace('%s', String(schema[keyword]))],
  )
  const pattern = schema['pattern'] === undefined ? null : html`, like <code>${String(schema['pattern'])}</code>`
  const closed = schema['additionalProperties'] === false ? ', no other members' : null
  return html`${said.map((each) => `, ${each}`)}${pattern}${closed}`
}

const text = (value: unknown): Piece => (typeof value === 'string' ? value : null)
