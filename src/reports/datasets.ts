/**
 * What is counted by day and TPP beside calls and times: consents, payments, and what calls are billed by (lfi-api 7.7).
 * An entry of the log adds to one row: its facts say to which, its figures how much. Pure, and in any order the same.
 */
import type { Accepted, StoredEntry } from '../audit/index.ts'
import { groupOf } from '../measure.ts'
import { startOf } from './calendar.ts'
import { callOf } from './call.ts'

type Layout = { readonly facts: readonly string[]; readonly figures: readonly string[] }

/** Columns in the order in which they are stored and shown; one that is added comes last (migrations/0050-reports-tally.ts). */
export const DATASETS = {
  consents: {
    facts: [
      ...['TppId', 'TppClientId', 'ConsentType', 'StandardVersion'],
      ...['UserType', 'Purpose', 'IsLargeCorporate'],
    ],
    figures: [
      ...['Lodged', 'Renewals', 'Authorized', 'Rejected', 'Lapsed', 'Suspended', 'Resumed'],
      ...['Revoked', 'RevokedByTpp', 'RevokedByTppForUser', 'RevokedByLfi', 'RevokedByLfiForUser'],
      ...['Expired', 'Consumed'],
    ],
  },
  payments: {
    facts: ['TppId', 'TppClientId', 'PaymentConsentType', 'PaymentType', 'MerchantId'],
    figures: [
      ...['Asked', 'Successful', 'Rejected', 'Refused', 'Pending', 'Unanswered'],
      'NumberOfSuccessfulTransactions',
    ],
  },
  billing: {
    facts: [
      ...['TppId', 'TppClientId', 'ApiSet', 'HttpMethod', 'Url', 'HttpResponseCodeGroup'],
      ...['IsAttended', 'PaymentType', 'MerchantId'],
    ],
    figures: ['TotalCalls', 'Records'],
  },
} as const satisfies Readonly<Record<string, Layout>>
export type DatasetName = keyof typeof DATASETS

export type Tallied = {
  readonly dataset: DatasetName
  readonly startsAt: number
  readonly facts: readonly string[]
  readonly figures: readonly number[]
}
type Named<T> = Readonly<Record<string, T>>
type Counted = { readonly dataset: DatasetName; readonly facts: Named<unknown>; readonly figures: Named<number> }

export function tally(entries: Iterable<Accepted>): readonly Tallied[] {
  const found = new Map<string, Tallied>()
  for (const accepted of entries) {
    const counted = countedIn(accepted)
    if (counted === null || accepted.entry === null) continue
    const one = talliedOf(counted, startOf('day', Date.parse(accepted.entry.at)))
    const key = JSON.stringify([one.dataset, one.startsAt, one.facts])
    const known = found.get(key)
    found.set(
      key,
      known === undefined ? one : { ...one, figures: one.figures.map((each, at) => each + (known.figures[at] ?? 0)) },
    )
  }
  return [...found.values()]
}

/** Where nothing is known of a fact, as in entries of earlier releases, it is the empty text. */
function talliedOf({ dataset, facts, figures }: Counted, startsAt: number): Tallied {
  const layout: Layout = DATASETS[dataset]
  return {
    dataset,
    startsAt,
    facts: layout.facts.map((name) => (facts[name] === undefined || facts[name] === null ? '' : String(facts[name]))),
    figures: layout.figures.map((name) => figures[name] ?? 0),
  }
}

function countedIn(accepted: Accepted): Counted | null {
  const { entry } = accepted
  if (entry?.kind === 'consent-changed') return consentIn(entry)
  if (entry?.kind === 'resource-changed') return entry['resource'] === 'payment' ? paymentIn(entry) : null
  return entry?.kind === 'tpp-call' ? callIn(accepted) : null
}

/** By the name of the change; others (a patch, a subscription) move nothing that is counted. */
const OF_CHANGE: Named<string> = {
  lodged: 'Lodged',
  authorize: 'Authorized',
  reject: 'Rejected',
  lapse: 'Lapsed',
  suspend: 'Suspended',
  resume: 'Resumed',
  revoke: 'Revoked',
  expire: 'Expired',
  consume: 'Consumed',
}
const OF_REVOKER: Named<string> = {
  TPP: 'RevokedByTpp',
  'TPP.InitiatedByUser': 'RevokedByTppForUser',
  LFI: 'RevokedByLfi',
  'LFI.InitiatedByUser': 'RevokedByLfiForUser',
}

function consentIn(entry: StoredEntry): Counted | null {
  const figure = OF_CHANGE[String(entry['change'])]
  if (figure === undefined) return null
  const revoker = figure === 'Revoked' ? OF_REVOKER[String(entry['revokedBy'])] : undefined
  return {
    dataset: 'consents',
    facts: {
      ...applicant(entry),
      ConsentType: entry['consentType'],
      StandardVersion: entry['standardVersion'],
      UserType: entry['userType'],
      Purpose: entry['purpose'],
      IsLargeCorporate: entry['isLargeCorporate'],
    },
    figures: {
      [figure]: 1,
      ...(revoker === undefined ? {} : { [revoker]: 1 }),
      ...(figure === 'Lodged' && entry['isRenewal'] === true ? { Renewals: 1 } : {}),
    },
  }
}

/** A payment counts once in each state that it reaches; the three of an accepted one are one. */
const OF_STATE: Named<string> = {
  Pending: 'Pending',
  AcceptedSettlementCompleted: 'Successful',
  AcceptedWithoutPosting: 'Successful',
  AcceptedCreditSettlementCompleted: 'Successful',
  Rejected: 'Rejected',
  refused: 'Refused',
}

function paymentIn(entry: StoredEntry): Counted | null {
  const [before, reached] = [OF_STATE[String(entry['from'])], OF_STATE[String(entry['to'])]]
  const transactions = Number(entry['successfulTransactions'] ?? 0)
  const figures = {
    ...(entry['change'] === 'asked' ? { Asked: 1 } : {}),
    ...(entry['change'] === 'unanswered' ? { Unanswered: 1 } : {}),
    ...(reached === undefined || reached === before ? {} : { [reached]: 1 }),
    ...(transactions === 0 ? {} : { NumberOfSuccessfulTransactions: transactions }),
  }
  if (Object.keys(figures).length === 0) return null
  return {
    dataset: 'payments',
    facts: {
      ...applicant(entry),
      PaymentConsentType: entry['paymentConsentType'],
      PaymentType: entry['paymentType'],
      MerchantId: entry['merchantId'],
    },
    figures,
  }
}

const applicant = (entry: StoredEntry) => ({ TppId: entry['organisationId'], TppClientId: entry['clientId'] })

/** Only operations that are reported on are billed. */
function callIn(accepted: Accepted): Counted | null {
  const call = callOf(accepted)
  if (call === null || call.door !== 'rs' || call.apiSet === null || call.route === null) return null
  return {
    dataset: 'billing',
    facts: {
      TppId: call.organisationId,
      TppClientId: call.clientId,
      ApiSet: call.apiSet,
      HttpMethod: call.method,
      Url: call.route,
      HttpResponseCodeGroup: groupOf(call.status),
      IsAttended: call.attended,
      PaymentType: call.paymentType,
      MerchantId: call.merchantId,
    },
    figures: { TotalCalls: 1, Records: call.records ?? 0 },
  }
}
