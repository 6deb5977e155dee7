/** The documents of `schemas/`, as they are written: references are kept, because pages turn them into links. */
import { globSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { load } from 'js-yaml'

export type Node = { readonly [name: string]: unknown }
export type Reference = {
  /** Name of the page, e.g. `account-information`. */
  readonly name: string
  readonly side: Side
  readonly title: string
  /** What the file says of itself. */
  readonly about: string
  readonly document: Node
}
export type Side = keyof typeof SIDES

/** By folder, in the order of the first page. */
export const SIDES = {
  standards: 'What a TPP calls at the hub, and what it is told',
  rar: 'What a TPP asks a customer for: one element of authorization_details',
  'api-hub': 'What an LFI calls at the hub, and reports',
  'ozone-connect': 'What the hub calls at an LFI',
} as const

const SCHEMAS = fileURLToPath(new URL('../../schemas', import.meta.url))

export function readReferences(): readonly Reference[] {
  const sides = Object.keys(SIDES) as Side[]
  return sides.flatMap((side) =>
    globSync('*.yaml', { cwd: join(SCHEMAS, side) })
      .sort()
      .map((file): Reference => {
        const text = readFileSync(join(SCHEMAS, side, file), 'utf8')
        const document = nodeOf(load(text))
        const title = nodeOf(document['info'])['title'] ?? document['title']
        return {
          name: `${side}.${basename(file, '.yaml')}`,
          side,
          title: String(title),
          about: aboutOf(text),
          document,
        }
      }),
  )
}

/** The comment that a file begins with. */
const aboutOf = (text: string): string => (/^(?:#.*\n)+/.exec(text)?.[0] ?? '').replaceAll(/^# ?/gm, '').trim()

export const nodeOf = (value: unknown): Node =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Node) : {}
export const nodesOf = (value: unknown): readonly Node[] => (Array.isArray(value) ? value.map(nodeOf) : [])

/** Parameters, headers and answers are shown where they are used. */
export function followed(document: Node, value: unknown): Node {
  const node = nodeOf(value)
  const reference = node['$ref']
  if (typeof reference !== 'string') return node
  let found: unknown = document
  for (const part of reference.split('/').slice(1)) found = nodeOf(found)[part]
  return nodeOf(found)
}

/** Those with a name, which get a table of their own. */
export const namedSchemas = (document: Node): readonly (readonly [string, unknown])[] =>
  Object.entries(nodeOf(nodeOf(document['components'])['schemas'] ?? document['$defs']))
