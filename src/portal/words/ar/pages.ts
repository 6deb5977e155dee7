import type { Words } from '../en.ts'

export const pages: Words['pages'] = {
  dashboard: 'لوحة المتابعة',
  tpps: 'مزودو الخدمة',
  tpp: 'مزود الخدمة',
  consents: 'موافقات العملاء',
  consent: 'موافقة العميل',
  outages: 'الانقطاعات',
  approvals: 'اعتماد الإجراءات',
  people: 'المستخدمون',
  account: 'حسابك',
}
