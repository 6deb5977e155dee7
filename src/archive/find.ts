/** One consent, quote or opening, as an archive has it: looked for in the manifests, read in the one file. */
import { type ArchivedLine, linesOf, manifestsOf } from './check.ts'
import type { Disk } from './disk.ts'
import type { Manifest } from './manifest.ts'

export type FoundInArchive = { readonly file: string; readonly lines: readonly ArchivedLine[] }

/** In each batch that names it: an id that a consent had is free again once it is archived. Empty: none does. */
export async function findInArchive(disk: Disk, id: string): Promise<readonly FoundInArchive[]> {
  const found: FoundInArchive[] = []
  for await (const { manifest } of manifestsOf(disk)) {
    if (manifest === null || !names(manifest, id)) continue
    const bytes = await disk.read(manifest.file)
    if (bytes !== null) found.push({ file: manifest.file, lines: linesAbout(await linesOf(bytes), id) })
  }
  return found
}

const names = ({ consents, requests }: Manifest, id: string): boolean =>
  consents.includes(id) || requests.some((each) => each.id === id)

/** Its own rows, those that name it, and the histories of its payments. */
function linesAbout(lines: readonly ArchivedLine[], id: string): readonly ArchivedLine[] {
  const isOwn = ({ source, row }: ArchivedLine): boolean =>
    (source === 'consent' ? row['id'] : row['consent_id']) === id || row['resource_id'] === id
  const logs = new Set(
    lines.filter(isOwn).flatMap(({ source, row }) => {
      if (source === 'payment_log') return [`payment ${row['id']}`]
      return source === 'service_request' ? [`${row['kind']} ${row['id']}`] : []
    }),
  )
  return lines.filter(
    (line) =>
      isOwn(line) || (line.source === 'resource_trail' && logs.has(`${line.row['resource']} ${line.row['log_id']}`)),
  )
}
