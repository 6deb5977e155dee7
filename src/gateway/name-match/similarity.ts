/** Jaro–Winkler: 1 for equal texts, 0 for texts without a common letter. Symmetric. */
export function similarity(one: string, other: string): number {
  const [a, b] = [[...one], [...other]]
  if (a.length === 0 || b.length === 0) return a.length === b.length ? 1 : 0
  const reach = Math.max(0, Math.floor(Math.max(a.length, b.length) / 2) - 1)
  const takenOfB = b.map(() => false)
  const common: string[] = []
  a.forEach((letter, at) => {
    const end = Math.min(b.length - 1, at + reach)
    for (let other = Math.max(0, at - reach); other <= end; other++) {
      if (takenOfB[other] === true || b[other] !== letter) continue
      takenOfB[other] = true
      common.push(letter)
      break
    }
  })
  if (common.length === 0) return 0
  const commonOfB = b.filter((_, at) => takenOfB[at])
  const moved = common.filter((letter, at) => letter !== commonOfB[at]).length / 2
  const { length } = common
  const jaro = (length / a.length + length / b.length + (length - moved) / length) / 3
  return jaro + commonStart(a, b) * PREFIX_WEIGHT * (1 - jaro)
}

const PREFIX_MAX = 4
const PREFIX_WEIGHT = 0.1

function commonStart(a: readonly string[], b: readonly string[]): number {
  let length = 0
  while (length < PREFIX_MAX && length < a.length && a[length] === b[length]) length += 1
  return length
}
