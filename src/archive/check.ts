/** Whether an archive is whole: every file what its manifest says, and every manifest the one that the database recorded. */
import { promisify } from 'node:util'
import { gunzip } from 'node:zlib'
import { type Db, query } from '../db.ts'
import type { Disk } from './disk.ts'
import { isManifest, type Manifest, numberOfFile, parseManifest, SOURCES, type Source, sha256 } from './manifest.ts'

export type ArchiveVerdict = {
  readonly ok: boolean
  /** The number of the first batch here: those before it are elsewhere, or gone. null: there is none. */
  readonly first: number | null
  readonly batches: number
  readonly consents: number
  readonly faults: readonly string[]
  /** Written, and never committed: a copy of what is still in the database. Known only where that is asked. */
  readonly uncommitted: readonly string[]
}
type Found = { readonly name: string; readonly manifest: Manifest; readonly digest: string }
export type ArchivedLine = { readonly source: Source; readonly row: Readonly<Record<string, unknown>> }

/** `db`: of the tenant, if its own record is to be asked as well. */
export async function checkArchive(disk: Disk, db: Db | null): Promise<ArchiveVerdict> {
  const faults: string[] = []
  const found: Found[] = []
  for await (const each of manifestsOf(disk)) {
    if (each.manifest === null) faults.push(`${each.name} is no manifest`)
    else found.push({ ...each, manifest: each.manifest })
  }
  found.sort((one, other) => one.manifest.number - other.manifest.number)
  for (const { manifest } of found) faults.push(...(await faultsOf(disk, manifest)))
  const recorded = db === null ? null : await recordOf(db)
  const committed = recorded === null ? found : found.filter(({ manifest }) => recorded.has(manifest.number))
  const lonely = await filesWithout(disk, found)
  for (const { name, number } of lonely) {
    if (recorded === null || recorded.has(number)) faults.push(`${name} has no manifest`)
  }
  faults.push(...faultsOfChain(committed), ...faultsOfRecord(committed, recorded))
  return {
    ok: faults.length === 0,
    first: committed[0]?.manifest.number ?? null,
    batches: committed.length,
    consents: committed.reduce((sum, { manifest }) => sum + manifest.consents.length, 0),
    faults,
    uncommitted: found.filter((each) => !committed.includes(each)).map(({ name }) => name),
  }
}

/** A run that died between the two leaves such a file; so does whoever takes a manifest away. */
async function filesWithout(disk: Disk, found: readonly Found[]) {
  const known = new Set(found.map(({ manifest }) => manifest.file))
  return (await disk.list()).flatMap((name) => {
    const number = numberOfFile(name)
    return number === null || known.has(name) ? [] : [{ name, number }]
  })
}

export async function* manifestsOf(
  disk: Disk,
): AsyncGenerator<{ readonly name: string; readonly manifest: Manifest | null; readonly digest: string }> {
  for (const name of (await disk.list()).filter(isManifest)) {
    const bytes = (await disk.read(name)) ?? Buffer.alloc(0)
    yield { name, manifest: parseManifest(bytes), digest: sha256(bytes) }
  }
}

/** @throws where the file is not what a batch is */
export async function linesOf(bytes: Buffer): Promise<readonly ArchivedLine[]> {
  const text = (await promisify(gunzip)(bytes)).toString()
  return text
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line) as ArchivedLine)
}

async function faultsOf(disk: Disk, manifest: Manifest): Promise<readonly string[]> {
  const { file, lines, consents, requests } = manifest
  const bytes = await disk.read(file)
  if (bytes === null) return [`${file} is not there`]
  if (bytes.length !== manifest.bytes || sha256(bytes) !== manifest.sha256) {
    return [`${file} is not what its manifest says`]
  }
  const found = await linesOf(bytes).catch(() => null)
  if (found === null) return [`${file} cannot be read`]
  const isCounted = SOURCES.every((source) => found.filter((line) => line.source === source).length === lines[source])
  const named = found.filter(({ source }) => source === 'consent').map(({ row }) => row['id'])
  const asked = found.filter(({ source }) => source === 'service_request').map(({ row }) => row['resource_id'])
  const isNamed =
    named.join() === consents.join() &&
    asked.join() === requests.map(({ id }) => id).join() &&
    named.length === lines.consent
  return isCounted && isNamed ? [] : [`${file} has other lines than its manifest says`]
}

/** A folder may begin with any batch, and has every one from there on. */
function faultsOfChain(found: readonly Found[]): readonly string[] {
  return found.slice(1).flatMap(({ name, manifest }, at) => {
    const before = found[at]
    if (before === undefined) return []
    if (manifest.number === before.manifest.number) return [`${name} is there twice`]
    if (manifest.number !== before.manifest.number + 1) return [`between ${before.name} and ${name} there is a gap`]
    return manifest.previous === before.digest ? [] : [`${name} does not follow from ${before.name}`]
  })
}

type Recorded = ReadonlyMap<number, string>
async function recordOf(db: Db): Promise<Recorded> {
  const { rows } = await query<{ readonly number: string; readonly manifest_sha256: string }>(
    db,
    'select number, manifest_sha256 from archive_batch order by number',
  )
  return new Map(rows.map((row) => [Number(row.number), row.manifest_sha256]))
}

function faultsOfRecord(found: readonly Found[], recorded: Recorded | null): readonly string[] {
  if (recorded === null) return []
  const changed = found.filter(({ manifest, digest }) => recorded.get(manifest.number) !== digest)
  const last = found.at(-1)?.manifest.number ?? 0
  const missing = [...recorded.keys()].filter((number) => number > last)
  return [
    ...changed.map(({ name }) => `${name} is not the one that was recorded`),
    ...missing.map((number) => `batch ${number} was recorded and is not here`),
  ]
}
