/** A TPP as the author of a change, for audit and history. */
import type { Caller } from '../consent-store/index.ts'
import type { Facts } from './facts.ts'

export const callerOf = ({ arrival, client }: Pick<Facts, 'arrival' | 'client'>): Caller => ({
  by: 'tpp',
  organisationId: client.organisationId,
  clientId: client.clientId,
  softwareStatementId: client.softwareStatementId,
  interactionId: arrival.correlationId,
})
