/**
 * Figures for whoever watches the hub, in the text format of Prometheus; the home of prom-client. Labels are names
 * from tables of ours and never an id: what concerns one client or one consent is in the audit log.
 */
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { Counter, Gauge, Histogram, Registry } from 'prom-client'
import { groupOf } from './measure.ts'

/** What a door knows of a request when it is over. */
export type Measured = {
  readonly operation: string | null
  readonly rule: string | null
  readonly hubInMs: number | null
  readonly lfiMs: number | null
  readonly hubOutMs: number | null
}
/** Of a request that no segments are known of. */
export const measuredAs = (operation: string | null, rule: string | null = null): Measured => ({
  operation,
  rule,
  hubInMs: null,
  lfiMs: null,
  hubOutMs: null,
})
export type Observed = {
  readonly door: string
  readonly status: number
  readonly totalMs: number
  readonly measured: Measured | null
}
/** What is asked for each time somebody reads; null is a figure that could not be had. */
export type Levels = () => Promise<Readonly<Record<LevelName, number | null>>>

export type Metrics = {
  observe(call: Observed): void
  /** The registry's content type and its text. */
  read(): Promise<{ readonly contentType: string; readonly text: string }>
}

/** In seconds. The 0.5 is the contract's own limit (lfi-api 8). */
const BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 0.75, 1, 1.5, 3, 10]

const LEVELS = {
  falaj_audit_pending: 'Audit entries that were accepted and wait for their place in the log.',
  falaj_audit_pending_seconds: 'Age of the oldest audit entry that waits for its place in the log; 0 where none does.',
  falaj_witness_behind_seconds:
    'Age of the oldest checkpoint that a configured witness has not reached, of the one furthest behind.',
  falaj_outbox_waiting: 'Notices in the outbox that were not delivered yet.',
  falaj_webhooks_dead: 'Webhooks that were given up; they wait for the operator until they are purged.',
  falaj_outages_open: 'Outages that were declared and have not ended.',
  falaj_payments_unsettled: 'Payments that the LFI was asked for and has not answered; it settles them by its log.',
  falaj_reports_behind: 'Entries of the audit log that the roll-ups have not counted yet.',
  falaj_database_connections_used: 'Connections of the pool that are in use.',
  falaj_database_connections_free: 'Connections of the pool that wait for work.',
  falaj_database_waiting: 'Statements that wait for a connection of the pool.',
} as const
export type LevelName = keyof typeof LEVELS

/** What this process has had from each witness since it started; only the worker asks them. */
const WITNESS_COUNTS = {
  cosigned: { name: 'falaj_witness_cosignatures_total', help: 'Checkpoints that the witness has cosigned.' },
  refused: { name: 'falaj_witness_refusals_total', help: 'Checkpoints in which the witness saw another history.' },
  failed: { name: 'falaj_witness_failures_total', help: 'Checkpoints that the witness did not cosign.' },
} as const
export type WitnessLevels = () => ReadonlyMap<string, Readonly<Record<keyof typeof WITNESS_COUNTS, number>>>

/** Of the whole process; null where nothing is exported. */
const SPAN_COUNTS = {
  exported: { name: 'falaj_spans_exported_total', help: 'Spans that the collector of traces has taken.' },
  dropped: {
    name: 'falaj_spans_dropped_total',
    help: 'Spans that were dropped: the queue was full, or the collector did not take them.',
  },
} as const
export type SpanLevels = () => Readonly<Record<keyof typeof SPAN_COUNTS, number>>

/** Until the end of each certificate of the hub and of its authorities, by its place in the configuration. */
export type Expiries = () => readonly { readonly name: string; readonly seconds: number }[]

export type Counted = {
  readonly witnesses: WitnessLevels
  readonly certificates: Expiries
  /** Milliseconds that writers of the audit log have rested. */
  readonly audit: () => number
  /** null: nothing is exported. */
  readonly spans: SpanLevels | null
}

