import { account } from './ar/account.ts'
import { acts } from './ar/acts.ts'
import { approvals } from './ar/approvals.ts'
import { audit } from './ar/audit.ts'
import { call } from './ar/call.ts'
import { calls } from './ar/calls.ts'
import { consents } from './ar/consents.ts'
import { dashboard } from './ar/dashboard.ts'
import { keys } from './ar/keys.ts'
import { lfi } from './ar/lfi.ts'
import { outages } from './ar/outages.ts'
import { pages } from './ar/pages.ts'
import { people } from './ar/people.ts'
import { reports } from './ar/reports.ts'
import { settings } from './ar/settings.ts'
import { shell } from './ar/shell.ts'
import { tpps } from './ar/tpps.ts'
import { webhooks } from './ar/webhooks.ts'
import type { Words } from './en.ts'

export const ar: Words = {
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
