/** Ten thousand sequences of requests: the machine beside a plain model. The seed is fixed. */
import { isDeepStrictEqual } from 'node:util'
import { assert as check, property } from 'fast-check'
import { expect, test } from 'vitest'
import type { Instant } from '../../../src/clock.ts'
import { atClock, type Consent, REFUSALS } from '../../../src/consent-store/consent.ts'
import {
  clockStep,
  lfiStep,
  linkStep,
  paymentStep,
  revokeStep,
  type Step,
  tppStep,
} from '../../../src/consent-store/steps.ts'
import { difference } from '../../../src/consent-store/trail.ts'
import {
  begin,
  type Command,
  expected,
  LIFE_MS,
  type Model,
  membersOf,
  money,
  paymentPatchOf,
  type Setting,
  shown,
  WINDOW_MS,
  walks,
} from './model.ts'
import { shownOf } from './model-support.ts'
import { consentIn, lfiPatch, NOW, newInteractionId } from './support.ts'

const SEQUENCES = 10_000

function lodged(setting: Setting): Consent {
  const bare = consentIn('AwaitingAuthorization', { type: setting.type, members: membersOf(setting) })
  const times = { authorizeBy: (NOW + WINDOW_MS) as Instant, expiresAt: (NOW + LIFE_MS) as Instant }
  return { ...bare, ...times, psu: null, accountIds: [], channel: null } as Consent
}

/** As change.ts does it, without a database. */
function stepOf(consent: Consent, command: Command, model: Model, now: Instant): Step | 'unknown' {
  switch (command.do) {
    case 'wait':
      return null
    case 'lfi': {
      const { authorizers: _, charges: __, ...patch } = command.patch
      const payment = consent.type === 'service-initiation' ? { payment: paymentPatchOf(command.patch) } : {}
      return lfiStep(consent, lfiPatch({ ...patch, ...payment }), now, model.chainUser)
    }
    case 'tpp':
      return command.foreign ? 'unknown' : tppStep(consent, command.patch, now)
    case 'revoke':
      return revokeStep(consent, 'LFI', command.by, now)
    case 'pay': {
      const consumption = { number: model.payments, value: model.paid ?? money('0.00'), period: null }
      const note = { consumption, isExhausted: command.isExhausted, attemptedAt: now }
      return paymentStep(consent, note, now)
    }
    case 'link':
      return linkStep(consent, newInteractionId(), now)
    case 'sweep':
      return clockStep(consent, now)
  }
}

test(`${SEQUENCES} sequences of requests end as the contract says, each on its way`, { timeout: 300_000 }, () => {
  const reached = new Set<string>()
  const refused = new Set<string>()
  let sequences = 0
  check(
    property(walks, ({ setting, start, rest }) => {
      sequences += 1
      const model = begin(setting)
      let consent = lodged(setting)
      const changes: string[] = []
      for (const command of [...start, ...rest]) {
        const hoped = expected(model, command)
        const now = (NOW + model.now) as Instant
        const step = stepOf(consent, command, model, now)
        const told = step === 'unknown' ? step : step === null || step.ok ? 'done' : step.refusal
        if (told !== hoped) expect(told, JSON.stringify(command)).toBe(hoped)
        if (told !== 'done') refused.add(told)
        if (step !== null && step !== 'unknown' && step.ok && difference(consent, step.next).changed.length > 0) {
          consent = step.next
          changes.push(step.change)
        }
        const [is, should] = [shownOf(atClock(consent, now)), shown(model)]
        // The comparison that tells the difference is a hundred times as slow as the one that finds it.
        if (!isDeepStrictEqual(is, should)) expect(is, JSON.stringify(command)).toEqual(should)
      }
      expect(changes).toEqual(model.changes)
      for (const change of changes) reached.add(`${setting.type} ${change}`)
    }),
    { seed: 20261126, numRuns: SEQUENCES },
  )
  expect(sequences).toBe(SEQUENCES)
  const data = [
    'authorize',
    'reject',
    'suspend',
    'resume',
    'revoke',
    'lapse',
    'expire',
    'patched',
    'subscription',
    'linked',
  ]
  expect([...reached].sort()).toEqual(
    [
      ...data.map((change) => `account-access ${change}`),
      ...data.map((change) => `insurance ${change}`),
      ...[...data, 'consume'].map((change) => `service-initiation ${change}`),
    ].sort(),
  )
  // Every refusal was met, but for those that no sequence of whole requests leads to.
  const unmet = Object.keys(REFUSALS).filter((name) => !refused.has(name))
  expect(unmet.sort()).toEqual(['channel-unknown', 'completed'])
})
