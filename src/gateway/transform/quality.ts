import { HubError } from '../../errors.ts'

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

/** Told what was wrong with an answer of an operation, whether or not it could be passed on. */
export type OnDeviation = (operationId: string, quality: Readonly<Record<string, number>>) => void

/** Does the work, and tells what it found wrong on the way even if that ends it. */
export function noting<T>(operationId: string, onDeviation: OnDeviation, work: (quality: Quality) => T): T {
  const quality = createQuality()
  try {
    return work(quality)
  } finally {
    const report = quality.report()
    if (report !== null) onDeviation(operationId, report)
  }
}

export const unfit = (detail: string, quality: Quality): HubError =>
  new HubError('GenericError', {
    detail: `${detail}: ${Object.keys(quality.report() ?? {})
      .slice(0, 5)
      .join('; ')}`,
  })
