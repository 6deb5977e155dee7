/**
 * What the application remembers between restarts, in one JSON file for its owner alone: it holds refresh tokens.
 * A browser is known by the digest of its cookie, so the file does not let a reader become someone's session.
 */
import { createHash, randomBytes } from 'node:crypto'
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Pending, Tokens } from './authorization.ts'

export type Connection = {
  readonly consentId: string
  readonly lfiCode: string
  readonly lfiName: string
  readonly presetLabel: string
  /** By its name in offers.ts; absent in files from before there were several kinds, which were all of accounts. */
  readonly offer?: string
  /** The root of the chain that this consent continues (tpp-api 4.5). */
  readonly baseConsentId?: string
  readonly connectedAt: number
  tokens: Tokens
}
export type StartedConsent = Pending & {
  readonly lfiCode: string
  readonly lfiName: string
  readonly presetLabel: string
  readonly offer: string
  readonly baseConsentId?: string
  /** The consent that ends when this one is agreed to. */
  readonly renews?: string
  readonly startedAt: number
}
export type Session = {
  lastSeenAt: number
  pending: StartedConsent[]
  connections: Connection[]
}

export type State = {
  /** Secret behind the anti-forgery tokens. */
  readonly formKey: Buffer
  /** The session of this cookie, or an empty one that is kept from the first `save` on. */
  session(cookie: string): Session
  save(cookie: string, session: Session): void
  registeredAt(issuer: string): number | null
  registered(issuer: string): void
}

type Stored = {
  readonly version: 1
  readonly formKey: string
  readonly registrations: [string, number][]
  readonly sessions: [string, Session][]
}

const SESSIONS_MAX = 500
const PENDING_MAX = 10
const PENDING_MS = 15 * 60 * 1000

export function openState(dataDir: string): State {
  mkdirSync(dataDir, { recursive: true, mode: 0o700 })
  const file = join(dataDir, 'state.json')
  const stored = readStored(file)
  const registrations = new Map(stored.registrations)
  const sessions = new Map(stored.sessions)
  const write = (): void =>
    writeStored(file, {
      version: 1,
      formKey: stored.formKey,
      registrations: [...registrations],
      sessions: [...sessions],
    })
  return {
    formKey: Buffer.from(stored.formKey, 'base64url'),
    session: (cookie) => sessions.get(digest(cookie)) ?? { lastSeenAt: Date.now(), pending: [], connections: [] },
    save: (cookie, session) => {
      session.lastSeenAt = Date.now()
      session.pending = session.pending.filter((one) => one.startedAt > Date.now() - PENDING_MS).slice(-PENDING_MAX)
      sessions.set(digest(cookie), session)
      forgetOldest(sessions)
      write()
    },
    registeredAt: (issuer) => registrations.get(issuer) ?? null,
    registered: (issuer) => {
      registrations.set(issuer, Date.now())
      write()
    },
  }
}

const digest = (cookie: string): string => createHash('sha256').update(cookie).digest('base64url')

function forgetOldest(sessions: Map<string, Session>): void {
  if (sessions.size <= SESSIONS_MAX) return
  const [oldest] = [...sessions].sort(([, a], [, b]) => a.lastSeenAt - b.lastSeenAt)
  if (oldest !== undefined) sessions.delete(oldest[0])
}

function readStored(file: string): Stored {
  try {
    const stored = JSON.parse(readFileSync(file, 'utf8')) as Stored
    if (stored.version === 1) return stored
  } catch (error) {
    const missing = error instanceof Error && 'code' in error && error.code === 'ENOENT'
    if (!missing) throw new Error(`the state file ${file} cannot be read; remove it to begin anew`, { cause: error })
  }
  return { version: 1, formKey: randomBytes(32).toString('base64url'), registrations: [], sessions: [] }
}

/** Beside and then renamed: a reader, or a crash, sees the old file or the new one. */
function writeStored(file: string, stored: Stored): void {
  const draft = `${file}.new`
  writeFileSync(draft, JSON.stringify(stored), { mode: 0o600, flush: true })
  renameSync(draft, file)
}
