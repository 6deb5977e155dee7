import type { Check, SchemaRegistry } from '../../src/schema-registry.ts'
import { operationsOf } from './facts.ts'
import { type Instance, instancesOf } from './instances.ts'
import {
  createPublishedJudge,
  type Json,
  json,
  meant,
  PAIRS,
  type PublishedId,
  plainSchema,
  RAR,
  RAR_FILE,
  readOurs,
  readPublished,
  resolve,
  type Verdict,
} from './published.ts'

/** A body that the published document and ours both describe. */
export type Body = {
  readonly name: string
  readonly published: Verdict
  readonly ours: Check
  /** Made from both descriptions, so that what only one of them knows is tried as well. */
  instances(): Generator<Instance & { readonly from: 'published' | 'ours' }>
}

type Described = { readonly root: Json; readonly schema: unknown }

export function bodiesOf(id: PublishedId, registry: SchemaRegistry): readonly Body[] {
  const root = readPublished(PAIRS[id].published)
  const judge = createPublishedJudge(root)
  const cleaned = { components: meant(root, root['components']) }
  const oursRoot = readOurs(PAIRS[id].ours)
  const oursById = new Map(operationsOf(oursRoot).map(({ operation }) => [String(operation['operationId']), operation]))

  return operationsOf(root).flatMap(({ operation }) => {
    const operationId = String(operation['operationId'])
    const ours = oursById.get(operationId)
    if (ours === undefined) return []
    const pair = (name: string, published: unknown, mine: unknown, check: () => Check | null): readonly Body[] => {
      const schema = plainSchema(root, resolve(root, published))
      if (schema === undefined) return []
      const oursSchema = plainSchema(oursRoot, resolve(oursRoot, mine))
      return [
        createBody(
          `${id} ${operationId} ${name}`,
          judge(schema),
          check(),
          { root: cleaned, schema: meant(root, schema) },
          { root: oursRoot, schema: oursSchema },
        ),
      ]
    }
    return [
      ...pair('request', operation['requestBody'], ours['requestBody'], () => registry.requestBody(id, operationId)),
      ...Object.entries(json(operation['responses'])).flatMap(([status, response]) =>
        pair(status, response, json(ours['responses'])[status], () =>
          registry.response(id, operationId, statusOf(status)),
        ),
      ),
    ]
  })
}

export function rarBodies(registry: SchemaRegistry): readonly Body[] {
  const root = readPublished(RAR_FILE)
  const judge = createPublishedJudge(root)
  const cleaned = { components: meant(root, root['components']) }
  return RAR.map(({ ours: file, urn, component }) => {
    const schema = { $ref: `#/components/schemas/${component}` }
    const ours = readOurs(file)
    const described = { root: ours, schema: ours }
    return createBody(`rar ${urn}`, judge(schema), registry.rar(urn), { root: cleaned, schema }, described)
  })
}

function createBody(name: string, published: Verdict, ours: Check | null, theirs: Described, mine: Described): Body {
  if (ours === null) throw new Error(`${name} is published with a body, and ours has none`)
  return {
    name,
    published,
    ours,
    *instances() {
      for (const instance of instancesOf(theirs.root, theirs.schema)) yield { ...instance, from: 'published' }
      for (const instance of instancesOf(mine.root, mine.schema)) yield { ...instance, from: 'ours' }
    },
  }
}

/** `default` stands for a status that no document lists. */
const statusOf = (status: string): number => (status === 'default' ? 418 : Number(status))
