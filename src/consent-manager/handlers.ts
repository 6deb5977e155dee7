/** One function per operation, from a request whose form has been checked to what is answered. */
import type { ReceiptOffice } from '../audit/index.ts'
import { type Clock, type Instant, toInstant } from '../clock.ts'
import type { TenantConfig } from '../config.ts'
import {
  CONSENT_TYPE_NAMES,
  type Consent,
  type ConsentFilter,
  type ConsentStore,
  type ConsentType,
  lfiRecord,
  type Revocation,
  type RevokedBy,
} from '../consent-store/index.ts'
import { HubError } from '../errors.ts'
import { type ConsentId, toConsentId, toCorrelationId } from '../ids.ts'
import type { ResourceLog } from '../resource-log/index.ts'
import { createSealedTokens } from '../sealed-token.ts'
import { toAuditRow } from './audit-row.ts'
import { type Answer, type Call, type Handler, one, param } from './call.ts'
import { createLogHandlers } from './log-handlers.ts'
import { toLfiPatch } from './patch-body.ts'
import type { OperationId } from './routes.ts'

export function createHandlers(deps: {
  readonly tenant: TenantConfig
  readonly consents: ConsentStore
  readonly resources: ResourceLog
  readonly receipts: ReceiptOffice
  readonly clock: Clock
}): Readonly<Record<OperationId, Handler>> {
  const { consents, tenant } = deps
  const tokens = createSealedTokens(tenant)
  const record = (consent: Consent) => lfiRecord(consent, tokens)

  const listed = async (call: Call, scope: Partial<ConsentFilter>): Promise<Answer> => {
    const { page, pageSize } = pageOf(call.query)
    const wanted = filterOf(call.query)
    const found =
      wanted === null
        ? { rows: [], totalRecords: 0 }
        : await consents.listForLfi({ ...wanted, ...scope, page, pageSize })
    const totalPages = Math.ceil(found.totalRecords / pageSize)
    const meta = { pageNumber: page, pageSize, totalPages, totalRecords: found.totalRecords }
    return { status: 200, body: { data: found.rows.map(record), meta } }
  }
  const known = async (call: Call): Promise<Consent> => {
    const consent = await consents.find(consentIdOf(call))
    if (consent === null) throw unknown()
    return consent
  }

  return {
    ...createLogHandlers(deps.resources, deps.clock),
    getAllConsents: (call) => listed(call, updatedAfterOf(call.query)),
    getConsents: (call) => listed(call, { psuUserId: param(call, 'userId') }),
    getAccountIdConsents: (call) => listed(call, { accountId: param(call, 'accountId') }),
    getConsentsInConsentGroup: (call) => listed(call, { groupId: param(call, 'consentGroupId') }),
    getConsentsByConsentId: async (call) => one(record(await known(call))),
    getAuditConsentsByConsentId: async (call) => {
      const { id } = await known(call)
      return one((await consents.trail(id)).map((row) => toAuditRow(row, tenant.id)))
    },
    patchConsent: async (call) => {
      const { id, type } = await known(call)
      const patch = toLfiPatch(call.body, type, (token) => tokens.seal(token, id))
      await consents.patchByLfi(id, patch, call.caller)
      return { status: 204 }
    },
    revokeConsentsByConsentId: async (call) => {
      await consents.revoke(consentIdOf(call), revocationOf(call.body), call.caller)
      return { status: 204 }
    },
    revokeConsentsInConsentGroup: async (call) => {
      await consents.revokeGroup(param(call, 'consentGroupId'), revocationOf(call.body), call.caller)
      return { status: 204 }
    },
    // The log is about this LFI and nobody else, so all of it concerns the LFI.
    GetAuditReceipts: async (call) => {
      const id = toCorrelationId(param(call, 'interactionId'))
      const found = id === null ? null : await deps.receipts.find(id, { of: 'everything' })
      if (found === null) throw new HubError('NotFound')
      return { status: 200, body: found }
    },
    helloMtls: async ({ peer }) => {
      const { subject, issuer } = peer ?? { subject: '', issuer: '' }
      return {
        status: 200,
        body: {
          connectionEstablished: true,
          mtlsStatus: peer === null ? 'not-established' : 'established',
          hostName: new URL(tenant.listeners.cm.origin).hostname,
          clientCertificate: { subject, issuer },
        },
      }
    },
  }
}

const unknown = (): HubError => new HubError('Consent.Invalid', { reason: 'There is no such consent' })

/** The document gives the id no form, so text that can be nobody's id is an unknown one (lfi-api 2.1). */
function consentIdOf(call: Call): ConsentId {
  const id = toConsentId(param(call, 'consentId'))
  if (id === null) throw unknown()
  return id
}

function revocationOf(checked: unknown): Revocation {
  const body = checked as { readonly revokedBy: RevokedBy; readonly revokedByPsu?: { readonly userId?: string } }
  const userId = body.revokedByPsu?.userId
  return { revokedBy: body.revokedBy, ...(userId === undefined ? {} : { psuUserId: userId }) }
}

const PAGE_SIZE = 25
/** A larger page is asked for in vain: it holds this many. */
const PAGE_SIZE_MAX = 1000
const PAGE_MAX = 1_000_000

function pageOf(query: ReadonlyMap<string, string>): { readonly page: number; readonly pageSize: number } {
  const page = Number(query.get('page') ?? 1)
  if (page > PAGE_MAX) throw new HubError('Resource.InvalidFormat', { path: 'page', reason: 'page is too large' })
  return { page, pageSize: Math.min(Number(query.get('pageSize') ?? PAGE_SIZE), PAGE_SIZE_MAX) }
}

const TYPES = new Map<string, ConsentType>(
  (Object.entries(CONSENT_TYPE_NAMES) as [ConsentType, string][]).map(([type, name]) => [name, type]),
)

/** null when nothing can match: types and statuses are free text that is compared exactly (lfi-api 2.2). */
function filterOf(query: ReadonlyMap<string, string>): Pick<ConsentFilter, 'consentType' | 'status'> | null {
  const name = query.get('consentType')
  const status = query.get('status')
  const consentType = name === undefined ? undefined : TYPES.get(name)
  if (name !== undefined && consentType === undefined) return null
  return {
    ...(consentType === undefined ? {} : { consentType }),
    ...(status === undefined ? {} : { status }),
  }
}

/** The unit is not published: milliseconds, and seconds where the number is too small for them (lfi-api 9, row 45). */
const SECONDS_BELOW = 1e11

function updatedAfterOf(query: ReadonlyMap<string, string>): { readonly updatedAfter?: Instant } {
  const raw = query.get('updatedAt')
  if (raw === undefined) return {}
  // No consent is older than the epoch, and a database knows no time far before it.
  const epoch = Math.max(Number(raw), 0)
  return { updatedAfter: toInstant(Math.floor(epoch < SECONDS_BELOW ? epoch * 1000 : epoch)) }
}
