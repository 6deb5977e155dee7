/** Words that say what somebody is rather than who, as tables. Spelled as `wordsOf` leaves them. */

const list = (text: string): ReadonlySet<string> => new Set(text.split(/\s+/).filter((word) => word !== ''))

/** Before a person's name. */
export const TITLES = list(`
  mr mister mrs ms miss mx dr doctor prof professor eng engr engineer capt captain adv advocate sir madam
  sheikh shaikh sheik shaykh sheikha shaikha hh he hrh haji hajj hajji hajja sayyid sayyed ustadh
  السيد السيده الدكتور الدكتوره دكتور المهندس مهندس الشيخ شيخ الشيخه الحاج حاج الاستاذ استاذ الانسه د م ا
`)

/** Between the parts of a person's name; some write them and some do not. */
export const PARTICLES = list(
  'bin ben ibn bint binti binte ould wald de da del della di du van von der den y e بن ابن بنت',
)

/** The definite article as a word of its own, in the ways it is heard. */
export const ARTICLES = list('al el ul ال')

/** In a company's name, said or left out. */
export const FILLERS = list('the and & of for و')

/** Legal forms: all spellings of one have the same name, because two forms of one name are two companies. */
export const LEGAL_FORMS: ReadonlyMap<string, string> = new Map(
  Object.entries({
    llc: 'llc',
    fzllc: 'fz-llc',
    fze: 'fze',
    fzco: 'fzco',
    fzc: 'fzco',
    dmcc: 'dmcc',
    pjsc: 'pjsc',
    psc: 'pjsc',
    prjsc: 'prjsc',
    jsc: 'pjsc',
    plc: 'plc',
    ltd: 'ltd',
    limited: 'ltd',
    inc: 'inc',
    incorporated: 'inc',
    corp: 'inc',
    corporation: 'inc',
    gmbh: 'gmbh',
    spc: 'spc',
    est: 'est',
    establishment: 'est',
    co: 'company',
    company: 'company',
    شركه: 'company',
    موسسه: 'est',
    ذمم: 'llc',
    شمع: 'pjsc',
    شمخ: 'prjsc',
    ممح: 'fze',
  }),
)

/** Two words that are one legal form. */
export const SPLIT_FORMS: ReadonlyMap<string, string> = new Map([
  ['fz llc', 'fzllc'],
  ['pvt ltd', 'ltd'],
  ['private limited', 'ltd'],
  ['pte ltd', 'ltd'],
])

export const ABBREVIATIONS: ReadonlyMap<string, string> = new Map(
  Object.entries({
    intl: 'international',
    int: 'international',
    trdg: 'trading',
    tr: 'trading',
    gen: 'general',
    cont: 'contracting',
    contg: 'contracting',
    bros: 'brothers',
    svcs: 'services',
    serv: 'services',
    mgmt: 'management',
    tech: 'technology',
    grp: 'group',
    hldg: 'holding',
    dept: 'department',
  }),
)

/**
 * Names so common that each way of writing them is known, one row per name. They settle what sound alone cannot:
 * Omar and Amr, Saeed and Saad, Hassan and Hussain.
 */
const NAMES = `
  mohammed mohamed muhammad mohammad mohamad muhammed mohd md محمد
  mahmoud mahmood mahmud محمود
  ahmed ahmad ahmet احمد
  hamad حمد
  hamid hameed حميد
  hamed حامد
  ali aly علي
  omar umar omer عمر
  amr عمرو
  amer عامر
  amir ameer امير
  saeed said saied saeid sayeed سعيد
  saad سعد
  saud saoud سعود
  sayed sayyid sayyed sayid سيد
  salim saleem سليم
  salem سالم
  salman سلمان
  suleiman sulaiman soliman sulayman سليمان
  hassan hasan حسن
  hussain hussein husain hossein hussien حسين
  yousef yusuf youssef yousuf yusef يوسف
  ibrahim ebrahim ابراهيم
  ismail ismael esmail اسماعيل
  khalid khaled خالد
  khalifa khaleefa خليفه
  khalil khaleel خليل
  rashid rasheed رشيد
  rashed راشد
  majid majed ماجد
  majeed مجيد
  maryam mariam miriam مريم
  fatima fatma fatimah فاطمه
  aisha aysha ayesha aishah عايشه
  layla leila laila leyla ليلي
  noor nour nur نور
  noura nora nura نوره
  huda hoda هدي
  hind هند
  mona muna مني
  nasser nasir naser ناصر
  nasr نصر
  zayed zayid زايد
  zaid zayd زيد
  tariq tareq tarek طارق
  faisal faysal فيصل
  abdullah abdulla abdallah abdalla عبدالله
  abdulrahman abdurrahman abdelrahman abdarrahman عبدالرحمن
  abdulaziz abdelaziz عبدالعزيز
  mansour mansoor منصور
  mansouri mansoori منصوري
  mazrouei mazroui mazrui مزروعي
  maktoum maktoom مكتوم
  nahyan nahayan نهيان
  jaber jabir جابر
  jamal gamal جمال
  qasim kasim qassim kassem قاسم
  yasser yasir ياسر
  samir sameer سمير
  karim kareem كريم
  walid waleed وليد
  hisham hesham هشام
  sharif shareef sherif شريف
`

/** Name → the row it is in. */
export const KNOWN_NAMES: ReadonlyMap<string, number> = new Map(
  NAMES.trim()
    .split('\n')
    .flatMap((row, at) =>
      row
        .trim()
        .split(/\s+/)
        .map((name) => [name, at] as const),
    ),
)
