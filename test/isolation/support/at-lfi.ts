/** The doors of an LFI and of its operator: every operation, by the names under which the hub itself knows them. */
import type { AdminOperation } from '../../../src/admin/operations.ts'
import type { HeadlessOperation } from '../../../src/auth-server/lfi-side.ts'
import type { OperationId } from '../../../src/consent-manager/routes.ts'
import type { Aim } from './aim.ts'
import { type Attempt, attemptsAt, type Doors, FORM_TYPE, get, NOTHING, send } from './attempt.ts'

const REVOKED = { revokedBy: 'LFI' }
const consent = ({ consentId }: Aim): string => `/consents/${consentId}`
const group = ({ consentId }: Aim): string => `/consent-groups/${consentId}/consents`

const CONSENT_MANAGER: Doors<OperationId> = {
  // Every consent of the LFI's own; which those are is asked for below, one by one.
  getAllConsents: NOTHING,
  getConsentsByConsentId: get(400, consent),
  getAuditConsentsByConsentId: get(400, (aim) => `${consent(aim)}/audit`),
  patchConsent: send('PATCH', 400, consent, { status: 'Suspended', authorizationChannel: 'App' }),
  revokeConsentsByConsentId: send('POST', 400, (aim) => `${consent(aim)}/action/revoke`, REVOKED),
  getConsentsInConsentGroup: get(200, group),
  revokeConsentsInConsentGroup: send('POST', 400, (aim) => `${group(aim)}/action/revoke`, REVOKED),
  getConsents: get(200, ({ userId }) => `/psu/${userId}/consents`),
  getAccountIdConsents: get(200, ({ accountId }) => `/accounts/${accountId}/consents`),
  getAuditConsentsByConsentIdw: get(200, ({ paymentConsentId }) => `/payment-log?consentId=${paymentConsentId}`),
  patchPymentlog: send('PATCH', 400, ({ paymentId }) => `/payment-log/${paymentId}`, {
    'paymentResponse.status': 'Rejected',
  }),
  UpdateAccountOpeningLog: send('PATCH', 400, ({ openingId }) => `/account-opening-log/${openingId}`, {
    OpeningStatus: 'Rejected',
  }),
  UpdateFxQuoteLog: send('PATCH', 400, ({ fxQuoteId }) => `/fx-quote-log/${fxQuoteId}`, { QuoteStatus: 'Rejected' }),
  UpdateInsuranceQuoteLog: send('PATCH', 400, ({ insuranceQuoteId }) => `/insurance-quote-log/${insuranceQuoteId}`, {
    QuoteStatus: 'Rejected',
  }),
  GetAuditReceipts: get(404, ({ callId }) => `/audit/receipts/${callId}`),
  helloMtls: NOTHING,
}

const headless = (verb: string) =>
  ({
    method: 'POST',
    absent: 404,
    path: ({ interactionId }: Aim) => `/auth/${interactionId}/${verb}`,
    headers: FORM_TYPE,
  }) as const
/** @param clientId of the victim: what a browser brings is known to whoever has the browser */
const HEADLESS = (clientId: () => string): Doors<HeadlessOperation> => ({
  getAuth: get(400, ({ requestUri }) => {
    return `/auth?${new URLSearchParams({ client_id: clientId(), request_uri: requestUri })}`
  }),
  doConfirm: headless('doConfirm'),
  doFail: headless('doFail'),
  helloMtls: NOTHING,
})

const ADMIN: Doors<AdminOperation> = {
  showConsent: [get(404, consent), get(404, (aim) => `${consent(aim)}?at=2026-03-01T00:00:00Z`)],
  showConsentHistory: get(404, (aim) => `${consent(aim)}/history`),
  listPayments: get(200, ({ paymentConsentId }) => `/payments?consentId=${paymentConsentId}`),
  showPayments: [
    get(404, ({ paymentId }) => `/payments/${paymentId}`),
    get(404, ({ idempotencyKey }) => `/payments/${idempotencyKey}`),
  ],
  redeliverWebhook: send('POST', 404, ({ noticeId }) => `/webhooks/${noticeId}/redelivery`, {}),
  GetAuditReceipts: get(404, ({ callId }) => `/audit/receipts/${callId}`),
  explainRefusal: get(404, ({ refusalId }) => `/refusals/${refusalId}`),
  listClients: NOTHING,
  setStatus: NOTHING,
  listWebhooks: NOTHING,
  checkLfi: NOTHING,
  listDeviations: NOTHING,
  clearDeviations: NOTHING,
  readLfiAvailability: NOTHING,
  readDailyFigures: NOTHING,
  readHourlyFigures: NOTHING,
  readConsentFigures: NOTHING,
  readPaymentFigures: NOTHING,
  readBillingFigures: NOTHING,
  readVersionFigures: NOTHING,
  readTimes: NOTHING,
  readRawLog: NOTHING,
  readRawLogFields: NOTHING,
  listOutages: NOTHING,
  declareOutage: NOTHING,
  endOutage: NOTHING,
}

export const atLfi = (clientId: () => string): readonly Attempt[] => [
  ...attemptsAt('hh', HEADLESS(clientId)),
  ...attemptsAt('cm', CONSENT_MANAGER),
  ...attemptsAt('admin', ADMIN),
]
