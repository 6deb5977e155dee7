/** What each page is called, in the navigation and as its heading. */
import type { PageName } from '../../roles.ts'

export const pages: Readonly<Record<PageName, string>> = {
  dashboard: 'Dashboard',
  tpps: 'TPPs',
  tpp: 'TPP',
  consents: 'Consents',
  consent: 'Consent',
  outages: 'Outages',
  calls: 'API log',
  call: 'One call',
  reports: 'Reports',
  audit: 'Audit log',
  webhooks: 'Webhooks',
  keys: 'Keys and certificates',
  lfi: 'Bank connection',
  settings: 'Settings',
  approvals: 'Approvals',
  people: 'Users',
  account: 'Your account',
}
