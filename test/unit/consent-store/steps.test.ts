import { describe, expect, test } from 'vitest'
import { type Instant, toInstant } from '../../../src/clock.ts'
import type { Consent, ConsentStatus } from '../../../src/consent-store/consent.ts'
import {
  clockStep,
  type LfiPatch,
  lfiStep,
  linkStep,
  revokeStep,
  type Step,
  tppStep,
} from '../../../src/consent-store/steps.ts'
import {
  AUTHORIZE_BY,
  account,
  consentIn,
  EXPIRES_AT,
  lfiPatch,
  NOW,
  newInteractionId,
  psu,
  WEBHOOK,
} from './support.ts'

const outcome = (step: Step): string =>
  step === null ? 'nothing' : step.ok ? `${step.change} ${step.next.status}` : step.refusal
const patched = (status: ConsentStatus, patch: Partial<LfiPatch>, now: Instant = NOW): string =>
  outcome(lfiStep(consentIn(status), lfiPatch(patch), now))
const next = (step: Step): Consent => {
  if (step === null || !step.ok) throw new Error(`refused: ${outcome(step)}`)
  return step.next
}

describe('PATCH by the LFI', () => {
  // Rows: the status that the consent has. Columns: the status that the patch names.
  const WANTED = ['Authorized', 'Rejected', 'Suspended', 'Revoked', 'Expired', 'Consumed'] as const
  const GRID = {
    AwaitingAuthorization: [
      'authorize Authorized',
      'reject Rejected',
      'not-from-here',
      'revoke Revoked',
      'too-early',
      'not-from-here',
    ],
    Authorized: [
      'patched Authorized',
      'not-from-here',
      'suspend Suspended',
      'revoke Revoked',
      'too-early',
      'never-consumed',
    ],
    Suspended: [
      'resume Authorized',
      'not-from-here',
      'patched Suspended',
      'revoke Revoked',
      'too-early',
      'not-from-here',
    ],
    Rejected: Array(6).fill('terminal'),
    Revoked: Array(6).fill('terminal'),
    Expired: Array(6).fill('terminal'),
    Consumed: Array(6).fill('terminal'),
  } satisfies Record<ConsentStatus, readonly string[]>

  test.for(Object.entries(GRID) as [ConsentStatus, readonly string[]][])('from %s', ([status, expected]) => {
    expect(WANTED.map((wanted) => patched(status, { status: wanted }))).toEqual(expected)
  })

  test('without a status it amends what is live, and nothing else', () => {
    const amendment = { isLargeCorporate: true }
    expect(patched('AwaitingAuthorization', amendment)).toBe('patched AwaitingAuthorization')
    expect(patched('Authorized', amendment)).toBe('patched Authorized')
    expect(patched('Suspended', amendment)).toBe('patched Suspended')
    for (const status of ['Rejected', 'Revoked', 'Expired', 'Consumed'] as const) {
      expect(patched(status, amendment)).toBe('terminal')
    }
  })

  test('past its end a consent is neither amended nor moved, except to what it is', () => {
    expect(patched('Authorized', { isLargeCorporate: true }, EXPIRES_AT)).toBe('expired')
    expect(patched('Authorized', { status: 'Authorized' }, EXPIRES_AT)).toBe('expired')
    expect(patched('Suspended', { status: 'Authorized' }, EXPIRES_AT)).toBe('expired')
    expect(patched('Suspended', { status: 'Expired' }, EXPIRES_AT)).toBe('expire Expired')
    expect(patched('AwaitingAuthorization', { status: 'Authorized' }, AUTHORIZE_BY)).toBe('lapsed')
    expect(patched('AwaitingAuthorization', { status: 'Rejected' }, AUTHORIZE_BY)).toBe('lapsed')
  })

  test('user and accounts may come with the authorization or before it', () => {
    const bare = { ...consentIn('AwaitingAuthorization'), psu: null, accountIds: [], channel: null } as Consent
    const authorize = (consent: Consent, patch: Partial<LfiPatch>) =>
      outcome(lfiStep(consent, lfiPatch({ status: 'Authorized', ...patch }), NOW))
    const who = { psu: psu('u-1') }
    const what = { accountIds: [account('acc-1')] } as const
    expect(authorize(bare, {})).toBe('psu-unknown')
    expect(authorize(bare, who)).toBe('accounts-unknown')
    expect(authorize(bare, what)).toBe('psu-unknown')
    expect(authorize(bare, { ...who, ...what })).toBe('authorize Authorized')
    expect(authorize(next(lfiStep(bare, lfiPatch(who), NOW)), what)).toBe('authorize Authorized')
  })

  test('the channel of the authorization stays, whatever the back office sends', () => {
    const web = lfiPatch({ channel: 'Web', status: 'Suspended' })
    expect(next(lfiStep(consentIn('Authorized'), web, NOW)).channel).toBe('App')
  })

  test('an authorized consent keeps its user; the LFI may say more of the same one', () => {
    expect(patched('Authorized', { psu: psu('u-43') })).toBe('psu-changed')
    expect(patched('Suspended', { psu: psu('u-43'), status: 'Authorized' })).toBe('psu-changed')
    expect(patched('Authorized', { psu: { userId: 'u-42', branch: 'north' } })).toBe('patched Authorized')
    expect(patched('AwaitingAuthorization', { psu: psu('u-43') })).toBe('patched AwaitingAuthorization')
  })

  test('RevokedBy belongs to a revocation, and LFI is meant where it is absent', () => {
    expect(patched('Authorized', { revokedBy: 'LFI' })).toBe('not-revoked')
    expect(patched('Authorized', { revokedBy: 'LFI', status: 'Suspended' })).toBe('not-revoked')
    const revoked = (patch: Partial<LfiPatch>) =>
      next(lfiStep(consentIn('Authorized'), lfiPatch({ status: 'Revoked', ...patch }), NOW))
    expect(revoked({})).toMatchObject({ revokedBy: 'LFI' })
    expect(revoked({ revokedBy: 'LFI.InitiatedByUser' })).toMatchObject({ revokedBy: 'LFI.InitiatedByUser' })
  })

  test('usage never goes back in time', () => {
    const at = (text: string) => toInstant(text)
    const used = { ...consentIn('Authorized'), lastDataSharedAt: at('2026-03-01T07:00:00Z') } as Consent
    const earlier = lfiPatch({ lastDataSharedAt: at('2026-02-01T00:00:00Z') })
    const later = lfiPatch({ lastDataSharedAt: at('2026-03-01T07:30:00Z') })
    expect(next(lfiStep(used, earlier, NOW)).lastDataSharedAt).toBe(used.lastDataSharedAt)
    expect(next(lfiStep(used, later, NOW)).lastDataSharedAt).toBe(later.lastDataSharedAt)
  })
})

