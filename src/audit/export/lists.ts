/** What goes into one file each, line by line and in constant memory: hours, keys, openings, and the entries to read. */
import { type Db, query } from '../../db.ts'
import { hourCheckpoints, keyHistory } from '../log-store.ts'
import { decode } from '../stored-entry.ts'
import { bundlePath, TILE_WIDTH } from '../tree/tiles.ts'
import { csvHeader, csvRow } from './csv.ts'
import type { ExportFolder } from './folder.ts'
import type { Plan } from './plan.ts'
import { bundlesOf, splitBundle } from './tiles.ts'

const PAGE = 1_000
/** Rows of openings are read by stretches of the log. */
const STRETCH = 4_096

export async function* hourLines(db: Db, { size }: Plan): AsyncGenerator<string> {
  for (let after = 0; ; ) {
    const page = await hourCheckpoints(db, { after, upTo: size, limit: PAGE })
    yield page.map(({ hour, note }) => `${JSON.stringify({ hour: hour.toISOString(), note })}\n`).join('')
    const last = page.at(-1)
    if (last === undefined || page.length < PAGE) return
    after = last.size
  }
}

/** Each key with the first checkpoint it signed, in which the key before it vouches for it. */
export async function* keyLines(db: Db, { size }: Plan): AsyncGenerator<string> {
  for (const { index, publicKey } of await keyHistory(db)) {
    if (index >= size) return
    const { rows } = await query<{ readonly note: string }>(db, 'select note from audit_checkpoint where size = ?', [
      index + 1,
    ])
    yield `${JSON.stringify({ index, publicKey, note: rows[0]?.note ?? '' })}\n`
  }
}

export async function* openingLines(db: Db, { first, end }: Plan): AsyncGenerator<string> {
  for (let from = first; from < end; from += STRETCH) {
    const { rows } = await query<{ index: string; field: string; salt: Buffer; value: string }>(
      db,
      `select l.index, o.field, o.salt, o.value from audit_leaf l join audit_opening o on o.entry_id = l.entry_id
       where l.index >= ? and l.index < ? order by l.index, o.field`,
      [from, Math.min(end, from + STRETCH)],
    )
    const lines = rows.map(({ index, field, salt, value }) =>
      JSON.stringify({ index: Number(index), field, salt: salt.toString('base64'), value }),
    )
    yield lines.map((line) => `${line}\n`).join('')
  }
}

/** From the bundles that were written, so that a list can never hold what the tree does not. */
async function* entriesOf(folder: ExportFolder, plan: Plan): AsyncGenerator<readonly (readonly [number, Buffer])[]> {
  for (const n of bundlesOf(plan)) {
    const start = n * TILE_WIDTH
    const bundle = await folder.read(bundlePath(n, Math.min(TILE_WIDTH, plan.size - start)))
    yield splitBundle(bundle).map((bytes, place) => [start + place, bytes] as const)
  }
}

export async function* jsonLines(folder: ExportFolder, plan: Plan): AsyncGenerator<string> {
  for await (const entries of entriesOf(folder, plan)) {
    yield entries.map(([index, bytes]) => `{"index":${index},"entry":${bytes.toString('utf8')}}\n`).join('')
  }
}

export async function* csvLines(folder: ExportFolder, plan: Plan): AsyncGenerator<string> {
  yield csvHeader()
  for await (const entries of entriesOf(folder, plan)) {
    const rows = entries.map(([index, bytes]) => {
      const entry = decode(bytes)
      return entry === null ? `${index}\n` : csvRow(index, entry)
    })
    yield rows.join('')
  }
}
