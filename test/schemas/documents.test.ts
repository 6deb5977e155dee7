import { readdirSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { type DocumentId, loadSchemas } from '../../src/schema-registry.ts'
import { operationsOf } from './facts.ts'
import { instancesOf } from './instances.ts'
import { json, OURS, PAIRS, type PublishedId, plainSchema, RAR, readOurs, resolve, UNPUBLISHED } from './published.ts'

const OURS_OF: Readonly<Record<DocumentId, string>> = {
  ...UNPUBLISHED,
  ...(Object.fromEntries(Object.entries(PAIRS).map(([id, { ours }]) => [id, ours])) as Record<PublishedId, string>),
}
const IDS = Object.keys(OURS_OF) as DocumentId[]
const registry = loadSchemas()

describe('the documents of schemas/', () => {
  it('are all served', () => {
    const files = readdirSync(OURS, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.yaml'))
    expect(files.sort()).toEqual([...IDS.map((id) => OURS_OF[id]), ...RAR.map(({ ours }) => ours)].sort())
  })

  it.each(IDS)('%s: every reference leads somewhere and every component is used', (id) => {
    const root = readOurs(OURS_OF[id])
    const refs = new Set(referencesIn(root))
    const components = Object.entries(json(root['components'])).flatMap(([section, entries]) =>
      section === 'securitySchemes' ? [] : Object.keys(json(entries)).map((name) => `#/components/${section}/${name}`),
    )
    expect([...refs].sort()).toEqual(components.sort())
  })

  it.each(IDS)('%s: every body can be satisfied, complete and at its least', (id) => {
    const root = readOurs(OURS_OF[id])
    const refused: string[] = []
    let bodies = 0
    for (const { operation } of operationsOf(root)) {
      const operationId = String(operation['operationId'])
      const responses = Object.entries(json(operation['responses'])).filter(([status]) => status !== 'default')
      const described = [
        {
          name: 'request',
          holder: resolve(root, operation['requestBody']),
          check: registry.requestBody(id, operationId),
        },
        ...responses.map(([status, raw]) => ({
          name: status,
          holder: resolve(root, raw),
          check: registry.response(id, operationId, Number(status)),
        })),
      ]
      for (const { name, holder, check } of described) {
        const schema = plainSchema(root, holder)
        expect(check === null, `${operationId} ${name}`).toBe(schema === undefined)
        if (schema === undefined || check === null) continue
        bodies += 1
        for (const { kind, at, value } of instancesOf(root, schema)) {
          if (kind !== 'complete' && kind !== 'least') continue
          if (check(value).length > 0) refused.push(`${operationId} ${name} ${at} ${kind}`)
        }
      }
    }
    expect(bodies).toBeGreaterThan(0)
    expect(refused).toEqual([])
  })
})

function referencesIn(value: unknown): readonly string[] {
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([key, member]) =>
    key === '$ref' && typeof member === 'string' ? [member] : referencesIn(member),
  )
}
