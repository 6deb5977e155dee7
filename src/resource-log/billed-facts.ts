/** What every audit entry of a payment says of it beside its change: what reports count by (lfi-api 7.7). Pure. */
import type { BilledFacts } from '../audit/index.ts'
import type { ControlParameters, LockedConsent } from '../consent-store/index.ts'
import { billingOf } from '../measure.ts'
import { isMadeForGood, type Payment } from './payment.ts'

/** @param before the payment before the change; null: this is the first that is known of it */
export function billedFactsOf(before: Payment | null, payment: Payment, consent: LockedConsent | null): BilledFacts {
  return {
    organisationId: payment.organisationId,
    ...billingOf(payment.requestBody),
    paymentConsentType: consent?.type === 'service-initiation' ? typeOf(consent.payment.control) : null,
    successfulTransactions: successful(payment) - (before === null ? 0 : successful(before)),
  }
}

/** By the names of the contract (tpp-api 2.7.1). */
function typeOf(control: ControlParameters): string {
  switch (control.kind) {
    case 'delegated':
      return 'DelegatedAuthentication'
    case 'single':
      return control.single.type
    case 'multi':
      return control.multi.schedule.type
    case 'combined':
      return `${control.single.type}+${control.multi.schedule.type}`
    case 'file':
      return 'FilePayment'
  }
}

/** A payment is one transaction; of a file the LFI says how many of it have succeeded. */
function successful(payment: Payment): number {
  if (payment.state !== 'made') return 0
  if (payment.paymentType !== 'cbuae-file-payment') return isMadeForGood(payment.status) ? 1 : 0
  const counted = payment.billing?.['NumberOfSuccessfulTransactions']
  return typeof counted === 'number' ? counted : 0
}
