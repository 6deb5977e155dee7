/**
 * Notices of changes, taken from the outbox and brought to those whom they concern: events to the LFI, once each, and
 * webhooks to TPPs, until they are acknowledged or given up.
 */
import type { Audit } from '../audit/index.ts'
import { type Clock, plus, type Seconds, secondsToMilliseconds, toMilliseconds } from '../clock.ts'
import type { TenantConfig, WebhooksConfig } from '../config.ts'
import type { ConsentStore } from '../consent-store/index.ts'
import { type Db, inTransaction, type Migration } from '../db.ts'
import type { FetchGuard } from '../fetch-guard.ts'
import type { CorrelationId } from '../ids.ts'
import type { KeyRing } from '../keys/index.ts'
import type { ConsentActions } from '../lfi/index.ts'
import type { Log } from '../log.ts'
import type { Participants } from '../participants/index.ts'
import type { ResourceLog } from '../resource-log/index.ts'
import { createLane, type Lane } from './lane.ts'
import { tellLfi } from './lfi-event.ts'
import { outboxDelivery } from './migrations/0050-outbox-delivery.ts'
import { outboxSubjects } from './migrations/0050-outbox-subjects.ts'
import { outboxDead } from './migrations/0050-outbox-webhooks-dead.ts'
import { createPost } from './post.ts'
import {
  claimLfiEvents,
  claimWebhooks,
  countNotices,
  giveUpLostEvents,
  type ListedWebhook,
  listWebhooks,
  type NoticeCount,
  type NoticeState,
  postpone,
  purgeSettled,
  removeUnheard,
  revive,
  settle,
  stateOfWebhook,
  type Webhook,
} from './queue.ts'
import { deliverWebhook } from './webhook.ts'

export type { ListedWebhook, NoticeCount, NoticeState } from './queue.ts'

export const migrations: readonly Migration[] = [outboxDelivery, outboxSubjects, outboxDead]

export const NOTICE_STATES: readonly NoticeState[] = ['waiting', 'sending', 'delivered', 'failed', 'dropped', 'dead']

/** The operator's view of the outbox. */
export type NoticeDesk = {
  list(state: NoticeState | null): Promise<readonly ListedWebhook[]>
  /** Every notice there is, by kind and state. */
  counts(): Promise<readonly NoticeCount[]>
  /** null: there is no such webhook. */
  stateOf(id: string): Promise<NoticeState | null>
  /** False: there is no settled webhook of that id. */
  redeliver(id: string, by: { readonly actor: string; readonly interactionId: CorrelationId | null }): Promise<boolean>
}

export function createNoticeDesk(deps: {
  readonly db: Db
  readonly tenant: TenantConfig
  readonly audit: Audit
  readonly clock: Clock
}): NoticeDesk {
  const { db, tenant, audit, clock } = deps
  return {
    list: (state) => listWebhooks(db, state),
    counts: () => countNotices(db),
    stateOf: (id) => stateOfWebhook(db, id),
    redeliver: (id, by) =>
      inTransaction(db, async (tx) => {
        const now = clock.now()
        if (!(await revive(tx, id, now))) return false
        const act = { actor: by.actor, act: 'webhook redelivered', target: id }
        const { interactionId } = by
        await audit.append(tx, { kind: 'admin-act', at: now, interactionId, tenantId: tenant.id, ...act })
        return true
      }),
  }
}

export type Notices = {
  start(): void
  /** Waits for what is on its way, as long as is allowed; what has not arrived by then is tried again. */
  stop(): Promise<void>
  /** Removes what was settled long ago; returns how many. */
  purge(): Promise<number>
}

export type NoticesDeps = {
  readonly db: Db
  readonly tenant: TenantConfig
  readonly consents: ConsentStore
  readonly resources: Pick<ResourceLog, 'findRequest'>
  readonly participants: Participants
  readonly consentActions: ConsentActions
  readonly keys: KeyRing
  readonly guard: FetchGuard
  readonly audit: Audit
  readonly clock: Clock
  readonly log: Log
  /** How long a stop may wait for receivers. */
  readonly drainSeconds: Seconds
  readonly random?: () => number
  /** How often the outbox is looked at. */
  readonly everyMs?: number
}

