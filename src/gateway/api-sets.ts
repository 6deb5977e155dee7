/** Which group of interfaces the operations of a document count to in reports (tpp-api 9.2); null for none. */
import type { ApiSet } from '../measure.ts'
import type { DocumentId } from '../schema-registry.ts'

export const API_SET_OF: Readonly<Record<DocumentId, ApiSet | null>> = {
  'account-information': 'BankDataSharing',
  'bank-initiation': 'BankServiceInitation',
  'payment-consents': 'BankServiceInitation',
  'insurance-consents': 'InsuranceDataSharing',
  onboarding: null,
  'audit-receipts': null,
  'tpp-reports': null,
  'data-sharing': null,
  'service-initiation': null,
  'health-check': null,
  'consent-manager': null,
  'consent-events-actions': null,
  'headless-authorization': null,
  webhook: null,
}
