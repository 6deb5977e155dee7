import type { Words } from '../en.ts'

export const outages: Words['outages'] = {
  why: 'ما يعلن هنا ينشر لمزودي الخدمة فورًا، وللبرامج أيضًا: GET /outages في البوابة البرمجية.',
  all: 'الانقطاعات',
  subject: 'الجهة',
  subjects: { lfi: 'البنك', hub: 'المنصة' },
  kind: 'النوع',
  kinds: { planned: 'مخطط له', unplanned: 'غير مخطط له' },
  from: 'من (بتوقيت الخليج)',
  to: 'حتى (بتوقيت الخليج)',
  reason: 'السبب كما يقرؤه مزودو الخدمة',
  lasts: 'مستمر',
  plan: 'الإعلان عن انقطاع مخطط له',
  planWhy: 'للبنك: قبل 72 ساعة على الأقل، وبين الساعة 02:00 و05:00.',
  begin: 'الإبلاغ عن انقطاع بدأ',
}
