/** The ways a journey ends; each gives the address that the browser must be sent to. */
import type { Book } from '../data/book.ts'
import { type Policy, policiesOf } from '../data/policies.ts'
import type { AccountSpec, AccountStatus, UserSpec } from '../data/spec.ts'
import type { Consent } from './consent.ts'
import { endingOf, type Failure } from './failures.ts'
import type { Hub } from './hub.ts'
import { HubFailure } from './hub-transport.ts'
import { coveredBy } from './insurance.ts'
import { authorizersPatch, firstOf, isJoint } from './joint.ts'
import type { Journey } from './session.ts'

const CHANNEL = { authorizationChannel: 'Web' } as const

/** PATCH first, then doConfirm; without the first there is no second (lfi-api 1.7). */
export async function approve(
  hub: Hub,
  { interactionId, consent }: Journey,
  user: UserSpec,
  { accounts, policies }: Offer,
  now: number,
): Promise<string> {
  const [account] = accounts
  const others = consent.payment?.allowsSeveral === true && account !== undefined ? account : null
  try {
    await hub.patch(consent.id, {
      // Where others have to agree as well, the hub finds out when all of them have.
      ...(others === null
        ? { status: 'Authorized', 'consentBody.Data.Status': 'Authorized' }
        : authorizersPatch(firstOf(others, user.userId, now))),
      psuIdentifiers: { userId: user.userId },
      ...(consent.insurance === null
        ? { accountIds: accounts.map(({ id }) => id) }
        : { insurancePolicyIds: policies.map(({ id }) => id) }),
      ...CHANNEL,
    })
    return await hub.confirm(interactionId)
  } catch (thrown) {
    if (!(thrown instanceof HubFailure)) throw thrown
    return fail(hub, { interactionId, consent }, user, {
      stage: 'authorization',
      reason: 'api_hub_communication_error',
    })
  }
}

export async function fail(
  hub: Hub,
  { interactionId, consent }: Pick<Journey, 'interactionId' | 'consent'>,
  user: UserSpec | null,
  failure: Failure,
): Promise<string> {
  const { error, consent: fate } = endingOf(failure)
  if (fate !== 'untouched') {
    try {
      await reject(hub, consent, user)
    } catch (thrown) {
      if (!(thrown instanceof HubFailure)) throw thrown
      // The consent could not be changed: the TPP learns of that instead, and the hub's own clock ends the consent.
      if (fate === 'rejected') return hub.fail(interactionId, 'server_error', 'api_hub_communication_error')
    }
  }
  return hub.fail(interactionId, error, failure.reason)
}

const reject = (hub: Hub, consent: Consent, user: UserSpec | null): Promise<void> =>
  hub.patch(consent.id, {
    status: 'Rejected',
    'consentBody.Data.Status': 'Rejected',
    ...(user === null ? {} : { psuIdentifiers: { userId: user.userId } }),
    ...CHANNEL,
  })

/** A frozen account may be shared: reading it is refused for as long as it is frozen. */
const SHAREABLE: readonly AccountStatus[] = ['Active', 'Inactive', 'Dormant', 'Suspended']

/** Money leaves current and savings accounts that are open. */
const canPay = ({ status, subType }: AccountSpec): boolean =>
  status === 'Active' && (subType === 'CurrentAccount' || subType === 'Savings')

/** What a user may choose from, and what they chose: accounts, or policies where the consent is about insurance. */
export type Offer = { readonly accounts: readonly AccountSpec[]; readonly policies: readonly Policy[] }

export const offerTo = (book: Book, user: UserSpec, consent: Consent): Offer =>
  consent.insurance === null
    ? { accounts: eligible(book, user, consent), policies: [] }
    : { accounts: [], policies: coveredBy(consent.insurance, policiesOf(user)) }

/** The user's accounts that the consent's filters admit; a filter that is not given admits all. */
const eligible = (book: Book, user: UserSpec, consent: Consent): readonly AccountSpec[] =>
  book
    .accountsOf(user)
    .filter((account) => consent.payment === null || canPay(account))
    .filter((account) => consent.payment === null || consent.payment.allowsSeveral || !isJoint(account))
    .filter(
      ({ status, type, subType }) =>
        SHAREABLE.includes(status) &&
        (consent.accountTypes.length === 0 || consent.accountTypes.includes(type)) &&
        (consent.accountSubTypes.length === 0 || consent.accountSubTypes.includes(subType)),
    )
