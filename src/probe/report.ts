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
  readonly withinMs: number
}

export const finding = (check: Check, rule: string, detail: string, path: string | null = null): Finding => ({
  check,
  path,
  rule,
  detail,
})
