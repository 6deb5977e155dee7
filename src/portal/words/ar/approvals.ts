import type { Words } from '../en.ts'

export const approvals: Words['approvals'] = {
  why: 'الإجراءات الخطرة تحتاج إلى شخصين: أحدهما يقترح، ويوافق آخر يحمل الدور نفسه، ثم ينفذ الإجراء مرة واحدة.',
  waiting: 'بانتظار شخص آخر',
  decided: 'تم البت فيها أو انتهت',
  act: 'الإجراء',
  target: 'على',
  seen: 'ما شوهد عند الاقتراح:',
  proposedBy: 'اقترحه',
  decidedBy: 'بت فيه',
  expires: 'حتى',
  state: 'الحالة',
  own: 'أنت من اقترح هذا، ويقرر شخص آخر.',
  notYours: 'دورك لا يقرر في هذا.',
  states: {
    waiting: 'بالانتظار',
    running: 'قيد التنفيذ',
    done: 'تم',
    failed: 'فشل',
    rejected: 'مرفوض',
    expired: 'منتهي المدة',
  },
}
