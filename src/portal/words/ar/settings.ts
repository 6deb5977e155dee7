import type { Words } from '../en.ts'

export const settings: Words['settings'] = {
  why: 'إعدادات هذا البنك كما هي سارية، مع معنى كل سطر. وهي ملف يُغيَّر في مكانه ويُفحص بالأمر falaj config check وتأخذه العملية عند تشغيلها. لا يمكن تغيير شيء منها هنا.',
  flags: 'مفاتيح الخصائص',
  settings: 'بقية الإعدادات',
  key: 'السطر',
  value: 'القيمة',
  meaning: 'معناه',
  secret: 'لا يُعرض: سر أو ملف',
  notSet: 'غير محدد',
  rights: 'الأدوار وما يجوز لها',
  what: 'ماذا',
  page: 'عرض',
  act: 'تنفيذ',
  people: 'عدد الأشخاص اللازم',
  one: 'واحد',
  two: 'اثنان',
}
