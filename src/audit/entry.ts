/**
 * `encode`, the one place that turns an entry into the bytes that are hashed and stored. Nothing re-encodes them later.
 * The bytes of a kind never change once released: a further member means a further version of that kind.
 */
import { iso } from '../clock.ts'
import { commit, type Opening } from './commitment.ts'
import type { AuditEntry, AuditKind, Kinds } from './kinds.ts'

export type { AuditEntry, AuditKind } from './kinds.ts'

/**
 * How a member is written; `?` admits null. Derived from its type, so that table and type cannot part. A text may be
 * `committed` instead: what says something of a person, or ties calls to one, is in the log only as a commitment.
 */
type ShapeOf<T> = [T] extends [readonly string[]]
  ? 'names'
  : [T] extends [boolean]
    ? 'flag'
    : [T] extends [string]
      ? 'text'
      : [T] extends [number]
        ? 'number'
        : [Exclude<T, null>] extends [number]
          ? 'number?'
          : [Exclude<T, null>] extends [boolean]
            ? 'flag?'
            : 'text?'
type CommittedOf<S> = S extends 'text' ? 'committed' : S extends 'text?' ? 'committed?' : never
type Shape = 'names' | 'flag' | 'flag?' | 'text' | 'number' | 'number?' | 'text?' | 'committed' | 'committed?'
type Layout<K extends AuditKind> = {
  readonly v: number
  readonly members: { readonly [M in keyof Kinds[K]]: ShapeOf<Kinds[K][M]> | CommittedOf<ShapeOf<Kinds[K][M]>> }
}

/** Members in the order in which they are written. */
const MEASURED = { resource: 'text?', rule: 'text?', expected: 'text?', seen: 'text?', path: 'text?' } as const
const CAUSED = { requestDigest: 'committed?', parentInteractionId: 'committed?' } as const
export const LAYOUTS: { readonly [K in AuditKind]: Layout<K> } = {
  'tpp-call': {
    v: 2,
    members: {
      clientId: 'text?',
      organisationId: 'text?',
      surface: 'text',
      operationId: 'text?',
      method: 'text',
      route: 'text?',
      status: 'number',
      errorCode: 'text?',
      consentId: 'committed?',
      attended: 'flag',
      hubMs: 'number',
      lfiMs: 'number?',
      lfiStatus: 'number?',
      records: 'number?',
      softwareStatementId: 'text?',
      apiSet: 'text?',
      hubInMs: 'number?',
      hubOutMs: 'number?',
      lfiOutcome: 'text?',
      paymentType: 'text?',
      merchantId: 'text?',
      ...MEASURED,
      responseDigest: 'committed?',
      ...CAUSED,
    },
  },
  'lfi-call': {
    v: 2,
    members: {
      clientId: 'text?',
      consentId: 'committed?',
      operationId: 'text',
      method: 'text',
      route: 'text',
      status: 'number?',
      outcome: 'text',
      lfiMs: 'number',
      ...CAUSED,
    },
  },
  'webhook-call': {
    v: 1,
    members: {
      clientId: 'text',
      consentId: 'committed?',
      resource: 'text',
      eventId: 'text',
      attempt: 'number',
      status: 'number?',
      outcome: 'text',
      ...CAUSED,
    },
  },
  'lfi-request': {
    v: 2,
    members: {
      surface: 'text',
      operationId: 'text?',
      method: 'text',
      route: 'text?',
      status: 'number',
      errorCode: 'text?',
      consentId: 'committed?',
      callerClientId: 'text?',
      hubMs: 'number',
      ...MEASURED,
      ...CAUSED,
    },
  },
  'refused-early': {
    v: 1,
    members: { surface: 'text?', status: 'number', reason: 'text', calls: 'number', since: 'text' },
  },
  'authorization-step': {
    v: 1,
    members: { step: 'text', outcome: 'text', error: 'text?', clientId: 'text?', consentId: 'committed?' },
  },
  'consent-changed': {
    v: 2,
    members: {
      consentId: 'committed',
      change: 'text',
      from: 'text?',
      to: 'text',
      revision: 'number',
      by: 'text',
      callerOrganisationId: 'text?',
      callerClientId: 'text?',
      changed: 'names',
      organisationId: 'text',
      clientId: 'text',
      consentType: 'text',
      standardVersion: 'text',
      userType: 'text?',
      purpose: 'text?',
      isLargeCorporate: 'flag?',
      isRenewal: 'flag',
      revokedBy: 'text?',
    },
  },
  'resource-changed': {
    v: 2,
    members: {
      resource: 'text',
      logId: 'text',
      consentId: 'committed?',
      clientId: 'text',
      change: 'text',
      from: 'text?',
      to: 'text',
      revision: 'number',
      by: 'text',
      callerOrganisationId: 'text?',
      callerClientId: 'text?',
      changed: 'names',
      organisationId: 'text',
      paymentType: 'text?',
      merchantId: 'text?',
      paymentConsentType: 'text?',
      successfulTransactions: 'number?',
    },
  },
  'participant-changed': {
    v: 1,
    members: {
      organisationId: 'text',
      softwareStatementId: 'text?',
      clientId: 'text?',
      change: 'text',
      by: 'committed',
    },
  },
  'admin-act': { v: 1, members: { actor: 'committed', act: 'text', target: 'text?' } },
  'portal-act': {
    v: 1,
    members: {
      actor: 'committed',
      act: 'text',
      outcome: 'text',
      target: 'committed?',
      before: 'text?',
      after: 'text?',
      proposal: 'text?',
    },
  },
  'consent-viewed': { v: 1, members: { actor: 'committed', act: 'text', consentId: 'committed' } },
  system: { v: 1, members: { event: 'text', detail: 'text?' } },
  'log-key': { v: 1, members: { publicKey: 'text', previous: 'text?' } },
  hour: {
    v: 1,
    members: {
      hour: 'text',
      missed: 'number',
      clockSource: 'text',
      clockStepMs: 'number',
      databaseOffsetMs: 'number',
    },
  },
  erased: { v: 1, members: { openings: 'names', reason: 'text', actor: 'committed' } },
}

