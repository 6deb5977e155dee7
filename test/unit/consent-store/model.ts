/**
 * A plain model of what the contract says of consents of all types, written without looking into the state machine
 * (tpp-api 4.1–4.5, 4.8; lfi-api 2.4–2.6), and random requests to try both with.
 */
import { array, constant, constantFrom, oneof, record } from 'fast-check'
import { type Instant, iso } from '../../../src/clock.ts'
import type { ConsentType, JsonObject } from '../../../src/consent-store/consent.ts'
import type { LfiPatch, TppPatch } from '../../../src/consent-store/index.ts'
import type { AuthorizationStatus, MultipleAuthorizers } from '../../../src/consent-store/payment.ts'
import type { PaymentPatch } from '../../../src/consent-store/steps.ts'
import { addMoney, type Money, toMoney } from '../../../src/money.ts'
import { account, NOW, psu, WEBHOOK } from './support.ts'

export const HOUR = 3_600_000
/** For the first authorizer, for all of them where that is said, and for the consent. */
export const WINDOW_MS = 2 * HOUR
export const LONG_WINDOW_MS = 6 * HOUR
export const LIFE_MS = 10 * HOUR

/** What is lodged. */
export type Setting = {
  readonly type: ConsentType
  /** IsSingleAuthorization false, and whether AuthorizationExpirationDateTime is there. */
  readonly several: 'no' | 'until' | 'open'
  /** Who authorized the root of the chain that it continues. */
  readonly chainUser: string | null
}
export const SETTINGS: readonly Setting[] = (['account-access', 'insurance', 'service-initiation'] as const).flatMap(
  (type) =>
    [null, 'u-1'].flatMap((chainUser) =>
      (type === 'service-initiation' ? (['no', 'until', 'open'] as const) : (['no'] as const)).map((several) => ({
        type,
        several,
        chainUser,
      })),
    ),
)

export const membersOf = ({ several }: Setting): JsonObject => ({
  ExpirationDateTime: iso((NOW + LIFE_MS) as Instant),
  ...(several === 'no' ? {} : { IsSingleAuthorization: false }),
  ...(several === 'until' ? { AuthorizationExpirationDateTime: iso((NOW + LONG_WINDOW_MS) as Instant) } : {}),
})

export type LfiCommand = Omit<Partial<LfiPatch>, 'payment'> & {
  readonly authorizers?: readonly AuthorizationStatus[] | 'twice' | null
  readonly charges?: boolean
}
export type Command =
  | { readonly do: 'wait'; readonly ms: number }
  | { readonly do: 'lfi'; readonly patch: LfiCommand }
  | { readonly do: 'tpp'; readonly patch: TppPatch; readonly foreign: boolean }
  | { readonly do: 'revoke'; readonly by: 'lfi' | 'operator' | 'hub' }
  | { readonly do: 'pay'; readonly isExhausted: boolean }
  | { readonly do: 'link' | 'sweep' }

export const money = (amount: string): Money => {
  const found = toMoney({ Amount: amount, Currency: 'AED' })
  if (found === null) throw new Error(`${amount} is no amount`)
  return found
}
export const CHARGES = [{ ChargeBearer: 'Shared', Type: 'Fees', Amount: { Amount: '1.00', Currency: 'AED' } }] as const

/** Two are required, whoever is named. */
export function authorizersFor(asked: NonNullable<LfiCommand['authorizers']>): MultipleAuthorizers {
  if (asked === 'twice') return { TotalRequired: 2, Authorizations: [{ AuthorizerId: 'a' }, { AuthorizerId: 'a' }] }
  return {
    TotalRequired: 2,
    Authorizations: asked.map((AuthorizationStatus, at) => ({ AuthorizerId: `a-${at}`, AuthorizationStatus })),
  }
}
export const paymentPatchOf = ({ authorizers, charges }: LfiCommand): PaymentPatch => ({
  authorizers: authorizers == null ? null : authorizersFor(authorizers),
  charges: charges === true ? CHARGES : null,
  exchangeRate: null,
  connectToken: null,
})

