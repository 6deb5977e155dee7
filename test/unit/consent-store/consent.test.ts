import { describe, expect, test } from 'vitest'
import { type Instant, toInstant } from '../../../src/clock.ts'
import {
  type Ask,
  atClock,
  type CallerKind,
  type Consent,
  type ConsentStatus,
  decide,
  due,
  MOVES,
  type Move,
  STATUSES,
  usable,
} from '../../../src/consent-store/consent.ts'
import { AUTHORIZE_BY, consentIn, EXPIRES_AT, NOW } from './support.ts'

const CALLERS: readonly CallerKind[] = ['tpp', 'lfi', 'hub', 'operator']

/**
 * Every status, every move, every caller, for an account consent. `lapse` is asked at the end of the authorization
 * window and `expire` at the end of the consent (of one whose window ends no earlier); everything else before both.
 */
const GRID = `
status                 move       tpp            lfi             hub             operator
AwaitingAuthorization  authorize  not-by-caller  Authorized      not-by-caller   not-by-caller
AwaitingAuthorization  reject     not-by-caller  Rejected        not-by-caller   not-by-caller
AwaitingAuthorization  suspend    not-from-here  not-from-here   not-from-here   not-from-here
AwaitingAuthorization  resume     not-from-here  not-from-here   not-from-here   not-from-here
AwaitingAuthorization  revoke     Revoked        Revoked         not-by-caller   Revoked
AwaitingAuthorization  lapse      not-by-caller  not-by-caller   Rejected        not-by-caller
AwaitingAuthorization  expire     not-by-caller  Expired         Expired         not-by-caller
AwaitingAuthorization  consume    not-from-here  not-from-here   not-from-here   not-from-here
Authorized             authorize  not-from-here  not-from-here   not-from-here   not-from-here
Authorized             reject     not-from-here  not-from-here   not-from-here   not-from-here
Authorized             suspend    not-by-caller  Suspended       not-by-caller   not-by-caller
Authorized             resume     not-from-here  not-from-here   not-from-here   not-from-here
Authorized             revoke     Revoked        Revoked         not-by-caller   Revoked
Authorized             lapse      not-from-here  not-from-here   not-from-here   not-from-here
Authorized             expire     not-by-caller  Expired         Expired         not-by-caller
Authorized             consume    not-by-caller  never-consumed  never-consumed  not-by-caller
Suspended              authorize  not-from-here  not-from-here   not-from-here   not-from-here
Suspended              reject     not-from-here  not-from-here   not-from-here   not-from-here
Suspended              suspend    not-from-here  not-from-here   not-from-here   not-from-here
Suspended              resume     not-by-caller  Authorized      not-by-caller   not-by-caller
Suspended              revoke     Revoked        Revoked         not-by-caller   Revoked
Suspended              lapse      not-from-here  not-from-here   not-from-here   not-from-here
Suspended              expire     not-by-caller  Expired         Expired         not-by-caller
Suspended              consume    not-from-here  not-from-here   not-from-here   not-from-here
Rejected               authorize  terminal       terminal        terminal        terminal
Rejected               reject     terminal       terminal        terminal        terminal
Rejected               suspend    terminal       terminal        terminal        terminal
Rejected               resume     terminal       terminal        terminal        terminal
Rejected               revoke     terminal       terminal        terminal        terminal
Rejected               lapse      terminal       terminal        terminal        terminal
Rejected               expire     terminal       terminal        terminal        terminal
Rejected               consume    terminal       terminal        terminal        terminal
Revoked                authorize  terminal       terminal        terminal        terminal
Revoked                reject     terminal       terminal        terminal        terminal
Revoked                suspend    terminal       terminal        terminal        terminal
Revoked                resume     terminal       terminal        terminal        terminal
Revoked                revoke     terminal       terminal        terminal        terminal
Revoked                lapse      terminal       terminal        terminal        terminal
Revoked                expire     terminal       terminal        terminal        terminal
Revoked                consume    terminal       terminal        terminal        terminal
Expired                authorize  terminal       terminal        terminal        terminal
Expired                reject     terminal       terminal        terminal        terminal
Expired                suspend    terminal       terminal        terminal        terminal
Expired                resume     terminal       terminal        terminal        terminal
Expired                revoke     terminal       terminal        terminal        terminal
Expired                lapse      terminal       terminal        terminal        terminal
Expired                expire     terminal       terminal        terminal        terminal
Expired                consume    terminal       terminal        terminal        terminal
Consumed               authorize  terminal       terminal        terminal        terminal
Consumed               reject     terminal       terminal        terminal        terminal
Consumed               suspend    terminal       terminal        terminal        terminal
Consumed               resume     terminal       terminal        terminal        terminal
Consumed               revoke     terminal       terminal        terminal        terminal
Consumed               lapse      terminal       terminal        terminal        terminal
Consumed               expire     terminal       terminal        terminal        terminal
Consumed               consume    terminal       terminal        terminal        terminal
`

const CASES = GRID.trim()
  .split('\n')
  .slice(1)
  .flatMap((line) => {
    const [status, move, ...expected] = line.split(/\s+/) as [ConsentStatus, Move, ...string[]]
    return CALLERS.map((by, at) => ({ status, move, by, expected: expected[at] ?? 'missing' }))
  })

/** Whatever the types would say: a request from outside does not ask them. */
function ask(consent: Consent, move: Move, by: CallerKind, now: Instant): string {
  const asked: Ask = move === 'revoke' ? { move, by, revokedBy: 'LFI' } : { move, by }
  const decision = decide(consent, asked, now)
  return decision.ok ? decision.next.status : decision.refusal
}

