import { account } from './ar/account.ts'
import { acts } from './ar/acts.ts'
import { approvals } from './ar/approvals.ts'
import { pages } from './ar/pages.ts'
import { shell } from './ar/shell.ts'
import type { Words } from './en.ts'

export const ar: Words = { account, acts, approvals, pages, shell }
