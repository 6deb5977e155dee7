/**
 * A table read from a document: for bodies that both sides spell alike, the receiver's schema is the list of members
 * that go through. Whatever it does not name stays here, as with a table that is written out.
 */
import type { Node } from '../../schema-registry.ts'
import { type Convert, compile, convert, type Kind, type Members } from './shape.ts'

export function alike(schema: Node): Kind {
  const members = membersOf(schema)
  const items = itemsOf(schema)
  if (members === null && items === null) return convert((value) => value ?? undefined)
  const object: Convert | null = members && compile({ members })
  const each: Convert | null = items && compile({ each: items })
  return convert((value, quality) => {
    const how = Array.isArray(value) ? each : object
    return how === null ? value : how(value, quality)
  })
}

/** Null where the schema names no member: then nobody knows what belongs there, and all of it goes through. */
function membersOf(schema: Node): Members | null {
  const found = new Map<string, Node[]>()
  for (const part of partsOf(schema)) {
    for (const [name, member] of Object.entries(nodeIn(part, 'properties') ?? {})) {
      found.set(name, [...(found.get(name) ?? []), member as Node])
    }
  }
  if (found.size === 0) return null
  return Object.fromEntries([...found].map(([name, schemas]) => [name, [name, alike({ anyOf: schemas })] as const]))
}

function itemsOf(schema: Node): Kind | null {
  const items = partsOf(schema).flatMap((part) => nodeIn(part, 'items') ?? [])
  return items.length === 0 ? null : alike({ anyOf: items })
}

/** The schema itself and every one that it is combined of: a value may follow any of them. */
function partsOf(schema: Node): readonly Node[] {
  const combined = ['allOf', 'anyOf', 'oneOf'].flatMap((how) =>
    Array.isArray(schema[how]) ? (schema[how] as Node[]) : [],
  )
  return [schema, ...combined.flatMap(partsOf)]
}

function nodeIn(schema: Node, name: string): Node | null {
  const value = schema[name]
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Node) : null
}
