/**
 * What is recorded: a closed list of kinds, and `encode`, the one place that turns an entry into the bytes that are
 * hashed and stored. Nothing re-encodes them later. The bytes of a kind never change once released: a further
 * member means a further version of that kind. What every member means: fields.ts.
 */
import { type Instant, iso } from '../clock.ts'
import type { ClientId, ConsentId, CorrelationId, OrganisationId, TenantId } from '../ids.ts'
import { commit, type Opening } from './commitment.ts'

export type AuditedStatus =
  | 'AwaitingAuthorization'
  | 'Authorized'
  | 'Suspended'
  | 'Rejected'
  | 'Revoked'
  | 'Expired'
  | 'Consumed'

type Kinds = {
  /** TPP → hub: one per request, however it ended. */
  'tpp-call': {
    readonly clientId: ClientId | null
    readonly organisationId: OrganisationId | null
    readonly surface: 'as' | 'rs' | 'auth'
    readonly operationId: string | null
    readonly method: string
    /** The template, never the path: identifiers of accounts and payments stay out of the log. */
    readonly route: string | null
    readonly status: number
    readonly errorCode: string | null
    readonly consentId: ConsentId | null
    readonly attended: boolean
    readonly hubMs: number
    readonly lfiMs: number | null
    readonly lfiStatus: number | null
    readonly records: number | null
    /** SHA-256 in base64 of the body of the answer as it was sent: whoever kept the answer can show it was ours. */
    readonly responseDigest: string | null
  } & Measured & {
      readonly softwareStatementId: string | null
      /** As reports to TPPs name it (tpp-api 9.2); null outside of them. */
      readonly apiSet: string | null
      /** From receipt to the call to the LFI, and from its answer to ours; null where the LFI was not called. */
      readonly hubInMs: number | null
      readonly hubOutMs: number | null
      readonly lfiOutcome: string | null
      readonly paymentType: string | null
      readonly merchantId: string | null
    }
  /** Hub → LFI. */
  'lfi-call': {
    readonly clientId: ClientId | null
    readonly consentId: ConsentId | null
    readonly operationId: string
    readonly method: string
    readonly route: string
    readonly status: number | null
    readonly outcome: 'answered' | 'timeout' | 'unreachable' | 'cancelled' | 'invalid-response'
    readonly lfiMs: number
  }
  /** LFI → hub. */
  'lfi-request': {
    readonly surface: 'hh' | 'cm' | 'admin'
    readonly operationId: string | null
    readonly method: string
    readonly route: string | null
    readonly status: number
    readonly errorCode: string | null
    readonly consentId: ConsentId | null
    readonly callerClientId: string | null
    readonly hubMs: number
  } & Measured
  'authorization-step': {
    readonly step:
      | 'par'
      | 'get-auth'
      | 'do-confirm'
      | 'do-fail'
      | 'token-code'
      | 'token-refresh'
      | 'token-client-credentials'
      | 'revocation'
      | 'introspection'
      | 'userinfo'
    readonly outcome: 'done' | 'refused'
    readonly error: string | null
    readonly clientId: ClientId | null
    readonly consentId: ConsentId | null
  }
  'consent-changed': {
    readonly consentId: ConsentId
    readonly change:
      | 'lodged'
      | 'authorize'
      | 'reject'
      | 'lapse'
      | 'suspend'
      | 'resume'
      | 'revoke'
      | 'expire'
      | 'consume'
      | 'patched'
      | 'subscription'
      | 'linked'
    readonly from: AuditedStatus | null
    readonly to: AuditedStatus
    readonly revision: number
    readonly by: 'tpp' | 'lfi' | 'hub' | 'operator'
    readonly callerOrganisationId: string | null
    readonly callerClientId: string | null
    /** Names of the members that changed, never their values. */
    readonly changed: readonly string[]
  }
  /** A payment, quote or account opening; `logId` is the hub's own name for it. */
  'resource-changed': {
    readonly resource: 'payment' | 'account-opening' | 'fx-quote' | 'insurance-quote'
    readonly logId: string
    readonly consentId: ConsentId | null
    readonly clientId: ClientId
    readonly change: 'asked' | 'resumed' | 'answered' | 'unanswered' | 'patched' | 'moved' | 'subscription'
    readonly from: string | null
    readonly to: string
    readonly revision: number
    readonly by: 'tpp' | 'lfi' | 'hub' | 'operator'
    readonly callerOrganisationId: string | null
    readonly callerClientId: string | null
    /** Names of the members that changed, never their values. */
    readonly changed: readonly string[]
  }
  'participant-changed': {
    readonly organisationId: string
    readonly softwareStatementId: string | null
    readonly clientId: ClientId | null
    readonly change: 'registered' | 'refreshed' | 'activated' | 'blocked'
    readonly by: string
  }
  'admin-act': { readonly actor: string; readonly act: string; readonly target: string | null }
  /** An operator looked at somebody's agreement. */
  'consent-viewed': { readonly actor: string; readonly act: string; readonly consentId: ConsentId }
  system: {
    readonly event: 'started' | 'stopped' | 'migrated' | 'exported' | 'destroyed' | 'lfi-down' | 'lfi-up'
    readonly detail: string | null
  }
  /** From this place on the log is signed with this key. The first entry of every log is one. */
  'log-key': { readonly publicKey: string; readonly previous: string | null }
  /** Stands at the beginning of every hour of UTC, also a quiet one; its checkpoint is kept by the hour. */
  hour: {
    readonly hour: string
    /** Hours before this one in which nothing was sealed, because no sealer was running. */
    readonly missed: number
    readonly clockSource: string
    /** The largest step of the clock that this sealer has seen since the last such entry. */
    readonly clockStepMs: number
    /** Clock of the hub less that of the database. */
    readonly databaseOffsetMs: number
  }
  /** Salts and values were destroyed; the commitments stay, and nothing opens them any more. */
  erased: {
    /** `<index>:<field>`, at most NAMES_MAX in one entry. */
    readonly openings: readonly string[]
    readonly reason: string
    readonly actor: string
  }
}

