/**
 * Random walks: sequences of requests against the store on PostgreSQL and against a plain model of what the contract
 * says, written without looking into the state machine. The seed is fixed; a failure prints the shortest walk.
 */
import { array, asyncProperty, assert as check, constant, constantFrom, oneof, record } from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Instant, iso } from '../../src/clock.ts'
import type { LfiPatch, TppPatch } from '../../src/consent-store/index.ts'
import { inTransaction } from '../../src/db.ts'
import { HubError } from '../../src/errors.ts'
import type { ConsentId, InteractionId } from '../../src/ids.ts'
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts'
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
  WEBHOOK,
} from '../unit/consent-store/support.ts'

const HOUR = 3_600_000
const WINDOW_MS = 2 * HOUR
const LIFE_MS = 10 * HOUR

type Command =
  | { readonly do: 'wait'; readonly ms: number }
  | { readonly do: 'lfi'; readonly patch: Partial<LfiPatch> }
  | { readonly do: 'tpp'; readonly patch: TppPatch; readonly foreign: boolean }
  | { readonly do: 'revoke'; readonly by: 'lfi' | 'operator' | 'hub' }
  | { readonly do: 'link' | 'claim' | 'grant' | 'sweep' }

type Model = {
  now: number
  status: string
  psu: string | null
  accounts: readonly string[] | null
  channel: string | null
  large: boolean | null
  revokedBy: string | null
  webhook: boolean | null
  grant: string | null
  interaction: string | null
  claimed: boolean
  granted: boolean
  revision: number
  /** What every place should have recorded, in order. */
  history: { change: string; from: string; to: string; by: string; notified: boolean }[]
}

const ENDED = ['Rejected', 'Revoked', 'Expired', 'Consumed']
const INVALID = 'Consent.Invalid'
const BROKEN = 'Consent.BusinessRuleViolation'

/** Rejected or Expired where the time has come, else null. The window is the shorter time, so it counts first. */
function endedByClock(model: Model): 'lapse' | 'expire' | null {
  if (ENDED.includes(model.status)) return null
  if (model.status === 'AwaitingAuthorization') return model.now >= WINDOW_MS ? 'lapse' : null
  return model.now >= LIFE_MS ? 'expire' : null
}

function move(model: Model, change: string, to: string, by: string): void {
  model.history.push({ change, from: model.status, to, by, notified: to !== model.status && model.webhook === true })
  model.revision += 1
  model.status = to
  if (ENDED.includes(to)) model.grant = null
}

function lfi(model: Model, patch: Partial<LfiPatch>): string {
  const wanted = patch.status ?? null
  if (ENDED.includes(model.status)) return BROKEN
  if (patch.revokedBy && wanted !== 'Revoked') return BROKEN
  const ended = endedByClock(model)
  if (ended !== null) {
    if (ended !== 'expire' || wanted !== 'Expired') return BROKEN
    move(model, 'expire', 'Expired', 'lfi')
    return 'done'
  }
  const draft = { ...model }
  draft.psu = patch.psu?.userId ?? model.psu
  draft.accounts = patch.accountIds ?? model.accounts
  draft.large = patch.isLargeCorporate ?? model.large
  draft.channel = model.channel ?? 'App'
  if (model.granted && draft.psu !== model.psu) return BROKEN
  const from = model.status
  let change: string | null = null
  if (wanted !== null && wanted !== from) {
    if (wanted === 'Authorized' && from === 'Suspended') change = 'resume'
    else if (wanted === 'Authorized' && from === 'AwaitingAuthorization' && draft.psu && draft.accounts)
      change = 'authorize'
    else if (wanted === 'Rejected' && from === 'AwaitingAuthorization') change = 'reject'
    else if (wanted === 'Suspended' && from === 'Authorized') change = 'suspend'
    else if (wanted === 'Revoked') change = 'revoke'
    else return BROKEN
  }
  const amended =
    draft.psu !== model.psu ||
    JSON.stringify(draft.accounts) !== JSON.stringify(model.accounts) ||
    draft.large !== model.large ||
    draft.channel !== model.channel
  Object.assign(model, { psu: draft.psu, accounts: draft.accounts, large: draft.large, channel: draft.channel })
  if (change !== null && wanted !== null) {
    move(model, change, wanted, 'lfi')
    if (change === 'authorize') model.granted = true
    if (change === 'revoke') model.revokedBy = patch.revokedBy ?? 'LFI'
  } else if (amended) move(model, 'patched', from, 'lfi')
  return 'done'
}

