/** Payments that every holder of an account must agree to (tpp-api 4.8): the bank's side of it, in the hub's terms. */
import type { AccountSpec } from '../data/spec.ts'
import { items, member, text } from './json.ts'

export type Decision = 'Pending' | 'Approved' | 'Rejected'
export type Authorizer = { readonly userId: string; readonly decision: Decision; readonly at: string | null }

/** What is looked at of a consent. */
type Asked = { readonly status: string; readonly authorizers: readonly Authorizer[] }

export const isJoint = ({ holders }: AccountSpec): boolean => holders.length > 1

export function readAuthorizers(record: unknown): readonly Authorizer[] {
  const all = items(member(record, 'consentBody', 'Meta', 'Authorizations'))
  return all.flatMap((each) => {
    const userId = text(member(each, 'AuthorizerId'))
    const decision = text(member(each, 'AuthorizationStatus'))
    if (userId === null || (decision !== 'Pending' && decision !== 'Approved' && decision !== 'Rejected')) return []
    return [{ userId, decision, at: text(member(each, 'AuthorizationDate')) }]
  })
}

/** The one who has just agreed, and everybody else who holds the account. */
export const firstOf = ({ holders }: AccountSpec, userId: string, now: number): readonly Authorizer[] =>
  holders.map((holder) =>
    holder.userId === userId
      ? { userId, decision: 'Approved', at: new Date(now).toISOString() }
      : { userId: holder.userId, decision: 'Pending', at: null },
  )

export const decidedBy = (
  authorizers: readonly Authorizer[],
  userId: string,
  decision: Decision,
  now: number,
): readonly Authorizer[] =>
  authorizers.map((each) => (each.userId === userId ? { userId, decision, at: new Date(now).toISOString() } : each))

export const isWaitingFor = ({ status, authorizers }: Asked, userId: string): boolean =>
  status === 'AwaitingAuthorization' &&
  authorizers.some((each) => each.userId === userId && each.decision === 'Pending')

/** As the hub wants it patched; what the consent becomes of it, the hub decides. */
export const authorizersPatch = (authorizers: readonly Authorizer[]) => ({
  authorizationChannel: 'Web',
  'consentBody.Meta.MultipleAuthorizers': {
    TotalRequired: authorizers.length,
    Authorizations: authorizers.map(({ userId, decision, at }) => ({
      AuthorizerId: userId,
      AuthorizerType: 'AccountHolder',
      AuthorizationStatus: decision,
      ...(at === null ? {} : { AuthorizationDate: at }),
    })),
  },
})
