/**
 * The consent of a file of payments is made known to the LFI before the TPP has its answer (lfi-api 3.9.3): the file
 * comes before the customer is asked, and only with the consent at hand can the LFI judge it when it comes.
 */
import type { TenantConfig } from '../config.ts'
import type { Consent } from '../consent-store/index.ts'
import type { Connector } from './connector.ts'
import type { Attempt } from './exchange.ts'
import { consentHeaders, PUSHED } from './headers.ts'
import { readError } from './lfi-errors.ts'
import type { Occasion, Review } from './review.ts'

export type FileConsents = {
  /** Whether the LFI is to know of it before it is stored. */
  concerns(draft: Consent): boolean
  announce(draft: Consent, occasion: Occasion): Promise<Review>
}

const ROUTE = '/payment-consents'
const AT = { operationId: 'createBulkBatchPaymentConsent', method: 'POST', route: ROUTE, target: ROUTE } as const
const UNAVAILABLE = 'the LFI could not be told of the consent for a file'

export function createFileConsents(deps: {
  readonly tenant: TenantConfig
  readonly connector: Connector
}): FileConsents {
  const { tenant, connector } = deps
  return {
    concerns: (draft) =>
      tenant.lfi.announceFileConsents !== false &&
      draft.type === 'service-initiation' &&
      draft.payment.control.kind === 'file',
    /** Once: it leaves something behind, and the TPP may push again. */
    async announce(draft, { interaction, gone }) {
      const headers = consentHeaders({ ...interaction, ...PUSHED, tenantId: tenant.id, consent: draft })
      const body = JSON.stringify({ consentId: draft.id, request: fileIn(draft) })
      const exchange = await connector.ask({ ...AT, headers, under: draft, trace: interaction.trace, body }, gone)
      const calls = [{ ...exchange, understood: true }]
      const why = refusalIn(exchange.attempt)
      return why === null ? { ok: true, added: {}, calls } : { ok: false, why, calls }
    },
  }
}

/** As the TPP wrote it: the form is the same on both sides, and was checked. */
function fileIn({ request }: Consent): unknown {
  const parameters = request.consent['ControlParameters'] as {
    readonly ConsentSchedule?: { readonly FilePayment?: unknown }
  }
  return parameters.ConsentSchedule?.FilePayment
}

/** To the TPP in the words of the LFI, where it has said no; null where it has not. */
function refusalIn(attempt: Attempt): string | null {
  if (attempt.outcome !== 'answered') return UNAVAILABLE
  const { status, body } = attempt
  if (status >= 200 && status <= 299) return null
  if (status !== 400 && status !== 403) return UNAVAILABLE
  const { code, message } = readError(body)
  const said = message === '' ? 'the LFI does not take this file' : message
  return code === '' ? said : `${said} (${code.slice(0, 100)})`
}
