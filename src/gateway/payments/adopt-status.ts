/** What the LFI says of a payment when it is asked about it, made the hub's own (lfi-api 3.9.2). */
import type { Caller } from '../../consent-store/index.ts'
import { HubError } from '../../errors.ts'
import type { CorrelationId } from '../../ids.ts'
import type { MadePayment, ResourceLog } from '../../resource-log/index.ts'
import type { SaidOfPayment } from './reply.ts'

/** The payment as it stands afterwards. What cannot follow from where it stands is not adopted: the log is right. */
export async function adoptStatus(
  known: MadePayment,
  said: SaidOfPayment,
  interactionId: CorrelationId | null,
  { resources }: { readonly resources: Pick<ResourceLog, 'patchPaymentByLfi'> },
): Promise<MadePayment> {
  const isNews = said.status !== known.status || said.paymentTransactionId !== known.paymentTransactionId
  if (!isNews || said.paymentId !== known.paymentId) return known
  const caller: Caller = {
    by: 'hub',
    organisationId: null,
    clientId: null,
    softwareStatementId: null,
    interactionId,
  }
  const { status, paymentTransactionId, rejectReasons } = said
  try {
    return await resources.patchPaymentByLfi(
      known.paymentId,
      { status, paymentTransactionId, rejectReasons, successfulTransactions: null },
      caller,
    )
  } catch (thrown) {
    if (thrown instanceof HubError && thrown.code === 'Event.UnexpectedEvent') return known
    throw thrown
  }
}
