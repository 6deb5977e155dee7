import { hash } from 'node:crypto'
import { afterAll, describe, expect, it } from 'vitest'
import { loadSchemas } from '../../src/schema-registry.ts'
import { type Body, bodiesOf, rarBodies } from './bodies.ts'
import { type Divergence, EXAMPLE_DIVERGENCES, FACT_DIVERGENCES, LEFT_OUT, VERDICT_DIVERGENCES } from './divergences.ts'
import { factsOf, operationsOf } from './facts.ts'
import { isPublishedPresent, json, leftOut, PAIRS, type PublishedId, readOurs, readPublished } from './published.ts'

const title = `parity with the published files${isPublishedPresent ? '' : ' — skipped, they are not beside the repository'}`
const IDS = Object.keys(PAIRS) as PublishedId[]
const TESTED = [...IDS, 'rar'] as const

const registry = loadSchemas()
const tally = { bodies: 0, instances: 0, accepted: 0, examples: 0 }
const used = new Set<Divergence>()

/** Some documents make tens of thousands of bodies. */
const COMPARED_WITHIN_MS = 300_000

describe.skipIf(!isPublishedPresent)(title, { timeout: COMPARED_WITHIN_MS }, () => {
  it.each(IDS)('%s offers the same operations, parameters, statuses and media types', (id) => {
    const ours = factsOf(readOurs(PAIRS[id].ours))
    const published = factsOf(readPublished(PAIRS[id].published))
    expect(published.size).toBeGreaterThan(3)
    const differences = [
      ...[...published].filter((fact) => !ours.has(fact)).map((fact) => `${id} published: ${fact}`),
      ...[...ours].filter((fact) => !published.has(fact)).map((fact) => `${id} ours: ${fact}`),
    ]
    expect(unexplained(differences, FACT_DIVERGENCES)).toEqual([])
  })

  it.each(IDS)('the registry serves what the document %s says', (id) => {
    const documented = operationsOf(readOurs(PAIRS[id].ours)).map(({ path, method, operation }) => ({
      operationId: operation['operationId'],
      method,
      path,
      statuses: Object.keys(json(operation['responses']))
        .filter((status) => status !== 'default')
        .map(Number),
    }))
    const served = registry
      .operations(id)
      .map(({ operationId, method, path, statuses }) => ({ operationId, method, path, statuses }))
    expect(served).toEqual(documented)
  })

  it.each(TESTED)('%s gives the same verdicts', (id) => {
    const differences = new Set<string>()
    for (const body of bodies(id)) {
      tally.bodies += 1
      const before = { ...tally }
      // Of what is made from both descriptions nearly half is the same body again, with the same two answers.
      const judged = new Map<string, Verdicts>()
      for (const { kind, at, value, from } of body.instances()) {
        const written = hash('sha1', JSON.stringify(value), 'base64')
        const verdicts = judged.get(written) ?? judgedBy(body, value)
        judged.set(written, verdicts)
        const { published: expected } = verdicts
        tally.instances += 1
        if (expected) tally.accepted += 1
        if (verdicts.ours === expected) continue
        const place = at === '' ? '(body)' : at
        differences.add(
          `${body.name} ${place} · ${kind} · made from ${from} · published ${expected ? 'accepts' : 'refuses'}`,
        )
      }
      // Without accepted and refused bodies alike the comparison would say nothing.
      expect(tally.accepted, body.name).toBeGreaterThan(before.accepted)
      expect(tally.instances - tally.accepted, body.name).toBeGreaterThan(before.instances - before.accepted)
    }
    expect(unexplained([...differences], VERDICT_DIVERGENCES)).toEqual([])
  })

  it.each(TESTED)('%s accepts the published examples', (id) => {
    const refused: string[] = []
    for (const body of bodies(id)) {
      for (const { kind, at, value } of body.instances()) {
        if (kind !== 'example') continue
        tally.examples += 1
        if (body.ours(value).length > 0) refused.push(`${body.name} ${at}`)
      }
    }
    expect(unexplained(refused, EXAMPLE_DIVERGENCES)).toEqual([])
  })

  it('compares whole documents, not a handful of bodies', () => {
    expect(tally.bodies).toBeGreaterThan(150)
    expect(tally.examples).toBeGreaterThan(100)
  })

  it('has no divergence on the list that does not occur', () => {
    const all = [...FACT_DIVERGENCES, ...VERDICT_DIVERGENCES, ...EXAMPLE_DIVERGENCES]
    expect(all.filter((divergence) => !used.has(divergence)).map(({ where }) => String(where))).toEqual([])
    expect([...leftOut].sort()).toEqual(LEFT_OUT.flatMap(({ branches }) => branches).sort())
  })

  afterAll(() => {
    console.log(
      `parity: ${tally.instances} instances of ${tally.bodies} bodies compared (${tally.accepted} accepted), ${tally.examples} examples`,
    )
  })
})

type Verdicts = { readonly published: boolean; readonly ours: boolean }
const judgedBy = (body: Body, value: unknown): Verdicts => ({
  published: body.published(value),
  ours: body.ours(value).length === 0,
})

/** Read and compiled once for both questions. */
const known = new Map<PublishedId | 'rar', readonly Body[]>()
function bodies(id: PublishedId | 'rar'): readonly Body[] {
  const found = known.get(id) ?? (id === 'rar' ? rarBodies(registry) : bodiesOf(id, registry))
  known.set(id, found)
  return found
}

/** The differences that no entry explains; the entries that explain one are marked as used. */
function unexplained(differences: readonly string[], known: readonly Divergence[]): readonly string[] {
  return differences.filter((difference) => {
    const reasons = known.filter(({ where }) => where.test(difference))
    for (const reason of reasons) used.add(reason)
    return reasons.length === 0
  })
}
