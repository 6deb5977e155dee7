/** Recording the consent that a pushed authorization request asks for (lfi-api 2.6: PAR accepted). */
import assert from 'node:assert'
import { isDeepStrictEqual } from 'node:util'
import { type Instant, toInstant } from '../clock.ts'
import type { Tx } from '../db.ts'
import { type ClientId, type ConsentId, type CorrelationId, type OrganisationId, toConsentId } from '../ids.ts'
import { leaveTraces, type Unit } from './change.ts'
import { type Awaiting, atClock, type Consent, type ConsentType, type JsonObject, type RarElement } from './consent.ts'
import { type Charge, chargesOf, type ExchangeRate, type PaymentTerms, termsOf } from './payment.ts'
import { permissionsOf } from './row.ts'
import { insert, lock } from './store.ts'
import type { Caller } from './trail.ts'

export type LodgeAsk = {
  readonly consentId: ConsentId
  readonly clientId: ClientId
  readonly organisationId: OrganisationId
  readonly rarType: string
  /** As received, after its schema and the rules of PAR have accepted it. */
  readonly request: RarElement
  /** Without credentials: the caller removes what may not be kept. */
  readonly requestHeaders: JsonObject
  readonly requestUrl: string
  readonly tpp: JsonObject
  readonly scope: string
  readonly authorizeBy: Instant
  readonly interactionId: CorrelationId | null
  /** What the LFI has added before the consent was stored (lfi-api 5.2). */
  readonly isLargeCorporate?: boolean
  /** Of a payment consent alone. */
  readonly charges?: readonly Charge[]
  readonly exchangeRate?: ExchangeRate
}

/**
 * 'repeated': the consent is there already, and this is the request that it was lodged with (`isRepeated`).
 * 'duplicate' when the id is taken otherwise, whoever has it: the TPP chose an id that is not new (tpp-api 2.6).
 */
export type Lodged = 'lodged' | 'repeated' | 'duplicate'

export async function lodge(tx: Tx, unit: Unit, ask: LodgeAsk, caller: Caller): Promise<Lodged> {
  const now = unit.clock.now()
  const consent = awaiting(ask, now)
  if (!(await insert(tx, consent))) {
    const taken = await lock(tx, ask.consentId)
    return taken !== null && isRepeated(atClock(taken, now), ask) ? 'repeated' : 'duplicate'
  }
  const patch = { status: consent.status, 'consentBody.Subscription': consent.subscription }
  const lodger = { ...caller, interactionId: caller.interactionId ?? ask.interactionId }
  await leaveTraces(tx, unit, [
    { before: null, consent, change: 'lodged', changed: Object.keys(patch), now, caller: lodger, patch },
  ])
  return 'lodged'
}

/**
 * A TPP that never got the answer to its push sends it again. As long as nobody has begun with the consent, it is the
 * same one: asked for by the same client, member by member.
 */
export function isRepeated(consent: Consent, { clientId, request }: Pick<LodgeAsk, 'clientId' | 'request'>): boolean {
  return (
    consent.clientId === clientId &&
    consent.status === 'AwaitingAuthorization' &&
    consent.interactionId === null &&
    isDeepStrictEqual(consent.request, request)
  )
}

/** The consent that would be stored. */
export function awaiting(ask: LodgeAsk, now: Instant): Awaiting {
  const { request } = ask
  const base = request.consent['BaseConsentId']
  assert(request.type === ask.rarType && request.consent['ConsentId'] === ask.consentId)
  const common = {
    id: ask.consentId,
    rarType: ask.rarType,
    clientId: ask.clientId,
    organisationId: ask.organisationId,
    baseConsentId: toConsentId(base),
    request,
    requestHeaders: ask.requestHeaders,
    requestUrl: ask.requestUrl,
    tpp: ask.tpp,
    scope: ask.scope,
    permissions: permissionsOf(request),
    subscription: request.subscription ?? null,
    isLargeCorporate: ask.isLargeCorporate ?? null,
    supplementaryInformation: null,
    parId: null,
    interactionId: null,
    completedAt: null,
    createdAt: now,
    authorizeBy: ask.authorizeBy,
    expiresAt: toInstant(String(request.consent['ExpirationDateTime'])),
    statusChangedAt: now,
    updatedAt: now,
    lastDataSharedAt: null,
    lastServiceInitiationAt: null,
    revision: 1,
    psu: null,
    accountIds: [],
    channel: null,
    authorizedAt: null,
    grantId: null,
    status: 'AwaitingAuthorization',
  } as const
  const type = typeOf(ask.rarType)
  return type === 'service-initiation' ? { ...common, type, payment: lodgedTerms(ask) } : { ...common, type }
}

const lodgedTerms = ({ request, charges, exchangeRate }: LodgeAsk): PaymentTerms => ({
  ...termsOf(request),
  // A TPP is not told of none (the document wants one at least).
  charges: charges?.length === 0 ? null : chargesOf(charges),
  exchangeRate: exchangeRate ?? null,
})

const RAR_TYPE = /^urn:openfinanceuae:(account-access|service-initiation|insurance)-consent:v\d+\.\d+$/

/** PAR lets in what is served; another type here is a fault of ours, not of the TPP. */
function typeOf(rarType: string): ConsentType {
  const found = RAR_TYPE.exec(rarType)?.[1]
  assert(found !== undefined, 'a consent of a type that this hub does not offer')
  return found as ConsentType
}
