/** Which group of interfaces the operations of a document count to in reports (tpp-api 9.2); null for none. */
import type { ApiSet } from '../measure.ts'
import type { DocumentId } from '../schema-registry.ts'

const API_SET_OF: Readonly<Record<DocumentId, ApiSet | null>> = {
  'account-information': 'BankDataSharing',
  atm: 'BankDataSharing',
  product: 'BankDataSharing',
  'bank-initiation': 'BankServiceInitation',
  'payment-consents': 'BankServiceInitation',
  'insurance-consents': 'InsuranceDataSharing',
  'confirmation-of-payee': 'BankServiceInitation',
  fx: 'BankServiceInitation',
  'account-opening': 'BankServiceInitation',
  onboarding: null,
  'audit-receipts': null,
  'tpp-reports': null,
  'data-sharing': null,
  'open-data': null,
  'products-data': null,
  'service-initiation': null,
  'fx-and-account-opening': null,
  'health-check': null,
  'consent-manager': null,
  'consent-events-actions': null,
  'headless-authorization': null,
  webhook: null,
}

/** All versions of a family count alike. */
export const apiSetOf = (route: { readonly document: DocumentId; readonly family?: DocumentId }): ApiSet | null =>
  API_SET_OF[route.family ?? route.document]
