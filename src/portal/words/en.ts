/** The words of the portal, by topic. What is added here has to be added in ar.ts, or the build fails. */
import { account } from './en/account.ts'
import { acts } from './en/acts.ts'
import { approvals } from './en/approvals.ts'
import { audit } from './en/audit.ts'
import { call } from './en/call.ts'
import { calls } from './en/calls.ts'
import { consents } from './en/consents.ts'
import { dashboard } from './en/dashboard.ts'
import { keys } from './en/keys.ts'
import { lfi } from './en/lfi.ts'
import { outages } from './en/outages.ts'
import { pages } from './en/pages.ts'
import { people } from './en/people.ts'
import { reports } from './en/reports.ts'
import { settings } from './en/settings.ts'
import { shell } from './en/shell.ts'
import { tpps } from './en/tpps.ts'
import { webhooks } from './en/webhooks.ts'

export const en = {
  account,
  acts,
  approvals,
  audit,
  call,
  calls,
  consents,
  dashboard,
  keys,
  lfi,
  outages,
  pages,
  people,
  reports,
  settings,
  shell,
  tpps,
  webhooks,
}

export type Words = typeof en
