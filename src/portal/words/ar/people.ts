import type { Words } from '../en.ts'

export const people: Words['people'] = {
  why: 'إطار الثقة هو من يحدد هوية الشخص وأدواره. ترى هنا من سجل الدخول وما يحق لكل دور.',
  sessions: 'المسجلون الآن',
  name: 'الاسم',
  roles: 'الأدوار',
  began: 'منذ',
  seen: 'آخر طلب',
  expires: 'تنتهي في',
  yours: 'هذه الجلسة',
  rights: 'ما يحق لكل دور',
  right: 'الصفحة أو الإجراء',
}
