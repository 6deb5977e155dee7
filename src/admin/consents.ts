/** The operator's view of one consent: what it was at any moment, and who made it so. */
import type { Audit } from '../audit/index.ts'
import { type Clock, type Instant, iso, toInstant } from '../clock.ts'
import { agreementOf, type Consent, type ConsentStore, type TrailRow } from '../consent-store/index.ts'
import { HubError } from '../errors.ts'
import { type ConsentId, type CorrelationId, type TenantId, toConsentId } from '../ids.ts'

export type ConsentViewDeps = {
  readonly tenantId: TenantId
  readonly consents: ConsentStore
  readonly audit: Audit
  readonly clock: Clock
}
export type Viewer = { readonly actor: string; readonly interactionId: CorrelationId | null }

export type HistoryRow = {
  readonly revision: number
  readonly at: string
  readonly change: string
  readonly from: string | null
  readonly to: string
  readonly by: TrailRow['caller']
  readonly set: TrailRow['patch']
}
export type ConsentAt = {
  readonly at: string
  readonly revision: number
  readonly record: ReturnType<typeof agreementOf>
  /** The change that made it what it was. What the clock did since has no row until the sweeper writes it. */
  readonly since: HistoryRow | null
}

export type ConsentOfThen = Omit<ConsentAt, 'record'> & { readonly consent: Consent }

export type ConsentView = {
  /** The consent itself, for whoever tells it in words. @throws HubError NotFound, Resource.InvalidFormat */
  findAt(id: string, at: string | null, viewer: Viewer): Promise<ConsentOfThen>
  /** @throws HubError NotFound, Resource.InvalidFormat */
  showAt(id: string, at: string | null, viewer: Viewer): Promise<ConsentAt>
  /** Oldest first. @throws HubError NotFound */
  history(id: string, viewer: Viewer): Promise<readonly HistoryRow[]>
}

/** Whoever looks at the agreement of a person leaves a trace of it, before the answer. */
export function createConsentView({ tenantId, consents, audit, clock }: ConsentViewDeps): ConsentView {
  const seen = (act: string, id: ConsentId, { actor, interactionId }: Viewer): Promise<void> =>
    audit.record({ kind: 'consent-viewed', at: clock.now(), tenantId, interactionId, actor, act, consentId: id })
  const findAt: ConsentView['findAt'] = async (rawId, rawAt, viewer) => {
    const id = idOf(rawId)
    const at = rawAt === null ? clock.now() : momentOf(rawAt)
    await seen('consent read', id, viewer)
    const past = await consents.findAt(id, at)
    if (past === null) throw unknownConsent()
    if (past.kind !== 'known') throw new HubError('NotFound', { reason: ABSENT[past.kind] })
    const { consent } = past
    const rows = await consents.trail(id)
    const since = rows.find(({ revision }) => revision === consent.revision)
    return { at: iso(at), revision: consent.revision, consent, since: since === undefined ? null : historyRow(since) }
  }
  return {
    findAt,
    showAt: async (id, at, viewer) => {
      const { consent, ...found } = await findAt(id, at, viewer)
      return { ...found, record: agreementOf(consent) }
    },
    history: async (rawId, viewer) => {
      const id = idOf(rawId)
      await seen('consent history read', id, viewer)
      const rows = await consents.trail(id)
      if (rows.length === 0) throw unknownConsent()
      return rows.map(historyRow)
    },
  }
}

const ABSENT = {
  'not-yet': 'There was no such consent at that moment',
  'not-kept': 'What the consent was at that moment was not kept yet',
} as const
const unknownConsent = (): HubError => new HubError('NotFound', { reason: 'There is no such consent' })

function idOf(raw: string): ConsentId {
  const id = toConsentId(raw)
  if (id === null) throw unknownConsent()
  return id
}

const MOMENT = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(?::\d{2}(?:\.\d{1,3})?)?(?:Z|[+-]\d{2}:\d{2})$/

function momentOf(raw: string): Instant {
  const malformed = () =>
    new HubError('Resource.InvalidFormat', { path: 'at', reason: 'at must be a date-time with an offset' })
  if (!MOMENT.test(raw)) throw malformed()
  try {
    return toInstant(raw)
  } catch {
    throw malformed()
  }
}

const historyRow = (row: TrailRow): HistoryRow => ({
  revision: row.revision,
  at: iso(row.at),
  change: row.change,
  from: row.from,
  to: row.to,
  by: row.caller,
  set: row.patch,
})
