/**
 * Calls to one LFI. A room of its own, because whoever follows a TPP's request may have to ask the LFI: the gateway for
 * data, the authorization server for its say about a new consent, the worker to tell it of a change.
 */

export { connectionsOf, longestAttemptOf, timeoutOf } from './budget.ts'
export { type Connector, createConnector, type Exchange, type LfiCall, type LfiReply } from './connector.ts'
export { type ConsentActions, createConsentActions } from './consent-actions.ts'
export { createTryEndpoint, type Trial, type TryEndpoint } from './endpoint-trial.ts'
export type { Answered, Attempt } from './exchange.ts'
export { consentHeaders, lfiHeaders, lfiServiceHeaders, type ServiceHeader } from './headers.ts'
export { LFI_CODES, toTppError } from './lfi-errors.ts'
export { lfiPart } from './part.ts'
export type { Augmentation, Review, ReviewCall } from './review.ts'
