/**
 * `npm run parity`: for every operation and direction, how many bodies the published document and ours were both asked
 * about, and how often they agreed. Exit status 1 for a difference that test/schemas/divergences.ts does not explain.
 */
import { loadSchemas } from '../../src/schema-registry.ts'
import { type Body, bodiesOf, rarBodies } from './bodies.ts'
import { coverage, NOT_OURS } from './coverage.ts'
import { VERDICT_DIVERGENCES } from './divergences.ts'
import { isPublishedPresent, PAIRS, type PublishedId } from './published.ts'

type Line = {
  readonly name: string
  readonly instances: number
  readonly mutants: number
  readonly agreed: number
  /** Differences that are wanted, and those that nobody has explained. */
  readonly explained: number
  readonly unexplained: readonly string[]
}

function compare(body: Body): Line {
  const counts = { instances: 0, mutants: 0, agreed: 0, explained: 0 }
  const unexplained = new Set<string>()
  for (const { kind, at, value, from } of body.instances()) {
    const expected = body.published(value)
    counts[expected ? 'instances' : 'mutants'] += 1
    if ((body.ours(value).length === 0) === expected) {
      counts.agreed += 1
      continue
    }
    const verdict = expected ? 'accepts' : 'refuses'
    const difference = `${body.name} ${at === '' ? '(body)' : at} · ${kind} · made from ${from} · published ${verdict}`
    if (VERDICT_DIVERGENCES.some(({ where }) => where.test(difference))) counts.explained += 1
    else unexplained.add(difference)
  }
  return { name: body.name, ...counts, unexplained: [...unexplained] }
}

const COLUMNS = ['valid', 'mutants', 'agreed', 'explained', 'differ'] as const
const row = (name: string, cells: readonly (string | number)[]): string =>
  `${name.padEnd(84)}${cells.map((cell) => String(cell).padStart(10)).join('')}`

function print(lines: readonly Line[]): void {
  for (const { name, instances, mutants, agreed, explained, unexplained } of lines) {
    console.log(row(name, [instances, mutants, agreed, explained, unexplained.length]))
    for (const difference of unexplained) console.log(`    ${difference}`)
  }
}

if (!isPublishedPresent) {
  console.error('the published files are not beside the repository, so there is nothing to compare with')
  process.exitCode = 2
} else {
  const registry = loadSchemas()
  console.log(row('document, operation, direction', COLUMNS))
  const all = [
    ...(Object.keys(PAIRS) as PublishedId[]).flatMap((id) => bodiesOf(id, registry)),
    ...rarBodies(registry),
  ].map(compare)
  print(all)
  const sum = (of: (line: Line) => number): number => all.reduce((total, line) => total + of(line), 0)
  const differ = sum((line) => line.unexplained.length)
  console.log(
    row(`${all.length} bodies`, [
      sum((line) => line.instances),
      sum((line) => line.mutants),
      sum((line) => line.agreed),
      sum((line) => line.explained),
      differ,
    ]),
  )
  const verdicts = coverage()
  const compared = verdicts.filter(({ verdict }) => verdict === 'compared').length
  console.log(`${compared} of ${verdicts.length} published operations are compared`)
  for (const { where, reason } of NOT_OURS) {
    const count = verdicts.filter(({ operation }) => where.test(operation)).length
    console.log(`    ${count} others: ${reason}`)
  }
  const unmapped = verdicts.filter(({ verdict }) => verdict === 'unmapped')
  for (const { operation } of unmapped) console.log(`    ${operation}is neither compared nor explained`)
  process.exitCode = differ + unmapped.length === 0 ? 0 : 1
}
