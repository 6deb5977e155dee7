/** Account openings and quotes: who asked, and how far the LFI says it got (lfi-api 2.9). */
import assert from 'node:assert'
import { type Instant, iso, toInstant } from '../clock.ts'
import type { Caller, JsonObject, Subscription } from '../consent-store/index.ts'
import { type Db, inTransaction, type Tx } from '../db.ts'
import { HubError } from '../errors.ts'
import type { ClientId, OrganisationId } from '../ids.ts'
import { LIFECYCLES, mayBecome, type NewRequest, type RequestKind, type ServiceRequest } from './request.ts'
import { leaveTraces, type ResourceChange, type Unit } from './traces.ts'

type Row = {
  readonly id: string
  readonly kind: RequestKind
  readonly resource_id: string
  readonly client_id: string
  readonly organisation_id: string
  readonly subscription: Subscription | null
  readonly echoed: JsonObject
  readonly status: string
  readonly status_words: string | null
  readonly created_at: Date
  readonly status_changed_at: Date
  readonly updated_at: Date
  readonly revision: number
}
const COLUMNS = [
  'id',
  'kind',
  'resource_id',
  'client_id',
  'organisation_id',
  'subscription',
  'echoed',
  'status',
  'status_words',
  'created_at',
  'status_changed_at',
  'updated_at',
  'revision',
] as const satisfies readonly (keyof Row)[]

const toRequest = (row: Row): ServiceRequest => ({
  logId: row.id,
  kind: row.kind,
  resourceId: row.resource_id,
  clientId: row.client_id as ClientId,
  organisationId: row.organisation_id as OrganisationId,
  subscription: row.subscription,
  echoed: row.echoed,
  status: row.status,
  words: row.status_words,
  createdAt: toInstant(row.created_at),
  statusChangedAt: toInstant(row.status_changed_at),
  updatedAt: toInstant(row.updated_at),
  revision: row.revision,
})

/** @throws HubError GenericError when the LFI gives the id of an earlier request once more */
export async function recordRequest(tx: Tx, unit: Unit, asked: NewRequest, caller: Caller): Promise<ServiceRequest> {
  const at = new Date(unit.clock.now())
  const rows = (await tx('service_request')
    .insert({
      kind: asked.kind,
      resource_id: asked.resourceId,
      client_id: asked.clientId,
      organisation_id: asked.organisationId,
      subscription: asked.subscription === null ? null : JSON.stringify(asked.subscription),
      echoed: JSON.stringify(asked.echoed),
      status: asked.status,
      created_at: at,
      status_changed_at: at,
      updated_at: at,
      revision: 1,
    })
    .onConflict(['kind', 'resource_id'])
    .ignore()
    .returning(COLUMNS)) as Row[]
  const [row] = rows
  if (row === undefined) throw new HubError('GenericError', { detail: `the LFI gave the id of another ${asked.kind}` })
  const request = toRequest(row)
  await leave(tx, unit, { before: null, request, change: 'asked', changed: [], told: null }, caller)
  return request
}

/** By the TPP that asked: where it wants to hear of the request. @throws HubError Resource.InvalidFormat */
export async function changeSubscription(
  tx: Tx,
  unit: Unit,
  at: { readonly kind: RequestKind; readonly resourceId: string; readonly clientId: ClientId },
  subscription: Subscription,
  caller: Caller,
): Promise<ServiceRequest> {
  const before = await lock(tx, at.kind, at.resourceId)
  if (before === null || before.clientId !== at.clientId) throw unknownRequest()
  const request = { ...before, subscription, ...following(before, unit.clock.now()) }
  await save(tx, request)
  await leave(tx, unit, { before, request, change: 'subscription', changed: ['Subscription'], told: null }, caller)
  return request
}

/** By the TPP that asked, once the LFI has taken its decision. @throws HubError as above, Event.UnexpectedEvent after an end */
export async function moveByTpp(
  tx: Tx,
  unit: Unit,
  at: { readonly kind: RequestKind; readonly resourceId: string; readonly clientId: ClientId },
  to: { readonly status: string; readonly subscription?: Subscription },
  caller: Caller,
): Promise<ServiceRequest> {
  const before = await lock(tx, at.kind, at.resourceId)
  if (before === null || before.clientId !== at.clientId) throw unknownRequest()
  if (!mayBecome(at.kind, before.status, to.status)) {
    throw new HubError('Event.UnexpectedEvent', { reason: 'The request has ended', detail: 'terminal' })
  }
  const now = unit.clock.now()
  const statusChangedAt = to.status === before.status ? before.statusChangedAt : now
  const subscription = to.subscription ?? before.subscription
  const words = to.status === before.status ? before.words : null
  const request = { ...before, status: to.status, words, subscription, statusChangedAt, ...following(before, now) }
  await save(tx, request)
  const changed = [LIFECYCLES[at.kind].member, ...(to.subscription === undefined ? [] : ['Subscription'])]
  await leave(tx, unit, { before, request, change: 'moved', changed, told: null }, caller)
  return request
}