describe('decide', () => {
  test('the grid has every status, move and caller once', () => {
    const moves = new Set(Object.values(MOVES).flatMap((row) => Object.keys(row)))
    expect(new Set(CASES.map(({ status, move, by }) => `${status} ${move} ${by}`)).size).toBe(
      STATUSES.length * moves.size * CALLERS.length,
    )
  })

  test.for(CASES)('$status: $move by $by gives $expected', ({ status, move, by, expected }) => {
    const consent = consentIn(status)
    const windowless = { ...consent, authorizeBy: EXPIRES_AT } as Consent
    if (move === 'lapse') expect(ask(consent, move, by, AUTHORIZE_BY)).toBe(expected)
    else if (move === 'expire') expect(ask(windowless, move, by, EXPIRES_AT)).toBe(expected)
    else expect(ask(consent, move, by, NOW)).toBe(expected)
  })

  test('a payment consent is consumed by hub or LFI, and only then', () => {
    const payment = consentIn('Authorized', { type: 'service-initiation' })
    expect(CALLERS.map((by) => ask(payment, 'consume', by, NOW))).toEqual([
      'not-by-caller',
      'Consumed',
      'Consumed',
      'not-by-caller',
    ])
  })

  test.for([
    { without: { psu: null }, refusal: 'psu-unknown' },
    { without: { accountIds: [] }, refusal: 'accounts-unknown' },
    { without: { channel: null }, refusal: 'channel-unknown' },
  ] as const)('nothing is authorized with $refusal', ({ without, refusal }) => {
    expect(ask({ ...consentIn('AwaitingAuthorization'), ...without } as Consent, 'authorize', 'lfi', NOW)).toBe(refusal)
  })

  test.for(['lapse', 'expire'] as const)('nobody can %s a consent before its time', (move) => {
    for (const by of ['lfi', 'hub'] as const) {
      const refusal = ask(consentIn('AwaitingAuthorization'), move, by, NOW)
      expect(refusal).toBe(move === 'lapse' && by === 'lfi' ? 'not-by-caller' : 'too-early')
    }
  })

  test('past its end a consent makes no other move, swept or not', () => {
    const awaiting = consentIn('AwaitingAuthorization')
    expect(ask(awaiting, 'authorize', 'lfi', AUTHORIZE_BY)).toBe('lapsed')
    expect(ask(awaiting, 'revoke', 'tpp', AUTHORIZE_BY)).toBe('lapsed')
    for (const status of ['Authorized', 'Suspended'] as const) {
      expect(ask(consentIn(status), 'revoke', 'lfi', EXPIRES_AT)).toBe('expired')
    }
    expect(ask(consentIn('Suspended'), 'resume', 'lfi', EXPIRES_AT)).toBe('expired')
  })

  test('one millisecond before its end it makes all of them', () => {
    const justBefore = (at: Instant) => (at - 1) as Instant
    expect(ask(consentIn('AwaitingAuthorization'), 'authorize', 'lfi', justBefore(AUTHORIZE_BY))).toBe('Authorized')
    expect(ask(consentIn('Suspended'), 'resume', 'lfi', justBefore(EXPIRES_AT))).toBe('Authorized')
  })

  test('an ended consent has no grant', () => {
    const decision = decide(consentIn('Authorized'), { move: 'revoke', by: 'tpp', revokedBy: 'TPP' }, NOW)
    expect(decision).toMatchObject({ ok: true, next: { grantId: null, revokedBy: 'TPP', statusChangedAt: NOW } })
    expect(atClock(consentIn('Suspended'), EXPIRES_AT)).toMatchObject({ status: 'Expired', grantId: null })
  })

  test('the consent that was asked about stays as it was', () => {
    const consent = consentIn('Authorized')
    const copy = structuredClone(consent)
    ask(consent, 'suspend', 'lfi', NOW)
    atClock(consent, EXPIRES_AT)
    expect(consent).toEqual(copy)
  })
})

describe('the clock', () => {
  test('of two ends that have passed, the earlier one counts', () => {
    const awaiting = consentIn('AwaitingAuthorization')
    const late = toInstant('2027-01-01T00:00:00Z')
    expect(atClock(awaiting, late)).toMatchObject({ status: 'Rejected', rejectedFor: 'lapsed' })
    const shortLived = { ...awaiting, expiresAt: AUTHORIZE_BY, authorizeBy: EXPIRES_AT } as Consent
    expect(atClock(shortLived, late).status).toBe('Expired')
  })

  test('the status changed when the time came, not when somebody looked', () => {
    const late = toInstant('2026-12-31T00:00:00Z')
    expect(atClock(consentIn('AwaitingAuthorization'), late).statusChangedAt).toBe(AUTHORIZE_BY)
    expect(atClock(consentIn('Authorized'), late).statusChangedAt).toBe(EXPIRES_AT)
  })

  test('before that, and in terminal states, the consent is what it was', () => {
    for (const status of STATUSES) {
      const consent = consentIn(status)
      expect(atClock(consent, NOW)).toBe(consent)
      expect(due(consent, NOW)).toBeNull()
    }
    for (const status of ['Rejected', 'Revoked', 'Expired', 'Consumed'] as const) {
      const consent = consentIn(status)
      expect(atClock(consent, EXPIRES_AT)).toBe(consent)
    }
  })
})

describe('usable', () => {
  test.for(STATUSES)('%s', (status) => {
    const answer = usable(consentIn(status), NOW)
    expect(answer.ok ? 'usable' : answer.status).toBe(status === 'Authorized' ? 'usable' : status)
  })

  test('an authorized consent ends on the millisecond', () => {
    const consent = consentIn('Authorized')
    expect(usable(consent, (EXPIRES_AT - 1) as Instant).ok).toBe(true)
    expect(usable(consent, EXPIRES_AT)).toEqual({ ok: false, status: 'Expired' })
  })
})