export type Model = Setting & {
  now: number
  status: string
  psu: string | null
  accounts: readonly string[]
  channel: string | null
  large: boolean | null
  webhook: boolean | null
  revokedBy: string | null
  window: number
  wasAuthorized: boolean
  authorizers: readonly AuthorizationStatus[] | null
  charged: boolean
  paid: Money | null
  payments: number
  linked: boolean
  changes: string[]
}

export const begin = (setting: Setting): Model => ({
  ...setting,
  now: 0,
  status: 'AwaitingAuthorization',
  psu: null,
  accounts: [],
  channel: null,
  large: null,
  webhook: null,
  revokedBy: null,
  window: WINDOW_MS,
  wasAuthorized: false,
  authorizers: null,
  charged: false,
  paid: null,
  payments: 0,
  linked: false,
  changes: [],
})

const ENDED = ['Rejected', 'Revoked', 'Expired', 'Consumed']
export const hasEnded = (model: Model): boolean => ENDED.includes(model.status)

/** What time has made of it, if anything. */
export function endOf(model: Model): 'Rejected' | 'Expired' | null {
  if (hasEnded(model)) return null
  if (model.status === 'AwaitingAuthorization' && model.window < LIFE_MS && model.now >= model.window) return 'Rejected'
  return model.now >= LIFE_MS ? 'Expired' : null
}
const endWord = (end: 'Rejected' | 'Expired'): string => (end === 'Rejected' ? 'lapsed' : 'expired')

/** 'done', or why not. */
export function expected(model: Model, command: Command): string {
  switch (command.do) {
    case 'wait':
      model.now += command.ms
      return 'done'
    case 'lfi':
      return lfi(model, command.patch)
    case 'tpp':
      return tpp(model, command.patch, command.foreign)
    case 'revoke':
      return revoke(model, command.by)
    case 'pay':
      return pay(model, command.isExhausted)
    case 'link':
      if (hasEnded(model)) return 'terminal'
      if (endOf(model) !== null) return endWord(endOf(model) as 'Rejected')
      if (model.status !== 'AwaitingAuthorization') return 'not-from-here'
      model.linked = true
      model.changes.push('linked')
      return 'done'
    case 'sweep': {
      const end = endOf(model)
      if (end !== null) move(model, end === 'Rejected' ? 'lapse' : 'expire', end)
      return 'done'
    }
  }
}

function move(model: Model, change: string, to: string): void {
  model.changes.push(change)
  model.status = to
  if (to === 'Authorized') model.wasAuthorized = true
}

/** From where to where the LFI may take it; a payment consent further than others. */
const WAYS: Readonly<Record<string, string>> = {
  'AwaitingAuthorization Authorized': 'authorize',
  'AwaitingAuthorization Rejected': 'reject',
  'AwaitingAuthorization Revoked': 'revoke',
  'Authorized Suspended': 'suspend',
  'Authorized Revoked': 'revoke',
  'Authorized Consumed': 'consume',
  'Suspended Authorized': 'resume',
  'Suspended Revoked': 'revoke',
}

const isWayFrom = ({ status }: Model, to: string): boolean => WAYS[`${status} ${to}`] !== undefined

