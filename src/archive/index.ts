/**
 * What ended long ago goes from the database into files that anybody can hold against the audit log: consents with their
 * past and their payments, quotes and account openings. A room of its own, because it takes from the tables of several, and
 * runs as their owner: the account of a running hub may delete none of this.
 */
import type { Migration } from '../db.ts'
import { archive as archiveTables } from './migrations/0080-archive.ts'

export { type ArchiveVerdict, checkArchive } from './check.ts'
export { type Disk, openDisk } from './disk.ts'
export { type FoundInArchive, findInArchive } from './find.ts'
export { type ArchiveDeps, type Archived, archive } from './run.ts'

export const migrations: readonly Migration[] = [archiveTables]
