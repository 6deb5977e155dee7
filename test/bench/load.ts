/** A closed-loop load generator in a process of its own: so many connections, each with one call in flight. */
import { randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { Pool } from 'undici'

/** Of several calls each takes its turn; one with a body is a POST under an idempotency key of its own. */
export type LoadCall = { readonly headers: Readonly<Record<string, string>>; readonly body?: string }
export type LoadSettings = {
  readonly origin: string
  readonly path: string
  readonly calls: readonly LoadCall[]
  readonly ca: string
  readonly cert: string
  readonly key: string
  readonly connections: number
  readonly warmUpMs: number
  readonly runMs: number
}
export type LoadResult = {
  readonly requests: number
  readonly seconds: number
  readonly bytes: number
  readonly p50: number
  readonly p99: number
  /** Any answer but 200 and 201: the run is then worth nothing. */
  readonly refused: number
}

const settings = JSON.parse(process.argv[2] ?? '{}') as LoadSettings
const pool = new Pool(settings.origin, {
  connections: settings.connections,
  pipelining: 1,
  connect: { ca: readFileSync(settings.ca), cert: readFileSync(settings.cert), key: readFileSync(settings.key) },
})

const latencies: number[] = []
let bytes = 0
let refused = 0
let measuring = false
let stopped = false

let turn = 0
async function call(): Promise<void> {
  const { headers = {}, body: sent } = settings.calls[turn++ % settings.calls.length] ?? {}
  const began = performance.now()
  const response = await pool.request(
    sent === undefined
      ? { method: 'GET', path: settings.path, headers }
      : { method: 'POST', path: settings.path, headers: { ...headers, 'x-idempotency-key': randomUUID() }, body: sent },
  )
  const body = await response.body.arrayBuffer()
  if (!measuring) return
  if (response.statusCode !== 200 && response.statusCode !== 201) refused += 1
  latencies.push(performance.now() - began)
  bytes = body.byteLength
}

const workers = Array.from({ length: settings.connections }, async () => {
  while (!stopped) await call()
})
await new Promise((resolve) => setTimeout(resolve, settings.warmUpMs))
measuring = true
process.send?.('measuring')
const began = performance.now()
await new Promise((resolve) => setTimeout(resolve, settings.runMs))
const seconds = (performance.now() - began) / 1000
measuring = false
stopped = true
await Promise.all(workers)
latencies.sort((one, other) => one - other)
const at = (share: number): number => latencies[Math.floor(latencies.length * share)] ?? Number.NaN
const result: LoadResult = { requests: latencies.length, seconds, bytes, p50: at(0.5), p99: at(0.99), refused }
process.send?.(result, () => process.exit(0))