function lfi(model: Model, patch: LfiCommand): string {
  const wanted = patch.status ?? null
  if (hasEnded(model)) return 'terminal'
  if (patch.revokedBy && wanted !== 'Revoked') return 'not-revoked'
  const end = endOf(model)
  if (end !== null) {
    // What would not have been a way before the end either is told as that.
    const isWay = wanted === null || wanted === model.status || wanted === 'Expired' || isWayFrom(model, wanted)
    if (!isWay) return 'not-from-here'
    if (end !== 'Expired' || wanted !== 'Expired') return endWord(end)
    move(model, 'expire', 'Expired')
    return 'done'
  }
  const next: Model = { ...model, changes: model.changes }
  const user = patch.psu?.userId ?? null
  if (user !== null && model.wasAuthorized && user !== model.psu) return 'psu-changed'
  const turnsDown = wanted === 'Rejected' || wanted === 'Revoked'
  if (user !== null && !model.wasAuthorized && model.chainUser !== null && user !== model.chainUser && !turnsDown)
    return 'psu-of-chain'
  next.psu = user ?? model.psu
  next.accounts = patch.accountIds ?? model.accounts
  next.large = patch.isLargeCorporate ?? model.large
  next.channel = model.channel ?? 'App'
  const isPayment = model.type === 'service-initiation'
  const named = isPayment ? (patch.authorizers ?? null) : null
  if (isPayment) {
    if (next.accounts.length > 1) return 'one-account'
    if (named !== null) {
      if (model.several === 'no') return 'one-authorizer'
      if (named === 'twice') return 'authorizers-incoherent'
      const isNew = JSON.stringify(named) !== JSON.stringify(model.authorizers)
      if (model.status !== 'AwaitingAuthorization' && isNew) return 'authorizers-decided'
      if (model.authorizers === null) next.window = model.several === 'until' ? LONG_WINDOW_MS : LIFE_MS
      next.authorizers = named
    }
    if (patch.charges === true) next.charged = true
  }
  let to: string | null = wanted === model.status ? null : wanted
  if (to === null && wanted === null && named !== null && model.status === 'AwaitingAuthorization') {
    if (isRejected(next)) to = 'Rejected'
    else if (isApproved(next)) to = 'Authorized'
  }
  if (to === null) {
    if (differs(model, next)) model.changes.push('patched')
    Object.assign(model, next)
    return 'done'
  }
  if (to === 'Expired') return 'too-early'
  const change = WAYS[`${model.status} ${to}`]
  if (change === undefined) return 'not-from-here'
  if (change === 'consume' && !isPayment) return 'never-consumed'
  if (change === 'authorize') {
    if (next.psu === null) return 'psu-unknown'
    if (next.accounts.length === 0) return 'accounts-unknown'
    if (next.authorizers !== null && isRejected(next)) return 'authorizers-refused'
    if (next.authorizers !== null && !isApproved(next)) return 'authorizers-pending'
  }
  Object.assign(model, next)
  move(model, change, to)
  if (change === 'revoke') model.revokedBy = patch.revokedBy ?? 'LFI'
  return 'done'
}

const isRejected = ({ authorizers }: Model): boolean => authorizers?.includes('Rejected') === true
const isApproved = ({ authorizers }: Model): boolean =>
  (authorizers ?? []).filter((each) => each === 'Approved').length >= 2

const differs = (a: Model, b: Model): boolean =>
  (['psu', 'accounts', 'large', 'channel', 'authorizers', 'charged'] as const).some(
    (name) => JSON.stringify(a[name]) !== JSON.stringify(b[name]),
  )

function tpp(model: Model, patch: TppPatch, foreign: boolean): string {
  if (foreign) return 'unknown'
  if (hasEnded(model)) return 'terminal'
  const end = endOf(model)
  if (end !== null) return endWord(end)
  if (patch.revokedBy !== undefined && patch.status === undefined) return 'not-revoked'
  const active = patch.subscription?.Webhook.IsActive ?? model.webhook
  if (patch.status === 'Revoked') {
    model.webhook = active
    move(model, 'revoke', 'Revoked')
    model.revokedBy = patch.revokedBy ?? 'TPP'
  } else if (active !== model.webhook) {
    model.webhook = active
    model.changes.push('subscription')
  }
  return 'done'
}

function revoke(model: Model, by: 'lfi' | 'operator' | 'hub'): string {
  if (hasEnded(model) || endOf(model) !== null) return 'done'
  if (by === 'hub') return 'not-by-caller'
  move(model, 'revoke', 'Revoked')
  model.revokedBy = 'LFI'
  return 'done'
}

