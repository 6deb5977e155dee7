/**
 * What the LFI has to say about a consent, before it is stored (validate, augment) and after each change (events):
 * lfi-api 5.2. Each is asked only where the tenant's configuration says so, for the types of consent that it names.
 */
import type { Milliseconds } from '../clock.ts'
import type { ConsentActionsConfig, TenantConfig } from '../config.ts'
import { type Consent, type ConsentType, lfiRecord } from '../consent-store/index.ts'
import type { LfiOperation } from '../lfi-operations.ts'
import type { Check, SchemaRegistry } from '../schema-registry.ts'
import { createSealedTokens } from '../sealed-token.ts'
import { isStorable } from '../storable.ts'
import type { Connector, Exchange } from './connector.ts'
import type { Attempt } from './exchange.ts'
import { createFileConsents } from './file-consent.ts'
import { consentHeaders, PUSHED } from './headers.ts'
import type { Augmentation, Interaction, Occasion, Review, ReviewCall } from './review.ts'

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

const UNAVAILABLE = 'consent validation unavailable'

export function createConsentActions(deps: {
  readonly tenant: TenantConfig
  readonly connector: Connector
  readonly registry: SchemaRegistry
}): ConsentActions {
  const { tenant, connector, registry } = deps
  const tokens = createSealedTokens(tenant)
  const fileConsents = createFileConsents(deps)
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
        trace: interaction.trace,
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
      const steps = [
        config?.validate.includes(draft.type) && (() => validate(draft, occasion, config)),
        config?.augment.includes(draft.type) && (() => augment(draft, occasion, config)),
        // It leaves something behind at the LFI, and so comes when nothing else can say no.
        fileConsents.concerns(draft) && (() => fileConsents.announce(draft, occasion)),
      ]
      let review: Review = { ok: true, added: {}, calls: [] }
      for (const step of steps) {
        if (step === false || step === undefined) continue
        const next = await step()
        const calls: readonly ReviewCall[] = [...review.calls, ...next.calls]
        if (!next.ok) return { ...next, calls }
        review = { ok: true, added: { ...review.added, ...next.added }, calls }
      }
      return review
    },
    heard: config?.events ?? [],
    eventTimeoutMs,
    tell: (event, consent, interaction) =>
      ask({ ...EVENT, target: `/consent/event/${event}` }, consent, { interaction, gone: null }, eventTimeoutMs),
  }
}

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
