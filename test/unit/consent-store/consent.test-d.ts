/** What must not compile. Never run: the type checker is the test, and an error that is gone is an error itself. */
import type { Instant } from '../../../src/clock.ts'
import {
  type Authorized,
  type Awaiting,
  type Consent,
  type Consumed,
  decide,
  type Expired,
  type Rejected,
  type Revoked,
  type Suspended,
  type Usable,
  usable,
} from '../../../src/consent-store/consent.ts'

type Ends = { rejected: Rejected; revoked: Revoked; expired: Expired; consumed: Consumed }

export function noMoveLeavesATerminalState({ rejected, revoked, expired, consumed }: Ends, now: Instant) {
  // @ts-expect-error Rejected is terminal
  decide(rejected, { move: 'authorize', by: 'lfi' }, now)
  // @ts-expect-error Revoked is terminal
  decide(revoked, { move: 'resume', by: 'lfi' }, now)
  // @ts-expect-error Expired is terminal
  decide(expired, { move: 'revoke', by: 'tpp', revokedBy: 'TPP' }, now)
  // @ts-expect-error Consumed is terminal
  decide(consumed, { move: 'expire', by: 'hub' }, now)
}

export function everyMoveHasItsStates(awaiting: Awaiting, authorized: Authorized, suspended: Suspended, now: Instant) {
  decide(awaiting, { move: 'authorize', by: 'lfi' }, now)
  decide(authorized, { move: 'suspend', by: 'lfi' }, now)
  decide(suspended, { move: 'resume', by: 'lfi' }, now)
  // @ts-expect-error only a suspended consent is resumed
  decide(awaiting, { move: 'resume', by: 'lfi' }, now)
  // @ts-expect-error only an awaiting consent is rejected
  decide(authorized, { move: 'reject', by: 'lfi' }, now)
  // @ts-expect-error a suspended consent is not consumed
  decide(suspended, { move: 'consume', by: 'hub' }, now)
  // @ts-expect-error a revocation says who revoked
  decide(authorized, { move: 'revoke', by: 'tpp' }, now)
}

export function anAuthorizedConsentHasItsUser(authorized: Authorized, awaiting: Awaiting): readonly Consent[] {
  return [
    // @ts-expect-error no user
    { ...authorized, psu: null },
    // @ts-expect-error no account
    { ...authorized, accountIds: [] },
    // @ts-expect-error no channel
    { ...authorized, channel: null },
    // @ts-expect-error an awaiting consent does not become authorized by its status
    { ...awaiting, status: 'Authorized' },
    // @ts-expect-error a suspended consent was authorized before
    { ...awaiting, status: 'Suspended' },
  ]
}

export function anEndedConsentHasNoGrant(revoked: Revoked, expired: Expired): readonly Consent[] {
  return [
    // @ts-expect-error tokens of a revoked consent
    { ...revoked, grantId: 'grant' },
    // @ts-expect-error tokens of an expired consent
    { ...expired, grantId: 'grant' },
  ]
}

export function onlyPaymentConsentsAreConsumed(consumed: Consumed): Consent {
  // @ts-expect-error an account consent
  return { ...consumed, type: 'account-access' }
}

type PaymentOf<C> = Extract<C, { readonly type: 'service-initiation' }>
type InsuranceOf<C> = Extract<C, { readonly type: 'insurance' }>

export function typesHoldWhatIsTheirs(
  payment: PaymentOf<Authorized>,
  insurance: InsuranceOf<Authorized>,
  now: Instant,
) {
  decide(payment, { move: 'consume', by: 'hub' }, now)
  // @ts-expect-error an insurance consent is never consumed
  decide(insurance, { move: 'consume', by: 'hub' }, now)
  const [debtor] = payment.accountIds
  const consents: readonly Consent[] = [
    // @ts-expect-error two accounts are debited
    { ...payment, accountIds: [debtor, debtor] },
    // @ts-expect-error no account is debited
    { ...payment, accountIds: [] },
    // @ts-expect-error an insurance consent with the terms of a payment, and nothing that says so
    { ...payment, type: 'insurance', accountIds: 'none' },
    // @ts-expect-error a payment consent without its terms
    { ...insurance, type: 'service-initiation' },
    // @ts-expect-error authorizers beside the one who has to be enough
    { ...payment, payment: { ...payment.payment, authorization: { by: 'one', authorizers: {} } } },
    // @ts-expect-error a consumed insurance consent
    { ...insurance, status: 'Consumed', grantId: null },
  ]
  return consents
}

export function onlyAClockMakesAConsentUsable(authorized: Authorized, now: Instant): Usable | null {
  // @ts-expect-error nobody has looked at its end
  const unchecked: Usable = authorized
  const checked = usable(unchecked, now)
  return checked.ok ? checked.consent : null
}