/** A payment that was made is noted whatever the consent has become; what could be paid under is used up with the last. */
function pay(model: Model, isExhausted: boolean): string {
  if (model.type !== 'service-initiation') return 'never-consumed'
  model.payments += 1
  model.paid = addMoney(model.paid ?? money('0.00'), money('10.50'))
  if (isExhausted && model.status === 'Authorized' && endOf(model) === null) move(model, 'consume', 'Consumed')
  else model.changes.push('patched')
  return 'done'
}

const patches = record({
  status: constantFrom(
    ...([null, null, null, 'Authorized', 'Authorized', 'Authorized', 'Suspended', 'Suspended'] as const),
    ...(['Rejected', 'Revoked', 'Expired', 'Consumed'] as const),
  ),
  psu: constantFrom(null, null, psu('u-1'), psu('u-1'), psu('u-1'), psu('u-2')),
  accountIds: constantFrom(
    null,
    [account('a')] as const,
    [account('a')] as const,
    [account('a'), account('b')] as const,
  ),
  revokedBy: constantFrom(null, null, null, null, null, null, 'LFI' as const, 'LFI.InitiatedByUser' as const),
  isLargeCorporate: constantFrom(null, null, null, true, false),
  charges: constantFrom(false, false, true),
  authorizers: constantFrom<LfiCommand['authorizers'][]>(
    ...[null, null, null, null, 'twice' as const],
    ['Pending', 'Pending'],
    ['Approved', 'Pending'],
    ['Approved', 'Approved'],
    ['Approved', 'Rejected'],
  ),
})
const tppPatches = constantFrom<TppPatch[]>(
  { subscription: { Webhook: { Url: WEBHOOK, IsActive: true } } },
  { subscription: { Webhook: { Url: WEBHOOK, IsActive: false } } },
  { revokedBy: 'TPP' },
  { status: 'Revoked' },
  { status: 'Revoked', revokedBy: 'TPP.InitiatedByUser' },
)
const command = oneof(
  { weight: 4, arbitrary: record({ do: constant('wait' as const), ms: constantFrom(1, HOUR / 2, HOUR, 5 * HOUR) }) },
  { weight: 10, arbitrary: record({ do: constant('lfi' as const), patch: patches }) },
  {
    weight: 2,
    arbitrary: record({ do: constant('tpp' as const), foreign: constantFrom(false, true), patch: tppPatches }),
  },
  { weight: 1, arbitrary: record({ do: constant('revoke' as const), by: constantFrom('lfi', 'operator', 'hub') }) },
  { weight: 2, arbitrary: record({ do: constant('pay' as const), isExhausted: constantFrom(false, false, true) }) },
  { weight: 3, arbitrary: record({ do: constantFrom('link' as const, 'sweep' as const) }) },
)

/** Half of the walks begin authorized: few would get there, and live long enough there, by chance. */
const GRANTED: readonly Command[] = [
  { do: 'lfi', patch: { status: 'Authorized', psu: psu('u-1'), accountIds: [account('a')] } },
]
export const walks = record({
  setting: constantFrom(...SETTINGS),
  start: constantFrom<(readonly Command[])[]>([], GRANTED),
  rest: array(command as never, { maxLength: 16, size: 'max' }) as unknown as ReturnType<typeof array<Command>>,
})

/** The consent as both sides should see it. */
export function shown(model: Model): JsonObject {
  const end = endOf(model)
  return {
    status: end ?? model.status,
    psu: model.psu === null ? null : { userId: model.psu },
    accountIds: model.accounts,
    channel: model.channel,
    isLargeCorporate: model.large,
    revokedBy: model.revokedBy,
    authorizers: model.authorizers === null ? null : authorizersFor(model.authorizers),
    charges: model.charged ? CHARGES : null,
    payments: model.payments,
    paid: model.paid,
    authorizeBy: NOW + model.window,
    webhook: model.webhook,
  }
}