function tpp(model: Model, patch: TppPatch, foreign: boolean): string {
  if (foreign || ENDED.includes(model.status) || endedByClock(model) !== null) return INVALID
  if (patch.revokedBy !== undefined && patch.status === undefined) return INVALID
  const active = patch.subscription?.Webhook.IsActive ?? model.webhook
  const amended = active !== model.webhook
  model.webhook = active
  if (patch.status === 'Revoked') {
    move(model, 'revoke', 'Revoked', 'tpp')
    model.revokedBy = patch.revokedBy ?? 'TPP'
  } else if (amended) move(model, 'subscription', model.status, 'tpp')
  return 'done'
}

function revoke(model: Model, by: 'lfi' | 'operator' | 'hub'): string {
  if (ENDED.includes(model.status) || endedByClock(model) !== null) return 'done'
  if (by === 'hub') return BROKEN
  move(model, 'revoke', 'Revoked', by)
  model.revokedBy = 'LFI'
  return 'done'
}

function expected(model: Model, command: Command, interaction: string): string {
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
    case 'link':
      if (model.status !== 'AwaitingAuthorization' || endedByClock(model) !== null || model.claimed) return BROKEN
      move(model, 'linked', model.status, 'lfi')
      model.interaction = interaction
      return 'done'
    case 'claim': {
      const first = model.interaction !== null && !model.claimed
      model.claimed ||= first
      return first ? 'true' : 'false'
    }
    case 'grant':
      if (ENDED.includes(model.status) || endedByClock(model) !== null) return INVALID
      if (model.grant !== null) return INVALID
      model.grant = `grant-${interaction}`
      return 'done'
    case 'sweep': {
      const ended = endedByClock(model)
      if (ended === 'lapse') move(model, 'lapse', 'Rejected', 'hub')
      if (ended === 'expire') move(model, 'expire', 'Expired', 'hub')
      return ended === null ? '0' : '1'
    }
  }
}

async function actual(hub: TestStore, id: ConsentId, command: Command, interaction: InteractionId): Promise<string> {
  const { store, db } = hub
  try {
    switch (command.do) {
      case 'wait':
        hub.clock.advance(command.ms)
        return 'done'
      case 'lfi':
        await store.patchByLfi(id, lfiPatch(command.patch), LFI)
        return 'done'
      case 'tpp':
        await store.patchByTpp(id, command.foreign ? OTHER_CLIENT : CLIENT, command.patch, TPP)
        return 'done'
      case 'revoke':
        await store.revoke(id, { revokedBy: 'LFI' }, callerOf(command.by))
        return 'done'
      case 'link':
        await store.linkInteraction(id, interaction, LFI)
        return 'done'
      case 'claim': {
        const current = (await store.find(id))?.interactionId ?? interaction
        return String(await inTransaction(db, (tx) => store.claimCompletion(tx, id, current)))
      }
      case 'grant':
        await inTransaction(db, (tx) => store.attachGrant(tx, id, `grant-${interaction}`))
        return 'done'
      case 'sweep':
        return String(await store.sweep(10))
    }
  } catch (thrown) {
    if (thrown instanceof HubError) return thrown.code
    throw thrown
  }
}

/** Of several walks that end a consent early few are needed: most commands leave it alive. */
const patches = record({
  status: constantFrom(
    ...([null, null, 'Authorized', 'Authorized', 'Authorized', 'Suspended', 'Suspended', 'Suspended'] as const),
    ...(['Rejected', 'Revoked', 'Expired', 'Consumed'] as const),
  ),
  psu: constantFrom(null, null, psu('u-1'), psu('u-1'), psu('u-1'), psu('u-2')),
  accountIds: constantFrom(null, [account('a')] as const, [account('a'), account('b')] as const),
  revokedBy: constantFrom(null, null, null, null, null, null, 'LFI' as const, 'LFI.InitiatedByUser' as const),
  isLargeCorporate: constantFrom(null, null, null, true, false),
})
const tppPatches = constantFrom<TppPatch>(
  { subscription: { Webhook: { Url: WEBHOOK, IsActive: true } } },
  { subscription: { Webhook: { Url: WEBHOOK, IsActive: false } } },
  { revokedBy: 'TPP' },
  { status: 'Revoked' },
  { status: 'Revoked', revokedBy: 'TPP.InitiatedByUser' },
)
const commands = oneof(
  { weight: 4, arbitrary: record({ do: constant('wait' as const), ms: constantFrom(1, HOUR / 2, HOUR, 5 * HOUR) }) },
  { weight: 9, arbitrary: record({ do: constant('lfi' as const), patch: patches }) },
  {
    weight: 2,
    arbitrary: record({ do: constant('tpp' as const), foreign: constantFrom(false, true), patch: tppPatches }),
  },
  {
    weight: 1,
    arbitrary: record({
      do: constant('revoke' as const),
      by: constantFrom('lfi' as const, 'operator' as const, 'hub' as const),
    }),
  },
  { weight: 3, arbitrary: record({ do: constantFrom('link' as const, 'claim' as const, 'grant' as const) }) },
  { weight: 2, arbitrary: record({ do: constant('sweep' as const) }) },
)

