import { account } from './ar/account.ts'
import { acts } from './ar/acts.ts'
import { approvals } from './ar/approvals.ts'
import { consents } from './ar/consents.ts'
import { dashboard } from './ar/dashboard.ts'
import { outages } from './ar/outages.ts'
import { pages } from './ar/pages.ts'
import { people } from './ar/people.ts'
import { shell } from './ar/shell.ts'
import { tpps } from './ar/tpps.ts'
import type { Words } from './en.ts'

export const ar: Words = { account, acts, approvals, consents, dashboard, outages, pages, people, shell, tpps }
