import type { Words } from '../en.ts'

export const tpps: Words['tpps'] = {
  why: 'يمكن للتطبيق أن يرسل الطلبات عندما تكون الخطوات الثلاث مفعلة، هنا وفي إطار الثقة.',
  registered: 'التطبيقات المسجلة',
  application: 'التطبيق',
  organisation: 'المؤسسة',
  state: 'الحالة',
  since: 'تاريخ التسجيل',
  roles: 'الأدوار',
  step: 'الخطوة',
  here: 'القرار هنا',
  there: 'إطار الثقة',
  steps: 'التفعيل في ثلاث خطوات',
  levels: { tpp: '١. مزود الخدمة', 'software-statement': '٢. بيان البرنامج', client: '٣. التطبيق' },
  notThere: 'لا يدرج إطار الثقة التطبيقات منفردة.',
  states: { active: 'مفعل', inactive: 'غير مفعل', blocked: 'محظور' },
  ids: 'المعرفات',
  clientId: 'التطبيق',
  statementId: 'بيان البرنامج',
  consentsOf: 'موافقات العملاء لهذا التطبيق',
  emergency: 'حالة طارئة',
  blockAllWhy: 'يحظر كل مزودي الخدمة دفعة واحدة: لا يقبل منهم شيء ابتداء من الطلب التالي. يجب أن يوافق شخص ثان.',
}