/** What calls of every door have in common beyond their names. */
type Measured = {
  readonly resource: string | null
  /** Of a refusal of ours: its rule, what that expects, what there was instead, and where (src/refusals.ts). */
  readonly rule: string | null
  readonly expected: string | null
  readonly seen: string | null
  readonly path: string | null
}

export type AuditKind = keyof Kinds
type Common = { readonly at: Instant; readonly interactionId: CorrelationId | null; readonly tenantId: TenantId }
type EntryOf<K extends AuditKind> = { readonly kind: K } & Common & Kinds[K]
export type AuditEntry = { [K in AuditKind]: EntryOf<K> }[AuditKind]

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
          : 'text?'
type CommittedOf<S> = S extends 'text' ? 'committed' : S extends 'text?' ? 'committed?' : never
type Shape = 'names' | 'flag' | 'text' | 'number' | 'number?' | 'text?' | 'committed' | 'committed?'
type Layout<K extends AuditKind> = {
  readonly v: number
  readonly members: { readonly [M in keyof Kinds[K]]: ShapeOf<Kinds[K][M]> | CommittedOf<ShapeOf<Kinds[K][M]>> }
}

/** Members in the order in which they are written. */
const MEASURED = { resource: 'text?', rule: 'text?', expected: 'text?', seen: 'text?', path: 'text?' } as const
export const LAYOUTS: { readonly [K in AuditKind]: Layout<K> } = {
  'tpp-call': {
    v: 1,
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
    },
  },
  'lfi-call': {
    v: 1,
    members: {
      clientId: 'text?',
      consentId: 'committed?',
      operationId: 'text',
      method: 'text',
      route: 'text',
      status: 'number?',
      outcome: 'text',
      lfiMs: 'number',
    },
  },
  'lfi-request': {
    v: 1,
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
    },
  },
  'authorization-step': {
    v: 1,
    members: { step: 'text', outcome: 'text', error: 'text?', clientId: 'text?', consentId: 'committed?' },
  },
  'consent-changed': {
    v: 1,
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
    },
  },
  'resource-changed': {
    v: 1,
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

const WRITE: Readonly<Record<Shape, (value: unknown, name: string) => unknown>> = {
  text,
  number,
  committed,
  'text?': textOrNull,
  'committed?': (value, name) => (value === null ? null : committed(value, name)),
  'number?': (value, name) => (value === null ? null : number(value, name)),
  flag: (value, name) => (typeof value === 'boolean' ? value : wrong(name)),
  names: (value, name) =>
    Array.isArray(value) ? value.slice(0, NAMES_MAX).map((each) => text(each, name)) : wrong(name),
}

function wrong(name: string): never {
  throw new TypeError(`audit entry: member ${name} is missing or of the wrong type`)
}