export function createMetrics(levels: Levels, { witnesses, certificates, audit, spans }: Counted): Metrics {
  const registry = new Registry()
  const registers = [registry]
  const requests = new Counter({
    name: 'falaj_requests_total',
    help: 'Requests answered, by door, operation and group of status.',
    labelNames: ['door', 'operation', 'status'] as const,
    registers,
  })
  const seconds = new Histogram({
    name: 'falaj_request_duration_seconds',
    help: 'Time of a request in its segments: total, and where an LFI was called hub_in, lfi and hub_out.',
    labelNames: ['door', 'operation', 'status', 'segment'] as const,
    buckets: BUCKETS,
    registers,
  })
  const refusals = new Counter({
    name: 'falaj_refusals_total',
    help: 'Refusals by the rule that made them (src/refusals.ts).',
    labelNames: ['door', 'rule'] as const,
    registers,
  })
  const gauges = Object.entries(LEVELS).map(
    ([name, help]) => [name as LevelName, new Gauge({ name, help, registers })] as const,
  )
  const ofWitnesses = Object.entries(WITNESS_COUNTS).map(
    ([what, { name, help }]) =>
      [
        what as keyof typeof WITNESS_COUNTS,
        new Counter({ name, help, labelNames: ['witness'] as const, registers }),
      ] as const,
  )
  const ofSpans = Object.entries(SPAN_COUNTS).map(
    ([what, { name, help }]) =>
      [
        what as keyof typeof SPAN_COUNTS,
        new Counter({ name, help, registers: spans === null ? [] : registers }),
      ] as const,
  )
  const expiries = new Gauge({
    name: 'falaj_certificate_expires_seconds',
    help: 'Time until a certificate of the hub, or of an authority that it believes, ends, by its place in the configuration; negative once it has.',
    labelNames: ['certificate'] as const,
    registers,
  })
  const rested = new Counter({
    name: 'falaj_audit_rested_seconds_total',
    help: 'Time for which nothing was accepted into the audit log, because its sealer was behind.',
    registers,
  })
  const lag = new Gauge({
    name: 'falaj_event_loop_lag_seconds',
    help: 'Delay of the event loop since it was last read: the 99th percentile.',
    registers,
  })
  const memory = new Gauge({ name: 'falaj_memory_bytes', help: 'Resident memory of the process.', registers })
  const delay = monitorEventLoopDelay({ resolution: 10 })
  delay.enable()

  return {
    observe({ door, status, totalMs, measured }) {
      const labels = { door, operation: measured?.operation ?? 'none', status: groupOf(status) }
      requests.inc(labels)
      const segments = {
        total: totalMs,
        hub_in: measured?.hubInMs ?? null,
        lfi: measured?.lfiMs ?? null,
        hub_out: measured?.hubOutMs ?? null,
      }
      for (const [segment, ms] of Object.entries(segments)) {
        if (ms !== null) seconds.observe({ ...labels, segment }, ms / 1000)
      }
      if (measured?.rule != null) refusals.inc({ door, rule: measured.rule })
    },
    async read() {
      const now = await levels()
      for (const [name, gauge] of gauges) gauge.set(now[name] ?? Number.NaN)
      for (const [what, counter] of ofWitnesses) {
        counter.reset()
        for (const [witness, counts] of witnesses()) counter.inc({ witness }, counts[what])
      }
      for (const [what, counter] of ofSpans) {
        counter.reset()
        counter.inc(spans?.()[what] ?? 0)
      }
      rested.reset()
      rested.inc(audit() / 1000)
      for (const { name, seconds: left } of certificates()) expiries.set({ certificate: name }, left)
      const p99 = delay.percentile(99) / 1e9
      lag.set(Number.isFinite(p99) ? p99 : 0)
      delay.reset()
      memory.set(process.memoryUsage.rss())
      return { contentType: registry.contentType, text: await registry.metrics() }
    },
  }
}
