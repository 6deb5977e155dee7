/** The words of the portal, by topic. What is added here has to be added in ar.ts, or the build fails. */
import { account } from './en/account.ts'
import { acts } from './en/acts.ts'
import { approvals } from './en/approvals.ts'
import { pages } from './en/pages.ts'
import { shell } from './en/shell.ts'

export const en = { account, acts, approvals, pages, shell }

export type Words = typeof en