export const AUDIT_KINDS = Object.keys(LAYOUTS) as readonly AuditKind[]
/** Longer texts are cut, not refused: an entry that cannot be written would stop the request it reports on. */
const TEXT_MAX = 256
export const NAMES_MAX = 64
/** tlog-tiles: the length of an entry in a bundle is 16 bits. */
export const ENTRY_BYTES_MAX = 65_535

/** What is known of the hub's clock: no step for an hour, a step within the hour, or nobody is looking. */
export type ClockStatus = 'steady' | 'stepped' | 'unwatched'

export type Encoded = {
  readonly bytes: Buffer
  /** Lookup column that stands beside the bytes. */
  readonly interactionId: string | null
  /** What opens the commitments in the bytes; kept apart, and erasable. */
  readonly openings: readonly Opening[]
}

export function encode(entry: AuditEntry, clock: ClockStatus): Encoded {
  const layout = LAYOUTS[entry.kind]
  const source = entry as unknown as Readonly<Record<string, unknown>>
  const openings: Opening[] = []
  const members = Object.entries<Shape>(layout.members).map(([name, shape]) => {
    const value = WRITE[shape](source[name], name)
    if (value === null || !shape.startsWith('committed')) return [name, value]
    const { commitment, opening } = commit(name, value as string)
    openings.push(opening)
    return [name, { commitment }]
  })
  const text = JSON.stringify({
    v: layout.v,
    kind: entry.kind,
    at: iso(entry.at),
    clock,
    tenantId: entry.tenantId,
    interactionId: WRITE['text?'](entry.interactionId, 'interactionId'),
    ...Object.fromEntries(members),
  })
  return { bytes: Buffer.from(text, 'utf8'), interactionId: entry.interactionId, openings }
}

const text = (value: unknown, name: string): string =>
  typeof value === 'string' ? value.slice(0, TEXT_MAX) : wrong(name)
/** What opens a commitment is stored as a text, in which PostgreSQL keeps no NUL and UTF-8 no half of a pair. */
const committed = (value: unknown, name: string): string => text(value, name).replaceAll('\0', '\ufffd').toWellFormed()
const textOrNull = (value: unknown, name: string): string | null => (value === null ? null : text(value, name))
/** Microseconds are kept of a duration in milliseconds. */
const number = (value: unknown, name: string): number =>
  typeof value === 'number' && Number.isFinite(value) ? Math.round(value * 1000) / 1000 : wrong(name)

const flag = (value: unknown, name: string): boolean => (typeof value === 'boolean' ? value : wrong(name))

const WRITE: Readonly<Record<Shape, (value: unknown, name: string) => unknown>> = {
  text,
  number,
  committed,
  'text?': textOrNull,
  'committed?': (value, name) => (value === null ? null : committed(value, name)),
  'number?': (value, name) => (value === null ? null : number(value, name)),
  flag,
  'flag?': (value, name) => (value === null ? null : flag(value, name)),
  names: (value, name) =>
    Array.isArray(value) ? value.slice(0, NAMES_MAX).map((each) => text(each, name)) : wrong(name),
}

function wrong(name: string): never {
  throw new TypeError(`audit entry: member ${name} is missing or of the wrong type`)
}
