/**
 * Whether a name that somebody was given is the name of an account's owner (lfi-api 3.8). Pure; the rules, their
 * thresholds and a table of cases are in docs/confirmation-of-payee.md.
 */

import { compare, type Likeness } from './compare.ts'
import { masked } from './mask.ts'
import { type Parsed, parseName } from './parse.ts'

export type Indicator = 'Yes' | 'Partial' | 'No'
export type HeldName = { readonly kind: 'person' | 'business'; readonly name: string }
export type NameMatch = {
  readonly indicator: Indicator
  /** Only of a partial match: the held name, masked. */
  readonly maskedName: string | null
}

/** The best over all names that are held for the account: its owners, and each name that an owner has. */
export function matchName(given: HeldName, held: readonly HeldName[]): NameMatch {
  const asked = { person: parseName(given.name, 'person'), business: parseName(given.name, 'business') }
  let best: { readonly indicator: Indicator; readonly likeness: number; readonly name: string } | null = null
  for (const { kind, name } of held) {
    const likeness = compare(asked[kind], parseName(name, kind))
    const indicator = indicatorOf(likeness, asked[kind], kind === given.kind)
    const better =
      best === null ||
      RANK[indicator] > RANK[best.indicator] ||
      (indicator === best.indicator && likeness.score > best.likeness)
    if (better) best = { indicator, likeness: likeness.score, name }
  }
  if (best === null) return { indicator: 'No', maskedName: null }
  return { indicator: best.indicator, maskedName: best.indicator === 'Partial' ? masked(best.name) : null }
}

const RANK: Readonly<Record<Indicator, number>> = { No: 0, Partial: 1, Yes: 2 }
/** Share of the words of the longer name that have a counterpart, weighed by how sure it is. */
export const PARTIAL_MIN = 0.85

function indicatorOf(likeness: Likeness, asked: Parsed, sameKind: boolean): Indicator {
  if (asked.words.length === 0) return 'No'
  if (likeness.complete) return sameKind && likeness.formsAgree ? 'Yes' : 'Partial'
  return likeness.contained || likeness.score >= PARTIAL_MIN ? 'Partial' : 'No'
}
