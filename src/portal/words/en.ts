/** The words of the portal, by topic. What is added here has to be added in ar.ts, or the build fails. */
import { account } from './en/account.ts'
import { acts } from './en/acts.ts'
import { approvals } from './en/approvals.ts'
import { consents } from './en/consents.ts'
import { dashboard } from './en/dashboard.ts'
import { outages } from './en/outages.ts'
import { pages } from './en/pages.ts'
import { people } from './en/people.ts'
import { shell } from './en/shell.ts'
import { tpps } from './en/tpps.ts'

export const en = { account, acts, approvals, consents, dashboard, outages, pages, people, shell, tpps }

export type Words = typeof en
