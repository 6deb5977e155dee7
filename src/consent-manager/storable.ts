/**
 * Text that PostgreSQL can keep: no NUL, and no half of a surrogate pair. JSON and percent-encoding can express both,
 * and no document forbids them.
 */
export const isStorableText = (text: string): boolean => !text.includes('\0') && text.isWellFormed()

/** The same for every text in a parsed JSON value, names of members included. */
export function isStorable(value: unknown): boolean {
  if (typeof value === 'string') return isStorableText(value)
  if (Array.isArray(value)) return value.every(isStorable)
  if (typeof value !== 'object' || value === null) return true
  return Object.entries(value).every(([name, member]) => isStorableText(name) && isStorable(member))
}
