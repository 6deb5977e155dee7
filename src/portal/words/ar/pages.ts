import type { Words } from '../en.ts'

export const pages: Words['pages'] = {
  dashboard: 'لوحة المتابعة',
  tpps: 'مزودو الخدمة',
  tpp: 'مزود الخدمة',
  consents: 'موافقات العملاء',
  consent: 'موافقة العميل',
  outages: 'الانقطاعات',
  calls: 'سجل الطلبات',
  call: 'طلب واحد',
  reports: 'التقارير',
  audit: 'سجل التدقيق',
  webhooks: 'الإشعارات',
  keys: 'المفاتيح والشهادات',
  lfi: 'الاتصال بالبنك',
  settings: 'الإعدادات',
  approvals: 'اعتماد الإجراءات',
  people: 'المستخدمون',
  account: 'حسابك',
}
