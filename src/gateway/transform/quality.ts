/** What was wrong with an answer of the LFI: paths and rules with their counts, never a value. */
export type Quality = {
  note(path: string, rule: string): void
  /** Null when there is nothing to report. */
  report(): Readonly<Record<string, number>> | null
}

const DIFFERENT_MAX = 20

export function createQuality(): Quality {
  let counts: Map<string, number> | null = null
  return {
    note(path, rule) {
      counts ??= new Map()
      const key = `${path.replaceAll(/\[\d+\]/g, '[]')} ${rule}`
      if (counts.has(key) || counts.size < DIFFERENT_MAX) counts.set(key, (counts.get(key) ?? 0) + 1)
    },
    report: () => (counts === null ? null : Object.fromEntries(counts)),
  }
}
