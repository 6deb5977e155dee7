/** What became of a consent, from the consent manager's audit trail (lfi-api 2.7), told to the person it is about. */
import { member, text } from './json.ts'

export type Change = { readonly at: string; readonly what: string; readonly by: string }

const MOVES: ReadonlyMap<string, string> = new Map([
  ['AwaitingAuthorization', 'Asked for'],
  ['Authorized', 'Agreed to'],
  ['Suspended', 'Paused'],
  ['Rejected', 'Refused'],
  ['Revoked', 'Stopped'],
  ['Expired', 'Ran out'],
  ['Consumed', 'Used up'],
])
const ACTORS: ReadonlyMap<string, string> = new Map([
  ['tpp', 'the app'],
  ['lfi', 'the bank'],
  ['hub', 'the open-finance hub'],
])
const REVOKERS: ReadonlyMap<string, string> = new Map([
  ['LFI', 'the bank'],
  ['LFI.InitiatedByUser', 'the customer, at the bank'],
  ['TPP', 'the app'],
  ['TPP.InitiatedByUser', 'the customer, in the app'],
])
const REVOKED_BY = 'consentBody.Data.RevokedBy'

/** null: a row that does not say when it was. */
export function readChange(row: unknown): Change | null {
  const at = member(row, 'timestamp')
  if (typeof at !== 'number' || Math.abs(at) > 8.64e15) return null
  const patch = parse(text(member(row, 'patch')))
  const [from, to] = [text(member(patch, 'from')), text(member(patch, 'to'))]
  const revoker = text(member(patch, 'set', REVOKED_BY))
  const by = text(member(patch, 'by')) ?? ''
  return {
    at: new Date(at).toISOString(),
    what: from === 'Suspended' && to === 'Authorized' ? 'Resumed' : inWords(from, to),
    by: (revoker === null ? undefined : REVOKERS.get(revoker)) ?? ACTORS.get(by) ?? by,
  }
}

const inWords = (from: string | null, to: string | null): string =>
  to === null || from === to ? 'Details changed' : (MOVES.get(to) ?? to)

/** The rows tell the patch as text. */
function parse(patch: string | null): unknown {
  try {
    return patch === null ? null : JSON.parse(patch)
  } catch {
    return null
  }
}
