/** Who may do what in the portal: one table of pages and acts by role. Whoever holds several roles may do what any of them may. */
import type { PortalRole } from '../config.ts'

const EVERYBODY = ['operator', 'business', 'security', 'regulator'] as const
const STAFF = ['operator', 'business', 'security'] as const

/** What somebody may look at. */
// biome-ignore format: a table reads by its columns
const PAGES = {
  dashboard: EVERYBODY,
  calls:     EVERYBODY,
  call:      EVERYBODY,
  tpps:      EVERYBODY,
  tpp:       EVERYBODY,
  // What customers agreed to is personal: whoever answers them, and whoever has to look into something.
  consents:  EVERYBODY,
  consent:   EVERYBODY,
  outages:   EVERYBODY,
  reports:   EVERYBODY,
  audit:     EVERYBODY,
  webhooks:  EVERYBODY,
  lfi:       EVERYBODY,
  keys:      EVERYBODY,
  settings:  EVERYBODY,
  approvals: EVERYBODY,
  people:    ['operator', 'security', 'regulator'],
  account:   EVERYBODY,
} as const satisfies Readonly<Record<string, readonly PortalRole[]>>

/** What somebody may do. How it is done, and whether it takes two people: verbs.ts. */
// biome-ignore format: a table reads by its columns
const ACTS = {
  'tpp.activate':       ['operator', 'business'],
  'statement.activate': ['operator', 'business'],
  'client.activate':    ['operator', 'business'],
  'tpp.block':          ['operator', 'security'],
  'statement.block':    ['operator', 'security'],
  'client.block':       ['operator', 'security'],
  'tpps.block-all':     ['operator', 'security'],
  'consent.revoke':     ['business'],
  'outage.plan':        ['operator', 'business'],
  'outage.begin':       ['operator'],
  'outage.end':         ['operator'],
  'keys.rotate':        ['security'],
  'keys.retire':        ['security'],
  'audit.verify':       ['operator', 'security'],
  'webhook.redeliver':  ['operator'],
  'lfi.probe':          ['operator'],
  'lfi.endpoint':       ['operator', 'security'],
  'lfi.endpoint-reset': ['operator', 'security'],
  'deviations.clear':   ['operator'],
  'session.end':        ['security'],
  'session.end-mine':   EVERYBODY,
  'proposal.approve':   STAFF,
  'proposal.reject':    STAFF,
} as const satisfies Readonly<Record<string, readonly PortalRole[]>>

export type PageName = keyof typeof PAGES
export type ActName = keyof typeof ACTS

const TABLE: Readonly<Record<PageName | ActName, readonly PortalRole[]>> = { ...PAGES, ...ACTS }

export const mayDo = (roles: readonly PortalRole[], what: PageName | ActName): boolean =>
  roles.some((role) => TABLE[what].includes(role))

/** The table as it is, for whoever wants to see who may do what. */
export const RIGHTS = TABLE
