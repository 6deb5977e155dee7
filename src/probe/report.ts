/** What a probe finds, and what it was told to look at. */

/** What was looked at: `schema` and `paging` name a place in the body, the others the call as a whole. */
export type Check =
  | 'reachable'
  | 'tls'
  | 'status'
  | 'content-type'
  | 'schema'
  | 'account'
  | 'paging'
  | 'timing'
  | 'auth'
  | 'headers'
  | 'payment'
export type Finding = {
  readonly check: Check
  /** JSON path in the body; null where the body is not the matter. */
  readonly path: string | null
  readonly rule: string
  /** What was found, never a value from a body. */
  readonly detail: string
}
export type OperationReport = {
  readonly operation: string
  readonly status: number | null
  readonly ms: number | null
  readonly findings: readonly Finding[]
}
export type ProbeReport = { readonly ok: boolean; readonly operations: readonly OperationReport[] }

/** The bank's own members may come beside the id. */
export type PsuId = { readonly userId: string; readonly [name: string]: unknown }

export type ProbeTarget = {
  /** As the bank writes it into consents. */
  readonly psu: PsuId
  /** Accounts of that customer; without one, operations on an account are left out. */
  readonly accountIds: readonly string[]
  /** An account number of the bank; without one, confirmation of payee is asked about one that nobody has. */
  readonly iban: string | null
  /** Operations that leave something behind: leads, quotes, openings. */
  readonly writes: boolean
  /** null: no money may move. */
  readonly payments: PaymentTarget | null
  readonly withinMs: number
}

export type PaymentTarget = {
  /** In dirhams. */
  readonly amount: string
  /** A consent of that customer that the bank knows; null where the bank does not look. */
  readonly consentId: string | null
  /** The JWE that names whom to pay, for a bank that reads it. */
  readonly personal: string | null
  /** A file of payments; without one, files are left out. */
  readonly file: {
    readonly bytes: Buffer
    /** As in a consent, without the digest. */
    readonly described: Readonly<Record<string, unknown>>
    readonly consentId: string | null
  } | null
}

export const finding = (check: Check, rule: string, detail: string, path: string | null = null): Finding => ({
  check,
  path,
  rule,
  detail,
})
