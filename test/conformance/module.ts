/** A module of the conformance suite, as a row of a table: its id is the suite's own, letter by letter. */
import type { Suite } from './suite.ts'

export const PREFIX = 'fapi2-security-profile-final-'

/**
 * How far the positive twin goes before the fault is tried. What is wrong with the hub on that way fails the module as
 * well, whatever the module itself is about.
 */
export const REACHES = ['discovery', 'par', 'code', 'tokens'] as const
export type Reach = (typeof REACHES)[number]

/** `seconds` needs a hub whose request_uri ends within seconds; `minute` waits until a code has run out. */
export const DURATIONS = ['instant', 'seconds', 'minute'] as const
export type Duration = (typeof DURATIONS)[number]

export type Group =
  | 'positive and tolerance'
  | 'request object refused'
  | 'authorization request refused'
  | 'client and token request refused'
  | 'DPoP'

export type Module = {
  readonly id: string
  readonly group: Group
  /** Clauses that the suite attaches to what this module asks. */
  readonly requirements: readonly string[]
  readonly reach: Reach
  readonly duration: Duration
  /** Rejects with an AssertionError that says what the hub did wrong. */
  readonly run: (suite: Suite) => Promise<void>
}

type Row = Pick<Module, 'requirements' | 'reach' | 'run'> & { readonly duration?: Duration }

/** Rows of one group, without what all of them share. */
export function modules(group: Group, rows: Readonly<Record<string, Row>>): readonly Module[] {
  return Object.entries(rows).map(([name, { duration = 'instant', ...row }]) => ({
    id: `${PREFIX}${name}`,
    group,
    duration,
    ...row,
  }))
}

/** Clauses by their short names: of the FAPI 2.0 Security Profile, and of Message Signing for signed requests. */
export const SP = (...clauses: readonly string[]): readonly string[] =>
  clauses.map((clause) => `FAPI2-SP-FINAL-${clause}`)
export const MS = (...clauses: readonly string[]): readonly string[] =>
  clauses.map((clause) => `FAPI2-MS-ID1-${clause}`)
