/** An entry as read back. A later release may have written kinds and members that this one does not know. */
export type StoredEntry = Readonly<Record<string, unknown>> & {
  readonly v: number
  readonly kind: string
  readonly at: string
  readonly tenantId: string
  readonly interactionId: string | null
}

export function decode(bytes: Buffer): StoredEntry | null {
  const entry = parse(bytes)
  if (entry === null || typeof entry !== 'object') return null
  const { v, kind, at, tenantId, interactionId } = entry as Readonly<Record<keyof StoredEntry, unknown>>
  const known = typeof v === 'number' && [kind, at, tenantId].every((member) => typeof member === 'string')
  return known && (interactionId === null || typeof interactionId === 'string') ? (entry as StoredEntry) : null
}

function parse(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString('utf8'))
  } catch {
    return null
  }
}