/** Half of the walks begin with an authorized consent: few would get there, and live long enough there, by chance. */
const NOTHING: readonly Command[] = []
const GRANTED: readonly Command[] = [
  { do: 'lfi', patch: { status: 'Authorized', psu: psu('u-1'), accountIds: [account('a')] } },
]

let database: TestDatabase
beforeAll(async () => {
  database = await createTestDatabase()
})
afterAll(() => database.close())

test('any sequence of requests leaves what the contract says, in every place', { timeout: 180_000 }, async () => {
  const reached = new Set<string>()
  await check(
    asyncProperty(
      constantFrom(NOTHING, GRANTED),
      array(commands, { maxLength: 16, size: 'max' }),
      async (start, rest) => {
        const walk = [...start, ...rest]
        const hub = testStore(database.db)
        const model: Model = { ...BLANK, history: [] }
        const id = await hub.lodge({
          members: { ExpirationDateTime: iso((NOW + LIFE_MS) as Instant) },
          authorizeBy: (NOW + WINDOW_MS) as Instant,
        })
        for (const command of walk) {
          const interaction = newInteractionId()
          const hoped = expected(model, command, interaction)
          expect(await actual(hub, id, command, interaction), JSON.stringify(command)).toBe(hoped)
          await compare(hub, id, model)
        }
        await compareTraces(hub, id, model)
        for (const { change } of model.history) reached.add(change)
        // Others would find it when they sweep.
        await database.db.raw('truncate consent cascade')
        await hub.close()
      },
    ),
    { seed: 20260301, numRuns: 400 },
  )
  // The walks were long enough to have tried everything that can happen to an account consent.
  expect([...reached].sort()).toEqual(
    [
      'authorize',
      'expire',
      'lapse',
      'linked',
      'patched',
      'reject',
      'resume',
      'revoke',
      'subscription',
      'suspend',
    ].sort(),
  )
})

const BLANK: Omit<Model, 'history'> = {
  now: 0,
  status: 'AwaitingAuthorization',
  psu: null,
  accounts: null,
  channel: null,
  large: null,
  revokedBy: null,
  webhook: null,
  grant: null,
  interaction: null,
  claimed: false,
  granted: false,
  revision: 1,
}

async function compare(hub: TestStore, id: ConsentId, model: Model): Promise<void> {
  const consent = await hub.store.find(id)
  const ended = endedByClock(model)
  expect(consent).toMatchObject({
    status: ended === null ? model.status : ended === 'lapse' ? 'Rejected' : 'Expired',
    psu: model.psu === null ? null : { userId: model.psu },
    accountIds: model.accounts ?? [],
    channel: model.channel,
    isLargeCorporate: model.large,
    grantId: ended === null ? model.grant : null,
    interactionId: model.interaction,
    revision: model.revision,
    ...(model.revokedBy === null ? {} : { revokedBy: model.revokedBy }),
  })
}

async function compareTraces(hub: TestStore, id: ConsentId, model: Model): Promise<void> {
  const { audit, trail, outbox } = await hub.traces(id)
  const history = [
    { change: 'lodged', from: null, to: 'AwaitingAuthorization', by: 'tpp', notified: false },
    ...model.history,
  ].map((step, at) => ({ ...step, revision: at + 1 }))
  const facts = history.map(({ change, from, to, by, revision }) => ({ change, from, to, by, revision }))
  expect(audit.map(({ change, from, to, by, revision }) => ({ change, from, to, by, revision }))).toEqual(facts)
  expect(
    trail.map((row) => ({
      change: row['change'],
      from: row['status_from'],
      to: row['status_to'],
      by: row['caller_kind'],
      revision: row['revision'],
    })),
  ).toEqual(facts)
  expect(outbox.map(({ kind, event, revision }) => `${revision} ${kind} ${event}`)).toEqual(
    history.flatMap(({ change, notified, revision }) => [
      ...(change === 'linked' ? [] : [`${revision} lfi-event ${change === 'lodged' ? 'post' : 'patch'}`]),
      ...(notified ? [`${revision} tpp-webhook Resource.Updated`] : []),
    ]),
  )
}
