/** A consent ended on the bank's behalf: the operator may end one, and do nothing else to it (tpp-api 4.2). */
import type { RevokedBy } from '../../consent-store/index.ts'
import { HubError } from '../../errors.ts'
import { type ConsentId, toConsentId } from '../../ids.ts'
import type { Verb } from './verb.ts'

/** Who wanted it: the bank for reasons of its own, or its customer, who came to the bank. */
export const REVOKERS = ['LFI', 'LFI.InitiatedByUser'] as const satisfies readonly RevokedBy[]

export const revokeConsent: Verb<'id' | 'revokedBy'> = {
  fields: ['id', 'revokedBy'],
  people: 'one',
  target: ({ id }) => id,
  look: async ({ consents }, { id }) => {
    const known = toConsentId(id)
    const found = known === null ? null : await consents.find(known)
    return found === null ? null : `${found.status}, revision ${found.revision}`
  },
  run: async ({ consents, tenant }, { id, revokedBy }, { interactionId }) => {
    const reason = REVOKERS.find((each) => each === revokedBy)
    if (reason === undefined) {
      throw new HubError('Body.InvalidFormat', { path: 'revokedBy', reason: 'say who wants the consent to end' })
    }
    await consents.revoke(
      idOf(id),
      { revokedBy: reason },
      {
        by: 'operator',
        organisationId: tenant.organisationId,
        clientId: null,
        softwareStatementId: null,
        interactionId,
      },
    )
  },
}

function idOf(text: string): ConsentId {
  const id = toConsentId(text)
  if (id === null) throw new HubError('NotFound', { reason: 'There is no such consent' })
  return id
}
