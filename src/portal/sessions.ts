/** Who is logged in. The browser holds an id, the database its digest: a copy of the database opens no session. */
import { createHash, randomBytes } from 'node:crypto'
import type { Clock, Instant } from '../clock.ts'
import { toInstant } from '../clock.ts'
import type { PortalConfig, PortalRole } from '../config.ts'
import { type Db, query } from '../db.ts'
import type { Person } from './person.ts'

export type Session = {
  readonly person: Person
  /** Stands in every form; a page of another origin cannot know it. */
  readonly csrf: string
  /** Names the session to others: the digest of its id, which opens nothing. */
  readonly handle: string
  readonly expiresAt: Instant
}
export type ListedSession = {
  readonly handle: string
  readonly person: Person
  readonly beganAt: Instant
  readonly seenAt: Instant
  readonly expiresAt: Instant
}

export type Sessions = {
  /** A new id for each login. */
  open(person: Person): Promise<string>
  /** null: unknown, ended, too old or idle for too long. Counts as a request of it. */
  find(id: string): Promise<Session | null>
  end(id: string): Promise<void>
  /** By its handle; false: there is none. */
  endOther(handle: string): Promise<boolean>
  /** How many there were. */
  endAllOf(subject: string): Promise<number>
  /** Those that are good now, the latest request first. */
  list(): Promise<readonly ListedSession[]>
  purge(): Promise<void>
}

type Row = {
  readonly id_digest: Buffer
  readonly subject: string
  readonly name: string
  readonly roles: PortalRole[]
  readonly began_at: Date
  readonly seen_at: Date
  readonly expires_at: Date
}

const ID_BYTES = 32
const MINUTE_MS = 60_000
const LISTED_MAX = 500
/** A request is written down when the last one that was is older than this, not each time. */
const SEEN_EVERY_MS = 5_000

export function createSessions(deps: {
  readonly db: Db
  readonly clock: Clock
  readonly portal: Pick<PortalConfig, 'idleMinutes' | 'sessionMinutes'>
}): Sessions {
  const { db, clock, portal } = deps
  const idleBefore = (): Date => new Date(clock.now() - portal.idleMinutes * MINUTE_MS)
  const now = (): Date => new Date(clock.now())
  return {
    open: async ({ subject, name, roles }) => {
      const id = randomBytes(ID_BYTES).toString('base64url')
      const expiresAt = new Date(clock.now() + portal.sessionMinutes * MINUTE_MS)
      await query(
        db,
        `insert into portal_session (id_digest, subject, name, roles, began_at, seen_at, expires_at)
         values (?, ?, ?, ?::text[], ?, ?, ?)`,
        [digestOf(id), subject, name, [...roles], now(), now(), expiresAt],
      )
      return id
    },
    find: async (id) => {
      const { rows } = await query<Row>(
        db,
        'select * from portal_session where id_digest = ? and expires_at > ? and seen_at > ?',
        [digestOf(id), now(), idleBefore()],
      )
      const [row] = rows
      if (row === undefined) return null
      if (clock.now() - row.seen_at.getTime() > SEEN_EVERY_MS) {
        await query(db, 'update portal_session set seen_at = ? where id_digest = ?', [now(), row.id_digest])
      }
      const { person, handle, expiresAt } = listed(row)
      return { person, handle, expiresAt, csrf: csrfOf(id) }
    },
    end: async (id) => {
      await query(db, 'delete from portal_session where id_digest = ?', [digestOf(id)])
    },
    endOther: async (handle) => {
      const digest = Buffer.from(handle, 'base64url')
      return (await query(db, 'delete from portal_session where id_digest = ?', [digest])).rowCount > 0
    },
    endAllOf: async (subject) => (await query(db, 'delete from portal_session where subject = ?', [subject])).rowCount,
    list: async () => {
      const { rows } = await query<Row>(
        db,
        'select * from portal_session where expires_at > ? and seen_at > ? order by seen_at desc limit ?',
        [now(), idleBefore(), LISTED_MAX],
      )
      return rows.map(listed)
    },
    purge: async () => {
      await query(db, 'delete from portal_session where expires_at <= ? or seen_at <= ?', [now(), idleBefore()])
      await query(db, 'delete from portal_login where expires_at <= ?', [now()])
    },
  }
}

const listed = (row: Row): ListedSession => ({
  handle: row.id_digest.toString('base64url'),
  person: { subject: row.subject, name: row.name, roles: row.roles },
  beganAt: toInstant(row.began_at),
  seenAt: toInstant(row.seen_at),
  expiresAt: toInstant(row.expires_at),
})

/** The id is random and long: its digest needs no salt. */
export const digestOf = (id: string): Buffer => createHash('sha256').update(id).digest()

/** Follows from the id, so that it lives exactly as long, and says nothing about it. */
const csrfOf = (id: string): string => createHash('sha256').update(`csrf ${id}`).digest('base64url')
