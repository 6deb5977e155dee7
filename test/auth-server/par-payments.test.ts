/** POST /par for payments and insurance, at the real listener: what is accepted, and what each single fault is told. */
import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  COMBINATIONS,
  day,
  forInsurance,
  forPayment,
  INSURANCES,
  JWE,
  KINDS,
  type Kind,
  MEMBERS,
  moment,
  type PaymentCase,
  SCHEDULES,
  SCOPES,
} from './support/payment-cases.ts'
import { detailOf, type Push, send } from './support/tpp.ts'
import type { Answer } from './support/wire.ts'
import { startWorld, type World } from './support/world.ts'

const BOOT_MS = 180_000

let world: World
beforeAll(async () => {
  world = await startWorld()
}, BOOT_MS)
afterAll(() => world.close(), BOOT_MS)

async function pushed(change: (push: Push) => void): Promise<{ push: Push; answer: Answer }> {
  const push = world.tpp.push()
  change(push)
  return { push, answer: await send(push) }
}

function expectRefused(answer: Answer, error: string, reason: RegExp): void {
  expect({ status: answer.status, error: answer.json['error'], reason: answer.json['error_description'] }).toEqual({
    status: 400,
    error,
    reason: expect.stringMatching(reason),
  })
  // What is personal is not even repeated when it is refused.
  expect(answer.text).not.toContain('bGF5bGE')
}

describe('what is accepted', () => {
  test.each(Object.keys(KINDS) as Kind[])('%s, and the LFI gets it as it was sent', async (kind) => {
    const { push, answer } = await pushed((each) => forPayment(each, kind))
    expect([answer.status, answer.text]).toEqual([201, expect.stringContaining('request_uri')])
    expect(answer.text).not.toContain(JWE)
    const record = (await world.bank.consent(push.consentId)).json['data'] as Readonly<Record<string, unknown>>
    expect(record).toMatchObject({
      consentType: 'cbuae-service-initiation-consents',
      rarType: 'urn:openfinanceuae:service-initiation-consent:v2.1',
      standardVersion: 'v2.1',
      status: 'AwaitingAuthorization',
      request: detailOf(push),
      consentBody: { Data: { Status: 'AwaitingAuthorization', PaymentPurposeCode: 'ACM' } },
    })
    expect(JSON.stringify(record['consentBody'])).not.toContain('PersonalIdentifiableInformation')
  })

  const MORE: readonly [string, Kind, (push: Push) => void][] = [
    [
      'every optional member',
      'SingleInstantPayment',
      (push) =>
        Object.assign(detailOf(push).consent, {
          BaseConsentId: randomUUID(),
          IsSingleAuthorization: false,
          AuthorizationExpirationDateTime: moment(29 * 86_400_000),
          Permissions: ['ReadRefundAccount'],
          DebtorReference: 'rent',
          CreditorReference: 'rent 11/26',
          SponsoredTPPInformation: { Name: 'a', Identification: 'b' },
        }),
    ],
    [
      'no permission, said',
      'SingleInstantPayment',
      (push) => Object.assign(detailOf(push).consent, { Permissions: [] }),
    ],
    [
      'another currency for a payment that goes abroad',
      'SingleInstantPayment',
      (push) => {
        Object.assign(detailOf(push).consent, {
          CurrencyRequest: { ExtendedPurpose: 'tuition', CurrencyOfTransfer: 'EUR' },
          ControlParameters: {
            ConsentSchedule: {
              SinglePayment: { Type: 'SingleInstantPayment', Amount: { Amount: '5.00', Currency: 'EUR' } },
            },
          },
        })
      },
    ],
    [
      'an end on the last date as it is written, in another zone',
      'FixedDefinedSchedule',
      (push) => Object.assign(detailOf(push).consent, { ExpirationDateTime: `${day(20)}T23:59:59Z` }),
    ],
    [
      'account permissions with the scope of accounts',
      'SingleInstantPayment',
      (push) => {
        push.request.claims['scope'] = 'payments openid accounts'
        detailOf(push).consent['Permissions'] = ['ReadAccountsBasic', 'ReadAccountsDetail', 'ReadBalances']
      },
    ],
  ]
  test.each(MORE)('%s', async (_name, kind, change) => {
    const { answer } = await pushed((push) => {
      forPayment(push, kind)
      change(push)
    })
    expect([answer.status, answer.text]).toEqual([201, expect.any(String)])
  })

  test('an insurance consent', async () => {
    const { push, answer } = await pushed((each) =>
      forInsurance(each, { BaseConsentId: randomUUID(), OnBehalfOf: { LegalName: 'x' } }),
    )
    expect([answer.status, answer.text]).toEqual([201, expect.any(String)])
    expect((await world.bank.consent(push.consentId)).json['data']).toMatchObject({
      consentType: 'cbuae-insurance-consents',
      request: detailOf(push),
      consentBody: { Data: { Permissions: detailOf(push).consent['Permissions'] } },
    })
  })

  test('the same push again, whose answer was lost', async () => {
    const { push } = await pushed((each) => forPayment(each, 'FixedDefinedSchedule'))
    const again = world.tpp.push()
    again.request.claims['scope'] = 'openid payments'
    again.request.claims['authorization_details'] = push.request.claims['authorization_details']
    expect((await send(again)).status).toBe(201)
  })
})

