import type { ActName } from '../roles.ts'

/** Decisions about proposals are no acts of their own: they are the second half of the act that was proposed. */
export type Decision = 'proposal.approve' | 'proposal.reject'
export type VerbName = Exclude<ActName, Decision>

/** The fields of an act's form, each a text, trimmed; what was left empty is ''. */
export type Given<Field extends string = string> = Readonly<Record<Field, string>>
