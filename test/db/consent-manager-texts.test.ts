/** What is in bodies and paths: text that cannot be kept is refused, and what a body holds never reaches a log. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { createLog } from '../../src/log.ts'
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts'
import { openManager, said, type TestManager } from '../unit/consent-store/manager.ts'
import { madePayment } from '../unit/consent-store/payments.ts'
import { NOW, newConsentId } from '../unit/consent-store/support.ts'

let database: TestDatabase
let cm: TestManager
const lines: string[] = []
beforeAll(async () => {
  database = await createTestDatabase()
  const log = createLog({ level: 'trace', name: 'test' }, { write: (line: string) => void lines.push(line) })
  cm = await openManager(database.db, log)
})
afterAll(async () => {
  await cm?.close()
  await database?.close()
})
beforeEach(() => cm.hub.clock.set(NOW))

const STATUS = 'paymentResponse.status'

describe('text that no database keeps', () => {
  const NUL = '\u0000'
  const HALF = '\ud800'
  const body = (userId: string) => ({ authorizationChannel: 'App', psuIdentifiers: { userId } })
  const CASES: readonly [string, string, unknown, string][] = [
    ['GET', '/psu/%00/consents', undefined, 'Resource.InvalidFormat'],
    ['GET', '/accounts/a%00/consents', undefined, 'Resource.InvalidFormat'],
    ['GET', '/consent-groups/%00/consents', undefined, 'Resource.InvalidFormat'],
    ['GET', '/consents?status=%00', undefined, 'Resource.InvalidFormat'],
    ['PATCH', '/payment-log/%00', { [STATUS]: 'Rejected' }, 'Resource.InvalidFormat'],
    ['PATCH', `/consents/${newConsentId()}`, body(NUL), 'Body.InvalidFormat'],
    ['PATCH', `/consents/${newConsentId()}`, body(HALF), 'Body.InvalidFormat'],
    [
      'PATCH',
      `/consents/${newConsentId()}`,
      { ...body('u'), supplementaryInformation: { [NUL]: 1 } },
      'Body.InvalidFormat',
    ],
    [
      'PATCH',
      `/consents/${newConsentId()}`,
      { ...body('u'), supplementaryInformation: [[HALF]] },
      'Body.InvalidFormat',
    ],
  ]
  test.each(CASES)('%s %s with %j', async (method, path, sent, code) => {
    expect(said(await cm.call(method, path, sent === undefined ? {} : { body: sent }))).toBe(`400 ${code}`)
  })
})

describe('a log', () => {
  const MARK = 'Layla-Al-Mansoori'
  const bodies = (id: string): readonly [string, string, { body?: unknown; raw?: string }][] => {
    const authorize = {
      status: 'Authorized',
      authorizationChannel: 'App',
      psuIdentifiers: { userId: MARK, name: MARK },
      accountIds: [MARK],
      supplementaryInformation: { note: MARK },
    }
    const reasons = [{ code: 'LFI.X1', message: MARK }]
    return [
      ['PATCH', `/consents/${id}`, { body: authorize }],
      ['PATCH', `/consents/${id}`, { body: { ...authorize, [MARK]: MARK } }],
      ['PATCH', `/consents/${id}`, { body: { ...authorize, authorizationChannel: MARK } }],
      ['PATCH', `/consents/${id}`, { raw: `{"status":"${MARK}` }],
      ['POST', `/consents/${id}/action/revoke`, { body: { revokedBy: MARK } }],
      [
        'PATCH',
        `/payment-log/${MARK}`,
        { body: { [STATUS]: 'Rejected', 'paymentResponse.rejectReasonCode': reasons } },
      ],
      [
        'PATCH',
        `/account-opening-log/${MARK}`,
        { body: { OpeningStatus: 'Rejected', AdditionalStatusInformation: MARK } },
      ],
      ['GET', `/psu/${MARK}/consents`, {}],
      ['GET', `/accounts/${MARK}/consents`, {}],
      ['GET', `/consents?status=${MARK}`, {}],
      ['GET', `/${MARK}`, {}],
    ]
  }

  test('holds nothing of what was sent, whatever came of it', async () => {
    const id = await cm.hub.lodge()
    const answers = []
    for (const [method, path, sent] of bodies(id)) answers.push(said(await cm.call(method, path, sent)))
    expect(new Set(answers)).toEqual(
      new Set(['204', '400 Body.InvalidFormat', '400 Resource.InvalidFormat', '200', '404']),
    )
    expect(lines.join('')).not.toContain(MARK)
  })

  test('holds nothing of a row that the database refused, and says that there was one', async () => {
    const { db } = database
    const payment = await madePayment(db, cm.resources, await cm.hub.authorized())
    await db.raw(`alter table payment_log add constraint broken check (payment_transaction_id <> '${MARK}')`)
    const reply = await cm.call('PATCH', `/payment-log/${payment.paymentId}`, {
      body: { [STATUS]: 'Pending', 'paymentResponse.paymentTransactionId': MARK },
    })
    await db.raw('alter table payment_log drop constraint broken')
    expect([said(reply), reply.text.includes(MARK)]).toEqual(['500 GenericError', false])
    expect(lines.join('')).toContain('consent manager failed')
    expect(lines.join('')).not.toMatch(new RegExp(`${MARK}|eyJ|u-42|100\\.00`))
  })
})