/**
 * `body` has been checked against the document. Its content goes to the TPP and is kept nowhere else, but for the words
 * that the LFI cannot repeat: the TPP reads the resource from the LFI.
 * @throws HubError Resource.InvalidFormat for an unknown id, Event.UnexpectedEvent after an end
 */
export function patchRequestByLfi(
  unit: Unit,
  kind: RequestKind,
  resourceId: string,
  body: JsonObject,
  caller: Caller,
): Promise<ServiceRequest> {
  return inTransaction(unit.db, async (tx) => {
    const before = await lock(tx, kind, resourceId)
    if (before === null) throw unknownRequest()
    const status = body[LIFECYCLES[kind].member]
    assert(typeof status === 'string')
    if (!mayBecome(kind, before.status, status))
      throw new HubError('Event.UnexpectedEvent', { reason: 'The request has ended', detail: 'terminal' })
    const now = unit.clock.now()
    const statusChangedAt = status === before.status ? before.statusChangedAt : now
    const words = wordsAbout(before, status, body)
    const request = { ...before, status, words, statusChangedAt, ...following(before, now) }
    await save(tx, request)
    const changed = Object.keys(body).sort()
    await leave(tx, unit, { before, request, change: 'patched', changed, told: body }, caller)
    return request
  })
}

/** They go with the status that they are about. */
function wordsAbout(before: ServiceRequest, status: string, body: JsonObject): string | null {
  const { keptWords } = LIFECYCLES[before.kind]
  const said = keptWords === null ? undefined : body[keptWords]
  if (typeof said === 'string') return said
  return status === before.status ? before.words : null
}

export async function findRequest(db: Db | Tx, kind: RequestKind, resourceId: string): Promise<ServiceRequest | null> {
  const row = (await db('service_request').where({ kind, resource_id: resourceId }).first(COLUMNS)) as Row | undefined
  return row === undefined ? null : toRequest(row)
}

async function lock(tx: Tx, kind: RequestKind, resourceId: string): Promise<ServiceRequest | null> {
  const found = tx('service_request').where({ kind, resource_id: resourceId }).forUpdate()
  const row = (await found.first(COLUMNS)) as Row | undefined
  return row === undefined ? null : toRequest(row)
}

async function save(tx: Tx, request: ServiceRequest): Promise<void> {
  await tx('service_request')
    .where({ id: request.logId })
    .update({
      status: request.status,
      status_words: request.words,
      subscription: request.subscription === null ? null : JSON.stringify(request.subscription),
      status_changed_at: new Date(request.statusChangedAt),
      updated_at: new Date(request.updatedAt),
      revision: request.revision,
    })
}

const following = (before: ServiceRequest, now: Instant) => ({
  revision: before.revision + 1,
  updatedAt: Math.max(now, before.updatedAt + 1) as Instant,
})

type Change = {
  readonly before: ServiceRequest | null
  readonly request: ServiceRequest
  readonly change: ResourceChange
  readonly changed: readonly string[]
  /** The body that the LFI sent. */
  readonly told: JsonObject | null
}

async function leave(tx: Tx, unit: Unit, { before, request, change, changed, told }: Change, caller: Caller) {
  const webhook = request.subscription?.Webhook
  const { kind, logId, resourceId, organisationId, clientId, updatedAt, revision } = request
  await leaveTraces(
    tx,
    unit,
    {
      resource: kind,
      logId,
      consentId: null,
      clientId,
      at: updatedAt,
      change,
      from: before?.status ?? null,
      to: request.status,
      revision,
      changed,
      facts: { ...NOT_BILLED, organisationId },
      notice:
        told === null || webhook?.IsActive !== true
          ? null
          : { resourceId, url: webhook.Url, body: noticeData(request, told) },
    },
    caller,
  )
}

const NOT_BILLED = { paymentType: null, merchantId: null, paymentConsentType: null, successfulTransactions: null }

/** `Data` of the webhook (lfi-api 2.9, tpp-api 8.3): what the LFI said, and what the kind adds. */
function noticeData(request: ServiceRequest, told: JsonObject): JsonObject {
  switch (request.kind) {
    case 'account-opening':
      return {
        AccountId: request.resourceId,
        ...request.echoed,
        ...told,
        OpeningStatusUpdateDateTime: iso(request.statusChangedAt),
      }
    case 'fx-quote':
      return { FxQuoteId: request.resourceId, ...told }
    case 'insurance-quote':
      return told
  }
}

const unknownRequest = (): HubError => new HubError('Resource.InvalidFormat', { reason: 'There is no such request' })
