/** Looking for consents, in the portal and on the command line. Whoever looks by a person leaves a trace of it, before the answer. */
import { toInstant } from '../clock.ts'
import { CONSENT_STATUSES, type Consent, type ConsentSearch } from '../consent-store/index.ts'
import { type ConsentId, type CorrelationId, toAccountId, toClientId, toConsentId } from '../ids.ts'
import { note } from './acts/desk.ts'
import type { ActRooms } from './rooms.ts'

/** As it was typed; '' is not asked for. */
export type ConsentQuestion = Readonly<Record<'id' | 'customer' | 'account' | 'tpp' | 'state' | 'after', string>>
type Searcher = { readonly actor: string; readonly interactionId: CorrelationId }

export const CONSENTS_PER_PAGE = 50
const CUSTOMER_MAX = 256

/** The newest first; empty for what cannot be of any consent. */
export async function findConsents(
  rooms: ActRooms,
  question: ConsentQuestion,
  operator: Searcher,
): Promise<readonly Consent[]> {
  const asked = askedIn(question)
  if (asked === null) return []
  if ('id' in asked) {
    const found = await rooms.consents.find(asked.id)
    return found === null ? [] : [found]
  }
  const person = asked.psuUserId ?? asked.accountId
  if (person !== undefined) {
    await note(rooms, { operator }, { act: 'consents searched', outcome: 'done', target: person })
  }
  return rooms.consents.search(asked)
}

/** Where the next page begins: behind this one. */
export const placeOf = ({ createdAt, id }: Consent): string => `${createdAt}~${id}`

/** null: what was typed cannot be of any consent. */
function askedIn(question: ConsentQuestion): ConsentSearch | { readonly id: ConsentId } | null {
  const { id, customer, account, tpp, state, after } = question
  if (id !== '') {
    const known = toConsentId(id)
    return known === null ? null : { id: known }
  }
  const accountId = account === '' ? undefined : toAccountId(account)
  const clientId = tpp === '' ? undefined : toClientId(tpp)
  if (accountId === null || clientId === null || customer.length > CUSTOMER_MAX) return null
  const status = CONSENT_STATUSES.find((each) => each === state)
  const behind = afterIn(after)
  return {
    ...(customer === '' ? {} : { psuUserId: customer }),
    ...(accountId === undefined ? {} : { accountId }),
    ...(clientId === undefined ? {} : { clientId }),
    ...(status === undefined ? {} : { status }),
    ...(behind === null ? {} : { after: behind }),
    limit: CONSENTS_PER_PAGE,
  }
}

function afterIn(text: string): NonNullable<ConsentSearch['after']> | null {
  const [, at, raw] = /^(\d{1,15})~(.+)$/.exec(text) ?? []
  const id = toConsentId(raw)
  return at === undefined || id === null ? null : { createdAt: toInstant(Number(at)), id }
}
