/** Every page, in the order of the navigation. */
import type { Page } from '../visit.ts'
import { account } from './account.ts'
import { approvals } from './approvals.ts'
import { audit } from './audit.ts'
import { call } from './call.ts'
import { calls } from './calls.ts'
import { consent } from './consent.ts'
import { consents } from './consents.ts'
import { dashboard } from './dashboard.ts'
import { keys } from './keys.ts'
import { lfi } from './lfi.ts'
import { outages } from './outages.ts'
import { people } from './people.ts'
import { reports } from './reports.ts'
import { settings } from './settings.ts'
import { tpp } from './tpp.ts'
import { tpps } from './tpps.ts'
import { webhooks } from './webhooks.ts'

export const PAGES: readonly Page[] = [
  dashboard,
  calls,
  call,
  tpps,
  tpp,
  consents,
  consent,
  reports,
  audit,
  webhooks,
  lfi,
  outages,
  keys,
  settings,
  approvals,
  people,
  account,
]

/** The page at a path, with what stands for its placeholders. */
export function pageAt(
  path: string,
): { readonly page: Page; readonly parameters: Readonly<Record<string, string>> } | null {
  const given = path.split('/')
  for (const page of PAGES) {
    const wanted = page.path.split('/')
    if (wanted.length !== given.length) continue
    const isHit = wanted.every((part, at) => (part.startsWith('{') ? given[at] !== '' : part === given[at]))
    if (isHit) return { page, parameters: parametersOf(wanted, given) }
  }
  return null
}

const parametersOf = (wanted: readonly string[], given: readonly string[]): Readonly<Record<string, string>> =>
  Object.fromEntries(
    wanted.flatMap((part, at) => (part.startsWith('{') ? [[part.slice(1, -1), decoded(given[at] ?? '')]] : [])),
  )

/** An escape that is none stands for itself, and is no id of anything. */
function decoded(segment: string): string {
  try {
    return decodeURIComponent(segment)
  } catch {
    return segment
  }
}
