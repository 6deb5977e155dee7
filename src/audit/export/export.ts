/**
 * Writes the log, or a period of it, as a folder that verifies on its own and that any static web server can serve as
 * a log of C2SP tlog-tiles. In constant memory, and resumable: every file is there as a whole or not at all, and what
 * is there is not made again. Does not judge what it copies: that is the verifier's part, on the finished folder.
 */
import type { Clock } from '../../clock.ts'
import { type Db, inTransaction } from '../../db.ts'
import { OperatorError } from '../../errors.ts'
import type { Log } from '../../log.ts'
import { encode } from '../entry.ts'
import { type LogKeySource, openLogKeys } from '../log-keys.ts'
import { bestCheckpoint, type KeyInForce, keyHistory, latestCheckpoint, tileSource } from '../log-store.ts'
import { createSealer } from '../seal.ts'
import { accept } from '../store.ts'
import { TILE_WIDTH } from '../tree/tiles.ts'
import { createWitnessing, type WitnessEndpoint } from '../witnessing.ts'
import { type ExportFolder, isBegun, MANIFEST, openFolder, UNFINISHED } from './folder.ts'
import { csvLines, hourLines, jsonLines, keyLines, openingLines } from './lists.ts'
import { fieldsDigest, fieldsFile, type Period, type Plan, parsePlan, planText, rangeOf } from './plan.ts'
import { bundlesOf, writeBundles, writeTiles } from './tiles.ts'

export type ExportDeps = LogKeySource & {
  readonly db: Db
  readonly clock: Clock
  readonly log: Log
  readonly witnesses?: readonly WitnessEndpoint[]
}
export type ExportOptions = {
  readonly path: string
  readonly period?: Period
  /** Salts and values of the commitments as well. */
  readonly openings?: boolean
}
export type Exported = {
  readonly path: string
  readonly size: number
  readonly publicKey: string
  readonly first: number
  readonly end: number
}

/** Everything accepted so far, or its period, and the notice of this export. */
export async function exportLog(deps: ExportDeps, options: ExportOptions): Promise<Exported> {
  const { db } = deps
  const isResumed = await isBegun(options.path)
  const folder = openFolder(options.path)
  const plan = isResumed ? parsePlan((await folder.read(UNFINISHED)).toString()) : await begin(deps, options)
  if (plan.openings !== (options.openings ?? false))
    throw new OperatorError('the unfinished export was asked for otherwise')
  await copyLog(db, folder, plan)
  const { size, publicKey, first, end } = plan
  return { path: options.path, size, publicKey, first, end }
}

/** Everything but the checkpoint and the plan, which are there already. */
export async function copyLog(db: Db, folder: ExportFolder, plan: Plan): Promise<void> {
  await folder.write('fields.json', fieldsFile())
  await folder.stream('keys.ndjson', keyLines(db, plan))
  await folder.stream('hours.ndjson', hourLines(db, plan))
  await writeTiles(db, folder, plan.size, tileSource(db))
  const keys = (await keyHistory(db)).filter(({ index }) => index < plan.size)
  await writeBundles(db, folder, plan.size, wantedBundles(plan, keys))
  if (plan.openings) await folder.stream('openings.ndjson', openingLines(db, plan))
  await folder.stream('entries.ndjson', jsonLines(folder, plan))
  await folder.stream('entries.csv', csvLines(folder, plan))
  await folder.rename(UNFINISHED, MANIFEST)
}

/** Those of the plan, and those with a key, in ascending order. */
function* wantedBundles(plan: Plan, keys: readonly KeyInForce[]): Generator<number> {
  const ofKeys = [...new Set(keys.map(({ index }) => Math.floor(index / TILE_WIDTH)))]
  const [from, to] = [Math.floor(plan.first / TILE_WIDTH), Math.ceil(plan.end / TILE_WIDTH)]
  yield* ofKeys.filter((n) => n < from)
  yield* bundlesOf(plan)
  yield* ofKeys.filter((n) => n >= to)
}

async function begin(deps: ExportDeps, options: ExportOptions): Promise<Plan> {
  const { db, tenantId, clock } = deps
  const { period = {}, openings = false } = options
  const detail = [period.from?.toISOString() ?? '', period.to?.toISOString() ?? '', openings ? 'with openings' : '']
  const entry = { kind: 'system', event: 'exported', detail: detail.join('|') } as const
  const notice = encode({ ...entry, at: clock.now(), tenantId, interactionId: null }, 'unwatched')
  await inTransaction(db, (tx) => accept(tx, [notice]))
  await createSealer(deps).sealNow()
  const sealed = await latestCheckpoint(db)
  if (sealed === null) throw new Error('a sealed log has a checkpoint')
  await createWitnessing({ ...deps, witnesses: deps.witnesses ?? [] }).submitNow()
  const checkpoint = (await bestCheckpoint(db, sealed.size)) ?? sealed
  const { origin, signer } = openLogKeys(deps)
  const plan: Plan = {
    format: 'falaj-audit-export/v1',
    origin,
    publicKey: signer.verifier.text,
    size: checkpoint.size,
    ...(await rangeOf(db, period, checkpoint.size)),
    openings,
    fields: fieldsDigest(),
  }
  const folder = openFolder(options.path)
  await folder.write('checkpoint', checkpoint.note)
  await folder.write(UNFINISHED, planText(plan))
  return plan
}
