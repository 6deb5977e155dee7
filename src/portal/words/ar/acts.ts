import type { Words } from '../en.ts'

export const acts: Words['acts'] = {
  'session.end-mine': 'تسجيل الخروج من كل الأجهزة',
  'proposal.approve': 'موافقة',
  'proposal.reject': 'رفض',
}
