import type { Words } from '../en.ts'

export const account: Words['account'] = {
  loggedInAs: 'تم الدخول باسم',
  roles: 'أدوارك',
  until: 'تنتهي هذه الجلسة في',
  everywhere: 'ينهي كل جلساتك في كل المتصفحات، بما فيها هذه.',
}