const EVERY_MS = 500
/** Beyond the time that an attempt can take: a worker that is late is not taken for dead. */
const CLAIM_MARGIN_MS = 30_000
const EVENTS_TOGETHER_MAX = 8
const WEBHOOKS_TOGETHER = 256
const DAY_MS = 86_400_000

export function createNotices(deps: NoticesDeps): Notices {
  const { tenant, db, clock } = deps
  const config = tenant.webhooks
  const webhooks = config === undefined ? null : createWebhooks(deps, config)
  const lanes = [createEvents(deps), ...(webhooks === null ? [] : [webhooks.lane])]
  return {
    start: () => {
      for (const lane of lanes) lane.start()
    },
    stop: async () => {
      const late = setTimeout(() => void webhooks?.close(), secondsToMilliseconds(deps.drainSeconds))
      await Promise.all(lanes.map((lane) => lane.stop()))
      clearTimeout(late)
      await webhooks?.close()
    },
    purge: () => purgeSettled(db, plus(clock.now(), toMilliseconds(-(config?.keepDays ?? 0) * DAY_MS))),
  }
}

function createEvents(deps: NoticesDeps): Lane {
  const { db, tenant, clock, consentActions } = deps
  const claimMs = toMilliseconds(consentActions.eventTimeoutMs + CLAIM_MARGIN_MS)
  const events = { ...deps, tenantId: tenant.id }
  // Of the connections to the LFI most are for those who wait for data.
  const together = Math.max(1, Math.min(EVENTS_TOGETHER_MAX, Math.floor(tenant.lfi.connections / 4)))
  return createLane({
    what: 'telling the LFI',
    log: deps.log,
    everyMs: deps.everyMs ?? EVERY_MS,
    together,
    perParty: together,
    partyOf: () => tenant.id,
    fetch: async (limit) => {
      const now = clock.now()
      await removeUnheard(db, consentActions.heard)
      await giveUpLostEvents(db, now)
      return claimLfiEvents(db, plus(now, claimMs), { heard: consentActions.heard, limit })
    },
    work: async (notice) => {
      const { state, outcome } = await tellLfi(events, notice)
      await settle(db, notice, state, outcome, clock.now())
      if (state !== 'delivered') deps.log.warn({ consentId: notice.consentId, state, outcome }, 'event to the LFI')
    },
  })
}

function createWebhooks(deps: NoticesDeps, config: WebhooksConfig) {
  const { db, tenant, clock, log } = deps
  const post = createPost(deps.guard, config)
  const claimMs = toMilliseconds(config.timeoutMs + CLAIM_MARGIN_MS)
  const delivery = {
    ...deps,
    config,
    post,
    tenantId: tenant.id,
    issuer: tenant.listeners.auth.origin,
    resourceOrigin: tenant.listeners.rs.origin,
    random: deps.random ?? Math.random,
  }
  const lane = createLane<Webhook>({
    what: 'delivering webhooks',
    log,
    everyMs: deps.everyMs ?? EVERY_MS,
    together: WEBHOOKS_TOGETHER,
    perParty: config.perReceiver,
    partyOf: ({ clientId }) => clientId,
    fetch: (limit, busy) => {
      const now = clock.now()
      return claimWebhooks(db, now, plus(now, claimMs), { busy, limit })
    },
    work: async (notice) => {
      const fate = await deliverWebhook(delivery, notice)
      if (fate.state === 'waiting') await postpone(db, notice, fate.outcome, fate.dueAt)
      else await settle(db, notice, fate.state, fate.outcome, clock.now())
      const { eventId, clientId, attempts } = notice
      const facts = { eventId, clientId, attempts, state: fate.state, outcome: fate.outcome }
      if (fate.state === 'delivered') log.info(facts, 'webhook')
      else log.warn(facts, 'webhook')
    },
  })
  return { lane, close: () => post.close() }
}
