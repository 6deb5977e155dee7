/** The same sequences as the pure machine's, against the store on PostgreSQL: what is told, kept and left behind. */
import { asyncProperty, assert as check } from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Instant } from '../../src/clock.ts'
import { inTransaction } from '../../src/db.ts'
import { HubError } from '../../src/errors.ts'
import type { ConsentId } from '../../src/ids.ts'
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts'
import {
  begin,
  type Command,
  expected,
  type Model,
  membersOf,
  money,
  paymentPatchOf,
  type Setting,
  shown,
  WINDOW_MS,
  walks,
} from '../unit/consent-store/model.ts'
import { shownOf } from '../unit/consent-store/model-support.ts'
import {
  account,
  CLIENT,
  callerOf,
  LFI,
  lfiPatch,
  NOW,
  newInteractionId,
  OTHER_CLIENT,
  psu,
  type TestStore,
  TPP,
  testStore,
} from '../unit/consent-store/support.ts'

const SEQUENCES = 300

let database: TestDatabase
beforeAll(async () => {
  database = await createTestDatabase()
})
afterAll(() => database.close())

async function lodge(hub: TestStore, setting: Setting): Promise<ConsentId> {
  const authorizeBy = (NOW + WINDOW_MS) as Instant
  const { type, chainUser } = setting
  if (chainUser === null) return hub.lodge({ type, members: membersOf(setting), authorizeBy })
  const root = await hub.lodge({ type })
  const first = { status: 'Authorized', psu: psu(chainUser), accountIds: [account('a')] } as const
  await hub.store.patchByLfi(root, lfiPatch(first), LFI)
  return hub.lodge({ type, members: { ...membersOf(setting), BaseConsentId: root }, authorizeBy })
}

/** What the caller is told: the code, which says less than the refusal behind it. */
async function told(hub: TestStore, id: ConsentId, command: Command, model: Model): Promise<string> {
  const { store, db, clock } = hub
  try {
    switch (command.do) {
      case 'wait':
        clock.advance(command.ms)
        break
      case 'lfi': {
        const { authorizers: _, charges: __, ...patch } = command.patch
        const payment = model.type === 'service-initiation' ? { payment: paymentPatchOf(command.patch) } : {}
        await store.patchByLfi(id, lfiPatch({ ...patch, ...payment }), LFI)
        break
      }
      case 'tpp':
        await store.patchByTpp(id, command.foreign ? OTHER_CLIENT : CLIENT, command.patch, TPP)
        break
      case 'revoke':
        await store.revoke(id, { revokedBy: 'LFI' }, callerOf(command.by))
        break
      case 'pay': {
        const consumption = { number: model.payments, value: model.paid ?? money('0.00'), period: null }
        const note = { consumption, isExhausted: command.isExhausted, attemptedAt: clock.now() }
        await inTransaction(db, async (tx) => {
          const consent = await store.lock(tx, id)
          if (consent !== null) await store.notePayment(tx, consent, note, { caller: callerOf('hub') })
        })
        break
      }
      case 'link':
        await store.linkInteraction(id, newInteractionId(), LFI)
        break
      case 'sweep':
        await store.sweep(10)
    }
    return 'done'
  } catch (thrown) {
    if (thrown instanceof HubError) return thrown.code
    throw thrown
  }
}

function codeFor(refusal: string, command: Command): string {
  if (refusal === 'done') return refusal
  return command.do === 'tpp' ? 'Consent.Invalid' : 'Consent.BusinessRuleViolation'
}

test(`${SEQUENCES} sequences of requests leave what the contract says, in every place`, {
  timeout: 300_000,
}, async () => {
  const reached = new Set<string>()
  await check(
    asyncProperty(walks, async ({ setting, start, rest }) => {
      const hub = testStore(database.db)
      const model = begin(setting)
      const id = await lodge(hub, setting)
      for (const command of [...start, ...rest]) {
        const hoped = codeFor(expected(model, command), command)
        expect(await told(hub, id, command, model), JSON.stringify(command)).toBe(hoped)
        const consent = await hub.store.find(id)
        expect(consent === null ? null : shownOf(consent), JSON.stringify(command)).toEqual(shown(model))
      }
      const { audit, trail } = await hub.traces(id)
      expect(audit.map(({ change }) => change)).toEqual(['lodged', ...model.changes])
      expect(trail.map((row) => row['change'])).toEqual(['lodged', ...model.changes])
      for (const change of model.changes) reached.add(`${setting.type} ${change}`)
      // Others would find it when they sweep.
      await database.db.raw('truncate consent cascade')
      await hub.close()
    }),
    { seed: 20261126, numRuns: SEQUENCES },
  )
  const changes = new Set([...reached].map((each) => each.split(' ')[1]))
  expect([...changes]).toEqual(
    expect.arrayContaining(['authorize', 'reject', 'suspend', 'resume', 'revoke', 'lapse', 'expire', 'patched']),
  )
  expect([...reached]).toContain('service-initiation consume')
})
