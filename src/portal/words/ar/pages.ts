import type { Words } from '../en.ts'

export const pages: Words['pages'] = {
  dashboard: 'لوحة المتابعة',
  approvals: 'الموافقات',
  account: 'حسابك',
}
