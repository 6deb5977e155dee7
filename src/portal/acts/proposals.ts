/** Dangerous acts that wait for a second person. Whoever claims one does it, and nobody can claim it again. */
import { type Clock, type Instant, toInstant } from '../../clock.ts'
import type { PortalConfig } from '../../config.ts'
import { type Db, query } from '../../db.ts'
import type { Person } from '../person.ts'
import type { Given, VerbName } from './given.ts'

export type ProposalState = 'waiting' | 'running' | 'done' | 'failed' | 'rejected' | 'expired'
type Who = Pick<Person, 'subject' | 'name'>
export type Proposal = {
  readonly id: string
  readonly verb: VerbName
  readonly given: Given
  readonly target: string | null
  /** What was there to see when it was proposed. */
  readonly seen: string | null
  readonly proposedBy: Who
  readonly proposedAt: Instant
  readonly expiresAt: Instant
  readonly state: ProposalState
  readonly decidedBy: Who | null
  readonly decidedAt: Instant | null
  readonly outcome: string | null
}

export type Proposals = {
  propose(verb: VerbName, what: Pick<Proposal, 'given' | 'target' | 'seen'>, by: Who): Promise<string>
  find(id: string): Promise<Proposal | null>
  /** The newest first. */
  list(): Promise<readonly Proposal[]>
  /** From waiting to running, by somebody other than its proposer; false: somebody was faster, or it is over. */
  claim(id: string, by: Who): Promise<boolean>
  /** Also by its proposer, who takes it back. */
  reject(id: string, by: Who): Promise<boolean>
  settle(id: string, state: 'done' | 'failed', outcome: string | null): Promise<void>
}

type Row = {
  readonly id: string
  readonly verb: VerbName
  readonly input: Given
  readonly target: string | null
  readonly seen: string | null
  readonly proposed_by: string
  readonly proposed_name: string
  readonly proposed_at: Date
  readonly expires_at: Date
  readonly state: Exclude<ProposalState, 'expired'>
  readonly decided_by: string | null
  readonly decided_name: string | null
  readonly decided_at: Date | null
  readonly outcome: string | null
}

const LISTED_MAX = 100
const OUTCOME_MAX = 500
const MINUTE_MS = 60_000

export function createProposals(deps: {
  readonly db: Db
  readonly clock: Clock
  readonly portal: Pick<PortalConfig, 'approvalMinutes'>
}): Proposals {
  const { db, clock, portal } = deps
  const now = (): Date => new Date(clock.now())
  const read = (row: Row): Proposal => proposalOf(row, clock.now())
  return {
    propose: async (verb, { given, target, seen }, { subject, name }) => {
      const { rows } = await query<{ readonly id: string }>(
        db,
        `insert into portal_proposal (verb, input, target, seen, proposed_by, proposed_name, proposed_at, expires_at)
         values (?, ?::jsonb, ?, ?, ?, ?, ?, ?) returning id`,
        [
          verb,
          JSON.stringify(given),
          target,
          seen,
          subject,
          name,
          now(),
          new Date(clock.now() + portal.approvalMinutes * MINUTE_MS),
        ],
      )
      return rows[0]?.id ?? ''
    },
    find: async (id) => {
      if (!/^\d{1,18}$/.test(id)) return null
      const [row] = (await query<Row>(db, 'select * from portal_proposal where id = ?', [id])).rows
      return row === undefined ? null : read(row)
    },
    list: async () =>
      (await query<Row>(db, 'select * from portal_proposal order by id desc limit ?', [LISTED_MAX])).rows.map(read),
    claim: async (id, { subject, name }) => {
      const { rowCount } = await query(
        db,
        `update portal_proposal set state = 'running', decided_by = ?, decided_name = ?, decided_at = ?
         where id = ? and state = 'waiting' and expires_at > ? and proposed_by <> ?`,
        [subject, name, now(), id, now(), subject],
      )
      return rowCount > 0
    },
    reject: async (id, { subject, name }) => {
      const { rowCount } = await query(
        db,
        `update portal_proposal set state = 'rejected', decided_by = ?, decided_name = ?, decided_at = ?
         where id = ? and state = 'waiting' and expires_at > ?`,
        [subject, name, now(), id, now()],
      )
      return rowCount > 0
    },
    settle: async (id, state, outcome) => {
      await query(db, `update portal_proposal set state = ?, outcome = ? where id = ? and state = 'running'`, [
        state,
        outcome?.slice(0, OUTCOME_MAX) ?? null,
        id,
      ])
    },
  }
}

const proposalOf = (row: Row, now: Instant): Proposal => ({
  id: row.id,
  verb: row.verb,
  given: row.input,
  target: row.target,
  seen: row.seen,
  proposedBy: { subject: row.proposed_by, name: row.proposed_name },
  proposedAt: toInstant(row.proposed_at),
  expiresAt: toInstant(row.expires_at),
  // Nobody writes down that its time is over: the clock says so.
  state: row.state === 'waiting' && row.expires_at.getTime() <= now ? 'expired' : row.state,
  decidedBy: row.decided_by === null ? null : { subject: row.decided_by, name: row.decided_name ?? '' },
  decidedAt: row.decided_at === null ? null : toInstant(row.decided_at),
  outcome: row.outcome,
})
