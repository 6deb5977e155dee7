/**
 * What the LFI has to say about a consent, before it is stored (validate, augment) and after each change (events):
 * lfi-api 5.2. Each is asked only where the tenant's configuration says so, for the types of consent that it names.
 */
import type { Milliseconds } from '../clock.ts'
import type { ConsentActionsConfig, TenantConfig } from '../config.ts'
import { type Charge, type Consent, type ConsentType, type ExchangeRate, lfiRecord } from '../consent-store/index.ts'
import type { CorrelationId } from '../ids.ts'
import type { LfiOperation } from '../lfi-operations.ts'
import type { Check, SchemaRegistry } from '../schema-registry.ts'
import { createSealedTokens } from '../sealed-token.ts'
import { isStorable } from '../storable.ts'
import type { Connector, Exchange } from './connector.ts'
import type { Attempt } from './exchange.ts'
import { consentHeaders } from './headers.ts'

/** What augment adds; only what the type of the consent has a place for is kept. */
export type Augmentation = {
  readonly Charges?: readonly Charge[]
  readonly ExchangeRate?: ExchangeRate
  readonly OpenFinanceBilling?: { readonly IsLargeCorporate: boolean }
}
/** One call; an answer that is not in the form of the contract is no answer. */
export type ReviewCall = Exchange & { readonly understood: boolean }
export type Review = { readonly calls: readonly ReviewCall[] } & (
  | { readonly ok: true; readonly added: Augmentation }
  | { readonly ok: false; readonly why: string }
)
export type Interaction = { readonly correlationId: CorrelationId; readonly correlationGiven: boolean }

export type ConsentActions = {
  /**
   * Everything of the hub's own has been checked, nothing is stored. Never rejects for what the LFI does; `gone` calls
   * it off.
   */
  review(draft: Consent, interaction: Interaction, gone: AbortSignal): Promise<Review>
  /** The types of consent of whose changes the LFI wants to hear. */
  readonly heard: readonly ConsentType[]
  readonly eventTimeoutMs: Milliseconds
  /** Once, whatever comes of it. */
  tell(event: 'post' | 'patch', consent: Consent, interaction: Interaction): Promise<Exchange>
}

/** The call of the TPP under which a consent stands. */
const PUSHED = { apiUri: '/par', method: 'POST' } as const
const UNAVAILABLE = 'consent validation unavailable'

export function createConsentActions(deps: {
  readonly tenant: TenantConfig
  readonly connector: Connector
  readonly registry: SchemaRegistry
}): ConsentActions {
  const { tenant, connector, registry } = deps
  const tokens = createSealedTokens(tenant)
  const config = tenant.lfi.consentActions ?? null
  const eventTimeoutMs = config?.eventTimeoutMs ?? tenant.lfi.timeoutMs
  const isVerdict = registry.response('consent-events-actions', 'validateConsent', 200)
  const isAugmentation = registry.response('consent-events-actions', 'augmentAccountConsent', 200)

  const ask = (
    action: Action,
    consent: Consent,
    { interaction, gone }: Occasion,
    timeoutMs: number,
  ): Promise<Exchange> =>
    connector.ask(
      {
        ...action,
        method: 'POST',
        headers: consentHeaders({ ...interaction, ...PUSHED, tenantId: tenant.id, consent }),
        under: consent,
        body: JSON.stringify(lfiRecord(consent, tokens)),
        timeoutMs,
      },
      gone,
    )

  const validate = async (draft: Consent, occasion: Occasion, limits: ConsentActionsConfig): Promise<Review> => {
    const calls: ReviewCall[] = []
    // Once more where the LFI was not there, or not well; what it has said is not asked for again.
    for (let attempt = 0; attempt < 2; attempt += 1) {
      const exchange = await ask(VALIDATE, draft, occasion, limits.validateTimeoutMs)
      const verdict = bodyOf<Verdict>(exchange.attempt, isVerdict)?.data
      const understood = verdict?.status !== undefined
      calls.push({ ...exchange, understood })
      if (verdict?.status === 'valid') return { ok: true, added: {}, calls }
      if (verdict?.status === 'invalid') return { ok: false, why: reasonOf(verdict), calls }
      if (!mayPass(exchange.attempt)) break
    }
    return limits.validateFailure === 'accept' ? { ok: true, added: {}, calls } : { ok: false, why: UNAVAILABLE, calls }
  }

  /** Without its answer the consent is what the TPP asked for. */
  const augment = async (draft: Consent, occasion: Occasion, limits: ConsentActionsConfig): Promise<Review> => {
    const exchange = await ask(AUGMENT, draft, occasion, limits.augmentTimeoutMs)
    const said = bodyOf<Augmentation>(exchange.attempt, isAugmentation)
    const added = isStorable(said) ? said : null
    return { ok: true, added: added ?? {}, calls: [{ ...exchange, understood: added !== null }] }
  }

  return {
    review: async (draft, interaction, gone) => {
      const occasion = { interaction, gone }
      const judged: Review = config?.validate.includes(draft.type)
        ? await validate(draft, occasion, config)
        : { ok: true, added: {}, calls: [] }
      if (!judged.ok || !config?.augment.includes(draft.type)) return judged
      const augmented = await augment(draft, occasion, config)
      return { ...augmented, calls: [...judged.calls, ...augmented.calls] }
    },
    heard: config?.events ?? [],
    eventTimeoutMs,
    tell: (event, consent, interaction) =>
      ask({ ...EVENT, target: `/consent/event/${event}` }, consent, { interaction, gone: null }, eventTimeoutMs),
  }
}

/** On whose account the LFI is asked, and whether they still wait for it. */
type Occasion = { readonly interaction: Interaction; readonly gone: AbortSignal | null }
type Action = { readonly operationId: LfiOperation; readonly route: string; readonly target: string }
const action = (operationId: LfiOperation, route: string): Action => ({ operationId, route, target: route })
const VALIDATE = action('validateConsent', '/consent/action/validate')
const AUGMENT = action('augmentAccountConsent', '/consent/action/augment')
const EVENT = action('consentEvent', '/consent/event/{operation}')

type Verdict = {
  readonly data?: { readonly status?: 'valid' | 'invalid'; readonly code?: string; readonly description?: string }
}

/** Null for everything but 200 with JSON of the documented form. */
function bodyOf<T>(attempt: Attempt, check: Check | null): T | null {
  if (attempt.outcome !== 'answered' || attempt.status !== 200) return null
  try {
    const body: unknown = JSON.parse(attempt.body.toString('utf8'))
    return check?.(body).length === 0 ? (body as T) : null
  } catch {
    return null
  }
}

const mayPass = (attempt: Attempt): boolean =>
  attempt.outcome === 'answered' ? attempt.status >= 500 : !LASTING.has(attempt.outcome)

/** Asked again, these would end the same way. */
const LASTING: ReadonlySet<Attempt['outcome']> = new Set(['invalid-response', 'cancelled'])

/** To the TPP in the words of the LFI (lfi-api 5.3); whoever answers takes care of length and characters. */
function reasonOf({ code, description }: NonNullable<Verdict['data']>): string {
  const said = description?.trim() || 'the LFI does not accept this consent'
  return code === undefined || code.trim() === '' ? said : `${said} (${code.trim().slice(0, 100)})`
}
