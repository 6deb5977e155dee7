/** From a name as somebody typed it to plain words: what looks different and is the same is made the same here. */

/** Letters that decomposition leaves whole. */
const LETTERS: ReadonlyMap<string, string> = new Map([
  ['ß', 'ss'],
  ['æ', 'ae'],
  ['œ', 'oe'],
  ['ø', 'o'],
  ['ł', 'l'],
  ['đ', 'd'],
  ['ð', 'd'],
  ['þ', 'th'],
  ['ı', 'i'],
  // Arabic: carriers of hamza, the two forms of final ya and ta, and letters that Persian and Urdu keyboards produce.
  ['أ', 'ا'],
  ['إ', 'ا'],
  ['آ', 'ا'],
  ['ٱ', 'ا'],
  ['ؤ', 'و'],
  ['ئ', 'ي'],
  ['ى', 'ي'],
  ['ی', 'ي'],
  ['ې', 'ي'],
  ['ک', 'ك'],
  ['ة', 'ه'],
  ['ھ', 'ه'],
  ['ہ', 'ه'],
  ['پ', 'ب'],
  ['ڤ', 'ف'],
  ['چ', 'ج'],
  ['گ', 'ج'],
  ['ء', ''],
])
const TATWEEL = /\u0640/g
const MARKS = /\p{M}/gu
/** Written within words: apostrophes of every kind, and the signs for hamza and ain. */
const WITHIN = /['`´‘’ʼʹʾʿ′]/g
const BETWEEN = /[^\p{L}\p{N}&]+/gu

/** Words in lower case, without marks, in the order in which they were written. */
export function wordsOf(name: string): readonly string[] {
  const folded = name
    .normalize('NFKC')
    .toLowerCase()
    .replaceAll(TATWEEL, '')
    .replaceAll(/./gu, (letter) => LETTERS.get(letter) ?? letter)
    .normalize('NFKD')
    .replaceAll(MARKS, '')
    .replaceAll(/./gu, (letter) => LETTERS.get(letter) ?? letter)
    .replaceAll(/[٠-٩۰-۹]/g, (digit) => String((digit.codePointAt(0) ?? 0) & 0xf))
    .replaceAll(WITHIN, '')
    .replaceAll('&', ' & ')
  return folded.split(BETWEEN).filter((word) => word !== '')
}

export const isArabic = (word: string): boolean => /^\p{Script=Arabic}/u.test(word)
