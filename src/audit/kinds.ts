/**
 * What is recorded: a closed list of kinds. What every member means: fields.ts; how it is written: entry.ts.
 */
import type { Instant } from '../clock.ts'
import type { ClientId, ConsentId, CorrelationId, OrganisationId, TenantId } from '../ids.ts'

export type AuditedStatus =
  | 'AwaitingAuthorization'
  | 'Authorized'
  | 'Suspended'
  | 'Rejected'
  | 'Revoked'
  | 'Expired'
  | 'Consumed'

export type Kinds = {
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
  } & Measured &
    Caused & {
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
  } & Caused
  /** Hub → TPP: one attempt to bring a webhook. */
  'webhook-call': {
    readonly clientId: ClientId
    readonly consentId: ConsentId | null
    readonly resource: string
    /** What the TPP knows the event by, the same in every attempt. */
    readonly eventId: string
    readonly attempt: number
    readonly status: number | null
    readonly outcome: 'answered' | 'timeout' | 'unreachable' | 'forbidden'
  } & Caused
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
  } & Measured &
    Caused
  /** Refused before there was a request to record, and counted (early-refusals.ts). */
  'refused-early': {
    /** null: it came to an address where no door was named. */
    readonly surface: string | null
    readonly status: number
    readonly reason: string
    readonly calls: number
    /** When the first of them came; `at` is when they were written. */
    readonly since: string
  }
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
  } & AgreedFacts
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
  } & BilledFacts
  'participant-changed': {
    readonly organisationId: string
    readonly softwareStatementId: string | null
    readonly clientId: ClientId | null
    readonly change: 'registered' | 'refreshed' | 'activated' | 'blocked'
    readonly by: string
  }
  'admin-act': { readonly actor: string; readonly act: string; readonly target: string | null }
  /**
   * Somebody did something in the portal, or was not let. What it changed is recorded by whoever changed it, in the
   * transaction of the change; this says who wanted it, and what was there before and after.
   */
  'portal-act': {
    /** The person's own name at the trust framework (`sub`). */
    readonly actor: string
    readonly act: string
    readonly outcome: 'done' | 'refused' | 'failed' | 'proposed' | 'approved' | 'rejected'
    readonly target: string | null
    readonly before: string | null
    readonly after: string | null
    /** Of an act that two people make together. */
    readonly proposal: string | null
  }
  /** An operator looked at somebody's agreement. */
  'consent-viewed': { readonly actor: string; readonly act: string; readonly consentId: ConsentId }
  system: {
    readonly event:
      | 'started'
      | 'stopped'
      | 'migrated'
      | 'exported'
      | 'destroyed'
      | 'lfi-down'
      | 'lfi-up'
      | 'log-failed'
      | 'archived'
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

/** Of calls in either direction; committed, because either ties calls to one person. */
type Caused = {
  /** SHA-256 in base64 of the body as it was received, or as the hub sent it; null where none was read. */
  readonly requestDigest: string | null
  /** The interaction that led to this one, where that has another id. */
  readonly parentInteractionId: CorrelationId | null
}

/**
 * What reports tell consents apart by (lfi-api 7.7), as the consent stood after the change. In every entry of it: which
 * entries are of one consent is committed, so nobody can look it up in an earlier one.
 */
export type AgreedFacts = {
  readonly organisationId: OrganisationId
  readonly clientId: ClientId
  readonly consentType: string
  readonly standardVersion: string
  /** OpenFinanceBilling, of which a payment consent has the last at most. */
  readonly userType: string | null
  readonly purpose: string | null
  readonly isLargeCorporate: boolean | null
  /** It continues another (BaseConsentId). */
  readonly isRenewal: boolean
  readonly revokedBy: string | null
}

/** What reports tell payments apart by; null of quotes and openings, but for the organisation. */
export type BilledFacts = {
  readonly organisationId: OrganisationId
  readonly paymentType: string | null
  readonly merchantId: string | null
  readonly paymentConsentType: string | null
  /** How many more transactions of it have succeeded since the change: of a file as the LFI counts, otherwise 0 or 1. */
  readonly successfulTransactions: number | null
}

export type AuditKind = keyof Kinds
type Common = { readonly at: Instant; readonly interactionId: CorrelationId | null; readonly tenantId: TenantId }
type EntryOf<K extends AuditKind> = { readonly kind: K } & Common & Kinds[K]
export type AuditEntry = { [K in AuditKind]: EntryOf<K> }[AuditKind]
