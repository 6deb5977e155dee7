import type { Words } from '../en.ts'

export const webhooks: Words['webhooks'] = {
  why: 'يُرسل كل إشعار حتى يؤكد مزود الخدمة استلامه أو تنتهي مدته، وعندها يصبح رسالة متعذرة يمكن إرسالها مجددًا.',
  counts: 'كل الإشعارات',
  receiver: 'إلى',
  receivers: { 'lfi-event': 'البنك', 'tpp-webhook': 'مزودي الخدمة' },
  state: 'الحالة',
  states: {
    waiting: 'بالانتظار',
    sending: 'قيد الإرسال',
    delivered: 'سُلّمت',
    failed: 'فشلت',
    dropped: 'لم تعد مطلوبة',
    dead: 'رسائل متعذرة',
  },
  open: 'المتعذرة والمنتظرة',
  count: 'العدد',
  id: 'الرقم',
  at: 'وقت الحدث',
  about: 'بشأن',
  abouts: {
    consent: 'موافقة',
    payment: 'دفعة',
    'account-opening': 'فتح حساب',
    'fx-quote': 'عرض سعر صرف',
    'insurance-quote': 'عرض سعر تأمين',
  },
  client: 'التطبيق',
  attempts: 'المحاولات',
  outcome: 'آخر نتيجة',
  next: 'المحاولة التالية',
  bounds: 'حتى 500 من كل حالة، الأحدث أولًا. لا يُعرض مضمون الإشعار.',
}