describe('PATCH by the TPP', () => {
  const subscription = { Webhook: { Url: WEBHOOK, IsActive: true } }

  test('revokes what is live', () => {
    for (const status of ['AwaitingAuthorization', 'Authorized', 'Suspended'] as const) {
      expect(next(tppStep(consentIn(status), { status: 'Revoked' }, NOW))).toMatchObject({
        status: 'Revoked',
        revokedBy: 'TPP',
      })
    }
    for (const status of ['Rejected', 'Revoked', 'Expired', 'Consumed'] as const) {
      expect(outcome(tppStep(consentIn(status), { status: 'Revoked' }, NOW))).toBe('terminal')
      expect(outcome(tppStep(consentIn(status), { subscription }, NOW))).toBe('terminal')
    }
    expect(outcome(tppStep(consentIn('Authorized'), { status: 'Revoked' }, EXPIRES_AT))).toBe('expired')
  })

  test('changes the subscription, alone or with the revocation', () => {
    expect(outcome(tppStep(consentIn('Authorized'), { subscription }, NOW))).toBe('subscription Authorized')
    const both = next(
      tppStep(consentIn('Authorized'), { subscription, status: 'Revoked', revokedBy: 'TPP.InitiatedByUser' }, NOW),
    )
    expect(both).toMatchObject({ subscription, status: 'Revoked', revokedBy: 'TPP.InitiatedByUser' })
    expect(outcome(tppStep(consentIn('Authorized'), { revokedBy: 'TPP' }, NOW))).toBe('not-revoked')
  })
})

test('revoking what has ended is nothing, by record or by clock', () => {
  for (const status of ['Rejected', 'Revoked', 'Expired', 'Consumed'] as const) {
    expect(revokeStep(consentIn(status), 'LFI', 'lfi', NOW)).toBeNull()
  }
  expect(revokeStep(consentIn('Authorized'), 'LFI', 'lfi', EXPIRES_AT)).toBeNull()
  expect(outcome(revokeStep(consentIn('Authorized'), 'LFI', 'lfi', NOW))).toBe('revoke Revoked')
})

test('an interaction is linked while the consent awaits authorization and no journey was completed', () => {
  const id = newInteractionId()
  const link = (consent: Consent, now = NOW) => outcome(linkStep(consent, id, now))
  const awaiting = consentIn('AwaitingAuthorization')
  expect(link(awaiting)).toBe('linked AwaitingAuthorization')
  expect(link(awaiting, AUTHORIZE_BY)).toBe('lapsed')
  expect(link({ ...awaiting, completedAt: NOW } as Consent)).toBe('completed')
  expect(link(consentIn('Authorized'))).toBe('not-from-here')
  expect(link(consentIn('Rejected'))).toBe('terminal')
})

test('the clock has nothing to write down before the end', () => {
  expect(clockStep(consentIn('Authorized'), NOW)).toBeNull()
  expect(outcome(clockStep(consentIn('Authorized'), EXPIRES_AT))).toBe('expire Expired')
  expect(outcome(clockStep(consentIn('AwaitingAuthorization'), AUTHORIZE_BY))).toBe('lapse Rejected')
})
