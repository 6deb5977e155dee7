/**
 * Misbehaviour to order, for developers of the other side. The `tester` user of each bank holds one account per row
 * (`acc-1900-slow`, `acc-2900-drop`, …); every read of such an account fails as its id says, and so does the account
 * list when that account is the only one asked for.
 */
import { setTimeout as pause } from 'node:timers/promises'
import { Refusal } from './refusal.ts'

export const SLOW_MS = 3_000
const BUSY_SECONDS = 7

export type Fault =
  | { readonly does: 'continue' }
  | { readonly does: 'answer'; readonly body: unknown }
  | { readonly does: 'drop' }

type Row = { readonly tells: string; readonly run: () => Promise<Fault> }

export const FAULTS: ReadonlyMap<string, Row> = new Map<string, Row>([
  ['slow', { tells: 'answers correctly after three seconds', run: () => pause(SLOW_MS, { does: 'continue' }) }],
  ['error', { tells: '500 GenericError', run: refuse(500, 'GenericError') }],
  ['recoverable', { tells: '500 GenericRecoverableError', run: refuse(500, 'GenericRecoverableError') }],
  ['invalid', { tells: '200 with a body that breaks the schema', run: async () => ({ does: 'answer', body: BROKEN }) }],
  ['drop', { tells: 'the connection ends without an answer', run: async () => ({ does: 'drop' }) }],
  ['busy', { tells: `429 with Retry-After: ${BUSY_SECONDS}`, run: refuse(429, 'GenericRecoverableError') }],
])

const BROKEN = { data: 'this should have been a list or an object', meta: [] }
const OWNER = /^acc-\d900-([a-z]+)$/

/** What goes wrong on this account; `null` for all others. */
export const faultOf = (accountId: string): Row | null => FAULTS.get(OWNER.exec(accountId)?.[1] ?? '') ?? null

function refuse(status: number, code: 'GenericError' | 'GenericRecoverableError'): () => Promise<Fault> {
  const headers: Readonly<Record<string, string>> = status === 429 ? { 'retry-after': String(BUSY_SECONDS) } : {}
  return async () => {
    throw new Refusal(status, code, 'ordered by the name of the account', headers)
  }
}
