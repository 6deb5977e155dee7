/** What each page is called, in the navigation and as its heading. */
import type { PageName } from '../../roles.ts'

export const pages: Readonly<Record<PageName, string>> = {
  dashboard: 'Dashboard',
  approvals: 'Approvals',
  account: 'Your account',
}
