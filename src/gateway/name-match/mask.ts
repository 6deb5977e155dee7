/** A name that shows the asker whether they were near, and nobody else who it is: the first letter of each word. */
const SHOWN_MAX = 140

export const masked = (name: string): string =>
  [...name.normalize('NFC').replaceAll(/\p{L}\p{M}*(?:[\p{L}\p{M}\p{N}'’]+)|\p{N}+/gu, hide)]
    .slice(0, SHOWN_MAX)
    .join('')

function hide(word: string): string {
  const letters = [...word]
  if (/^\p{N}/u.test(word)) return '*'.repeat(letters.length)
  return `${letters[0]}${'*'.repeat(letters.length - 1)}`
}