describe('what is refused', () => {
  const run = (table: readonly PaymentCase[]) =>
    test.each(table)('%s (%s)', async (_name, kind, change, reason) => {
      const { push, answer } = await pushed((each) => {
        forPayment(each, kind)
        change(each)
      })
      expectRefused(answer, 'invalid_request', reason)
      await world.expectNoConsent(push.consentId)
    })

  describe('combinations', () => run(COMBINATIONS))
  describe('schedules', () => run(SCHEDULES))
  describe('members', () => run(MEMBERS))

  test.each(INSURANCES)('an insurance consent with %s', async (_name, change, reason) => {
    const { push, answer } = await pushed((each) => {
      forInsurance(each)
      change(each)
    })
    expectRefused(answer, 'invalid_request', reason)
    await world.expectNoConsent(push.consentId)
  })

  test('balances without accounts', async () => {
    const { answer } = await pushed((push) => {
      forPayment(push, 'SingleInstantPayment', { Permissions: ['ReadBalances'] })
      push.request.claims['scope'] = 'openid accounts payments'
    })
    expectRefused(answer, 'invalid_request', /ReadBalances needs ReadAccountsBasic or ReadAccountsDetail/)
  })

  test.each(SCOPES)('scope: %s', async (_name, permissions, scope, right) => {
    const { push, answer } = await pushed((each) => {
      forPayment(each, 'SingleInstantPayment', permissions === undefined ? {} : { Permissions: permissions })
      each.request.claims['scope'] = scope
    })
    expectRefused(answer, 'invalid_scope', new RegExp(scope.includes('openid') ? right : 'openid'))
    await world.expectNoConsent(push.consentId)
  })

  test('an insurance consent with the scope of payments', async () => {
    const { answer } = await pushed((push) => {
      forInsurance(push)
      push.request.claims['scope'] = 'openid payments'
    })
    expectRefused(answer, 'invalid_scope', /openid insurance/)
  })

  test('what the roles of the application do not open', async () => {
    for (const [change, scope] of [
      [(push: Push) => forPayment(push), 'payments'],
      [(push: Push) => forInsurance(push), 'insurance'],
    ] as const) {
      const push = world.second.push()
      change(push)
      const answer = await send(push)
      expect([scope, answer.status, answer.json['error']]).toEqual([scope, 400, 'invalid_scope'])
      await world.expectNoConsent(push.consentId)
    }
  })
})

describe('a renewal', () => {
  const renewing = (root: string) => pushed((push) => forPayment(push, 'SingleInstantPayment', { BaseConsentId: root }))

  test('names the root of its chain, of the same client and type', async () => {
    const { push: root } = await pushed((push) => forPayment(push))
    const { push: second, answer } = await renewing(root.consentId)
    expect(answer.status).toBe(201)
    const third = await renewing(second.consentId)
    expectRefused(third.answer, 'invalid_request', /BaseConsentId names a renewal, not the root of its chain/)
    expect((await renewing(root.consentId)).answer.status).toBe(201)
  })

  test('continues none of another type, and of another client none that it would learn of', async () => {
    const { push: mine } = await world.lodge(world.tpp)
    expectRefused((await renewing(mine.consentId)).answer, 'invalid_request', /names a consent of another type/)
    const { push: theirs } = await world.lodge(world.second)
    for (const root of [theirs.consentId, randomUUID()]) expect((await renewing(root)).answer.status).toBe(201)
  })
})

test('nothing of what is personal is in a log', async () => {
  const { push } = await pushed((each) => forPayment(each))
  const logs = world.logs()
  expect(logs).toContain('listening')
  expect(logs).not.toContain(JWE)
  expect(logs).not.toContain('bGF5bGE')
  expect(await world.statusOf(push.consentId)).toBe('AwaitingAuthorization')
})
