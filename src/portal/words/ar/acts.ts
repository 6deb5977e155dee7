import type { Words } from '../en.ts'

export const acts: Words['acts'] = {
  'tpp.activate': 'تفعيل مزود الخدمة',
  'tpp.block': 'حظر مزود الخدمة',
  'statement.activate': 'تفعيل بيان البرنامج',
  'statement.block': 'حظر بيان البرنامج',
  'client.activate': 'تفعيل التطبيق',
  'client.block': 'حظر التطبيق',
  'tpps.block-all': 'حظر كل مزودي الخدمة',
  'consent.revoke': 'إلغاء الموافقة',
  'outage.plan': 'الإعلان عن الانقطاع',
  'outage.begin': 'انقطاع يبدأ الآن',
  'outage.end': 'إنهاؤه الآن',
  'keys.rotate': 'تدوير المفاتيح',
  'keys.retire': 'إنهاء المفتاح',
  'session.end': 'إنهاء الجلسة',
  'session.end-mine': 'تسجيل الخروج من كل الأجهزة',
  'audit.verify': 'التحقق من السجل الآن',
  'webhook.redeliver': 'إعادة الإرسال',
  'proposal.approve': 'موافقة',
  'proposal.reject': 'رفض',
}
