/** How long somebody was up: arithmetic on spans, then whole minutes and percentages as the reports want them. */
import type { Span } from './calendar.ts'

export type Availability = {
  readonly TotalTimeMinutes: number
  readonly TotalUptimeMinutes: number
  readonly PlannedDowntimeMinutes: number
  readonly UnplannedDowntimeMinutes: number
  readonly TotalDowntimeMinutes: number
  readonly UptimePercentage: number
  readonly DowntimePercentage: number
  readonly UnplannedDowntimePercentage: number
}

const MINUTE_MS = 60_000

/**
 * What was announced is planned, also while something else fails; the rest of the downtime is not. All are rounded to
 * the nearest whole, and the uptime is what remains, so that the parts always make up the whole.
 */
export function availability(period: Span, planned: readonly Span[], unplanned: readonly Span[]): Availability {
  const announced = union(within(planned, period))
  const all = union(within([...planned, ...unplanned], period))
  const total = minutes(period.to - period.from)
  const downPlanned = Math.min(total, minutes(lengthOf(announced)))
  const down = Math.min(total, Math.max(downPlanned, minutes(lengthOf(all))))
  const up = total - down
  const unplannedMinutes = down - downPlanned
  const uptime = total === 0 ? 100 : Math.round((100 * up) / total)
  return {
    TotalTimeMinutes: total,
    TotalUptimeMinutes: up,
    PlannedDowntimeMinutes: downPlanned,
    UnplannedDowntimeMinutes: unplannedMinutes,
    TotalDowntimeMinutes: down,
    UptimePercentage: uptime,
    DowntimePercentage: 100 - uptime,
    UnplannedDowntimePercentage:
      total === downPlanned ? 0 : Math.round((100 * unplannedMinutes) / (total - downPlanned)),
  }
}

const minutes = (ms: number): number => Math.round(ms / MINUTE_MS)

const within = (spans: readonly Span[], { from, to }: Span): readonly Span[] =>
  spans
    .map((span) => ({ from: Math.max(span.from, from), to: Math.min(span.to, to) }))
    .filter((span) => span.to > span.from)

export function union(spans: readonly Span[]): readonly Span[] {
  const merged: Span[] = []
  for (const span of [...spans].sort((a, b) => a.from - b.from)) {
    const last = merged.at(-1)
    if (last !== undefined && span.from <= last.to) {
      merged[merged.length - 1] = { from: last.from, to: Math.max(last.to, span.to) }
    } else merged.push(span)
  }
  return merged
}

const lengthOf = (spans: readonly Span[]): number => spans.reduce((sum, { from, to }) => sum + to - from, 0)
