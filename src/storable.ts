/**
 * Text that PostgreSQL can keep: no NUL, and no half of a surrogate pair. JSON and percent-encoding can express both,
 * and no document forbids them.
 */
export const isStorableText = (text: string): boolean => !text.includes('\0') && text.isWellFormed()

/** The same for every text in a parsed JSON value, names of members included. */
export function isStorable(value: unknown): boolean {
  // Without recursion: lists in lists go deeper than the stack does.
  const left = [value]
  while (left.length > 0) {
    const next = left.pop()
    if (typeof next === 'string' && !isStorableText(next)) return false
    if (typeof next !== 'object' || next === null) continue
    for (const [name, member] of Object.entries(next)) {
      if (!isStorableText(name)) return false
      left.push(member)
    }
  }
  return true
}
