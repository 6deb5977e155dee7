/**
 * Archiving, batch by batch. In one transaction: the oldest that may go are locked and read, their lines and the manifest
 * are written and made durable, and only then they are deleted, recorded in the audit log with the manifest's digest, and
 * committed. Whatever happens before the commit leaves them where they are: the next run makes a batch of the same number,
 * in the place of what had been written. So a file without its line in `archive_batch` is a copy of what is still in the
 * database, and everything else is in exactly one batch.
 */
import { promisify } from 'node:util'
import { gzip } from 'node:zlib'
import type { Audit } from '../audit/index.ts'
import { type Clock, type Instant, iso } from '../clock.ts'
import { type Db, inTransaction, query, type Tx } from '../db.ts'
import { OperatorError } from '../errors.ts'
import type { TenantId } from '../ids.ts'
import { ENDED_REQUESTS } from '../resource-log/index.ts'
import { BEGINNING, type Chosen, choose, countOf, type Position, read } from './batch.ts'
import type { Disk } from './disk.ts'
import { fileName, type Lines, type Manifest, manifestName, sha256, written } from './manifest.ts'

export type ArchiveDeps = {
  /** Of the owner of the tables. */
  readonly db: Db
  readonly tenantId: TenantId
  readonly audit: Audit
  readonly clock: Clock
  readonly disk: Disk
  /** Between two batches, so that whoever else is at work gets through. */
  rest(ms: number): Promise<void>
}
export type ArchiveOptions = {
  /** What has changed since stays. */
  readonly before: Instant
  /** Consents, and requests, in one transaction. */
  readonly batch: number
}
export type Archived = {
  readonly number: number
  readonly file: string
  readonly manifestSha256: string
  readonly lines: Lines
}

/** Any number that nothing else locks. */
const ARCHIVE_LOCK = 1_178_692_971
/** A rest is that many times as long as the batch before it took. */
const REST = 2

/** @throws OperatorError where somebody archives already */
export async function* archive(deps: ArchiveDeps, options: ArchiveOptions): AsyncGenerator<Archived> {
  let position = BEGINNING
  for (;;) {
    const began = performance.now()
    const { archived, next, isEnd } = await inTransaction(deps.db, (tx) => archiveNext(tx, deps, options, position))
    if (archived !== null) yield archived
    if (isEnd) return
    position = next
    await deps.rest(REST * (performance.now() - began))
  }
}

type Step = { readonly archived: Archived | null; readonly next: Position; readonly isEnd: boolean }

async function archiveNext(
  tx: Tx,
  deps: ArchiveDeps,
  { before, batch }: ArchiveOptions,
  from: Position,
): Promise<Step> {
  await takeTurn(tx)
  const chosen = await choose(tx, before, from, batch)
  const { next, isEnd } = chosen
  // Others hold all of them at the moment.
  if (chosen.consents.length + chosen.requests.length === 0) return { archived: null, next, isEnd }
  const { manifest, digest } = await writeDown(tx, deps, before, chosen)
  const { number, file, lines, archivedAt } = manifest
  await query(tx, 'select archive_take(?, ?, ?, ?, ?::text[], ?::bigint[], ?::text[], ?::jsonb, ?)', [
    ...[number, file, digest, new Date(before), chosen.consents, chosen.requestIds],
    ...[[...ENDED_REQUESTS], JSON.stringify(lines), new Date(archivedAt)],
  ])
  const { consent, payment_log: payments, service_request: requests } = lines
  await deps.audit.append(tx, {
    kind: 'system',
    at: deps.clock.now(),
    interactionId: null,
    tenantId: deps.tenantId,
    event: 'archived',
    detail: `batch ${number}, before ${iso(before)}: consent ${consent}, payment_log ${payments}, service_request ${requests}; manifest sha256 ${digest}`,
  })
  return { archived: { number, file, manifestSha256: digest, lines }, next, isEnd }
}

async function takeTurn(tx: Tx): Promise<void> {
  const { rows } = await query<{ readonly mine: boolean }>(tx, 'select pg_try_advisory_xact_lock(?) as mine', [
    ARCHIVE_LOCK,
  ])
  if (rows[0]?.mine !== true) throw new OperatorError('this tenant is being archived already')
}

async function writeDown(
  tx: Tx,
  { tenantId, clock, disk }: ArchiveDeps,
  before: Instant,
  chosen: Chosen,
): Promise<{ readonly manifest: Manifest; readonly digest: string }> {
  const last = await query<{ readonly number: string; readonly manifest_sha256: string }>(
    tx,
    'select number, manifest_sha256 from archive_batch order by number desc limit 1',
  )
  const number = Number(last.rows[0]?.number ?? 0) + 1
  const lines = await read(tx, chosen)
  const bytes = await promisify(gzip)(lines.map(({ source, row }) => `{"source":"${source}","row":${row}}\n`).join(''))
  const manifest: Manifest = {
    version: 1,
    tenant: tenantId,
    number,
    previous: last.rows[0]?.manifest_sha256 ?? null,
    olderThan: iso(before),
    archivedAt: iso(clock.now()),
    file: fileName(tenantId, number),
    bytes: bytes.length,
    sha256: sha256(bytes),
    lines: countOf(lines),
    consents: chosen.consents,
    requests: chosen.requests,
  }
  const text = written(manifest)
  await disk.write(manifest.file, bytes)
  await disk.write(manifestName(tenantId, number), text)
  return { manifest, digest: sha256(text) }
}
