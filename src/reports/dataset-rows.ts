/** The datasets as they are filed: a row for each day, TPP and combination of facts. */
import { dateOf } from './calendar.ts'
import { DATASETS, type DatasetName, type Tallied } from './datasets.ts'

const TALLIED_SETS = ['consents', 'payments', 'billing', 'versions'] as const
export type TalliedSet = (typeof TALLIED_SETS)[number]
/** Beside them the times of operations (time-rows.ts). */
export const REPORTED_SETS = [...TALLIED_SETS, 'times'] as const
export type ReportedSet = (typeof REPORTED_SETS)[number]
export type DatasetRow = Readonly<Record<string, string | number | null>>

export type Filing = {
  readonly first: string
  readonly last: string
  readonly lfi: { readonly LfiId: string; readonly LfiName: string }
}

/** What of the figures is read for it. */
export const sourceOf = (name: TalliedSet): DatasetName => (name === 'versions' ? 'consents' : name)

export function datasetRows(name: TalliedSet, counted: readonly Tallied[], filing: Filing): readonly DatasetRow[] {
  if (name === 'versions') return versionRows(counted, filing)
  return counted.map(({ startsAt, facts, figures }) => ({
    Dataset: name,
    ReportingPeriodDate: dateOf(startsAt),
    ...filing.lfi,
    ...named(name, facts, figures),
  }))
}

function named(name: DatasetName, facts: readonly string[], figures: readonly number[]): DatasetRow {
  const { facts: words, figures: numbers } = DATASETS[name]
  return Object.fromEntries([
    ...words.map((column, at) => [column, facts[at] ?? ''] as const),
    ...numbers.map((column, at) => [column, figures[at] ?? 0] as const),
  ])
}

/**
 * Who still creates consents on which version of the standard, while TPPs move from one to the next (lfi-api 7.7). The
 * newest version is the newest in which anybody has lodged a consent of that type in the period.
 */
function versionRows(consents: readonly Tallied[], { first, last, lfi }: Filing): readonly DatasetRow[] {
  const created = new Map<string, number>()
  const newest = new Map<string, string>()
  for (const { facts, figures } of consents) {
    const row = named('consents', facts, figures)
    const { TppId, TppClientId, ConsentType, StandardVersion, Lodged } = row
    if (Number(Lodged) === 0) continue
    const key = JSON.stringify([TppId, TppClientId, ConsentType, StandardVersion])
    created.set(key, (created.get(key) ?? 0) + Number(Lodged))
    const [type, version] = [String(ConsentType), String(StandardVersion)]
    if (isNewer(version, newest.get(type) ?? '')) newest.set(type, version)
  }
  return [...created].sort(byKey).map(([key, ConsentsCreated]) => {
    const [TppId = '', TppClientId = '', ConsentType = '', StandardVersion = ''] = JSON.parse(key) as string[]
    return {
      Dataset: 'versions',
      PeriodStartDate: first,
      PeriodEndDate: last,
      ...lfi,
      TppId,
      TppClientId,
      ConsentType,
      StandardVersion,
      NewestVersion: newest.get(ConsentType) ?? '',
      ConsentsCreated,
    }
  })
}

const byKey = ([one]: readonly [string, unknown], [other]: readonly [string, unknown]): number => (one < other ? -1 : 1)

/** v2.10 is newer than v2.9, and any is newer than none. */
function isNewer(one: string, other: string): boolean {
  const [ours, theirs] = [one, other].map((text) => (text.match(/\d+/g) ?? []).map(Number))
  for (let at = 0; at < Math.max(ours?.length ?? 0, theirs?.length ?? 0); at += 1) {
    const difference = (ours?.[at] ?? -1) - (theirs?.[at] ?? -1)
    if (difference !== 0) return difference > 0
  }
  return false
}
