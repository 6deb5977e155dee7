/**
 * What one batch of an archive is: a file of lines, and a manifest that says how many of which there are, whose they are,
 * and what the file and the manifest before it digest to. So every batch can be held against the audit log, which has the
 * manifest's own digest, and none can be taken out of the middle.
 */
import { createHash } from 'node:crypto'
import { iso, toInstant } from '../clock.ts'

/** The tables that lines are from, in the order in which they stand in a file. */
export const SOURCES = [
  'consent',
  'consent_version',
  'consent_trail',
  'payment_log',
  'payment_tally',
  'service_request',
  'resource_trail',
  'outbox',
] as const
export type Source = (typeof SOURCES)[number]
export type Lines = Readonly<Record<Source, number>>

export type Manifest = {
  readonly version: 1
  readonly tenant: string
  readonly number: number
  /** SHA-256 of the manifest of the batch before; null for the first. */
  readonly previous: string | null
  /** Nothing in it has changed since. */
  readonly olderThan: string
  readonly archivedAt: string
  readonly file: string
  readonly bytes: number
  readonly sha256: string
  readonly lines: Lines
  readonly consents: readonly string[]
  readonly requests: readonly { readonly kind: string; readonly id: string }[]
}

const DIGITS = 8
const NAME = /^archive-(.+)-(\d{8,})\.manifest\.json$/

export const sha256 = (bytes: Buffer | string): string => createHash('sha256').update(bytes).digest('hex')

const stem = (tenant: string, number: number): string => `archive-${tenant}-${String(number).padStart(DIGITS, '0')}`
export const fileName = (tenant: string, number: number): string => `${stem(tenant, number)}.ndjson.gz`
export const manifestName = (tenant: string, number: number): string => `${stem(tenant, number)}.manifest.json`
/** null: it is no file of a batch. */
export function numberOfFile(name: string): number | null {
  const [, digits] = /^archive-.+-(\d{8,})\.ndjson\.gz$/.exec(name) ?? []
  return digits === undefined ? null : Number(digits)
}
export const isManifest = (name: string): boolean => NAME.test(name)

export const written = (manifest: Manifest): Buffer => Buffer.from(`${JSON.stringify(manifest, null, 2)}\n`)

/** null: it is none. */
export function parseManifest(bytes: Buffer): Manifest | null {
  try {
    const read = JSON.parse(bytes.toString()) as Manifest
    const isWhole =
      read.version === 1 &&
      [read.tenant, read.file, read.sha256].every((text) => typeof text === 'string') &&
      [read.number, read.bytes, ...SOURCES.map((source) => read.lines[source])].every(Number.isSafeInteger) &&
      Array.isArray(read.consents) &&
      Array.isArray(read.requests) &&
      iso(toInstant(read.archivedAt)) === read.archivedAt
    return isWhole ? read : null
  } catch {
    return null
  }
}
