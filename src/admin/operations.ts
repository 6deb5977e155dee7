/**
 * What there is at the operator's door besides what machines read. Whoever answers a call says which of these it is: the
 * audit entry and the figures name it so, and what is answered without a name is a fault of ours.
 */
export const ADMIN_OPERATIONS = [
  'listClients',
  'setStatus',
  'showConsent',
  'showConsentHistory',
  'listPayments',
  'showPayments',
  'listWebhooks',
  'redeliverWebhook',
  'checkLfi',
  'listDeviations',
  'clearDeviations',
  'GetAuditReceipts',
  'readLfiAvailability',
  'readDailyFigures',
  'readHourlyFigures',
  'readConsentFigures',
  'readPaymentFigures',
  'readBillingFigures',
  'readVersionFigures',
  'readTimes',
  'readRawLog',
  'readRawLogFields',
  'explainRefusal',
  'listOutages',
  'declareOutage',
  'endOutage',
] as const
export type AdminOperation = (typeof ADMIN_OPERATIONS)[number]

/** What a call turned out to be, for its record; filled in as it goes. */
export type Called = { operationId: AdminOperation | null; route: string | null }

export function name(called: Called, operationId: AdminOperation, route: string): void {
  called.operationId = operationId
  called.route = route
}
