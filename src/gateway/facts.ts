/** Everything that a request path can know. A stage names the facts it needs and the facts it adds. */
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http'
import type { Instant } from '../clock.ts'
import type { Asked, PaymentConsent, Usable } from '../consent-store/index.ts'
import type { HubError } from '../errors.ts'
import type { AccountId, CorrelationId } from '../ids.ts'
import type { Exchange, LfiReply } from '../lfi/index.ts'
import type { Log } from '../log.ts'
import type { Client } from '../participants/index.ts'
import type { OpenPayment, Payment, Recorded, ServiceRequest } from '../resource-log/index.ts'
import type { PeerCertificate } from '../tls.ts'
import type { Trace } from '../trace.ts'
import type { BodyType, Offer } from './accept.ts'
import type { AccessToken, UserToken } from './access-token.ts'
import type { PaymentReply } from './payments/reply.ts'
import type { Period } from './period.ts'
import type {
  ConsentListRoute,
  ConsentRoute,
  PaidRoute,
  PaymentConsentRoute,
  PayRoute,
  ReadRoute,
  Route,
  ServiceRoute,
} from './routes.ts'
import type { Translation } from './transform/index.ts'

/** The request as it came in, and what the listener worked out about it. */
export type Arrival = {
  readonly method: string
  /** Still percent-encoded. */
  readonly path: string
  /** Without the question mark. */
  readonly search: string
  readonly headers: IncomingHttpHeaders
  readonly request: IncomingMessage
  readonly peer: PeerCertificate | null
  readonly address: string
  readonly correlationId: CorrelationId
  readonly correlationGiven: boolean
  readonly correlationMalformed: boolean
  readonly receivedAt: Instant
  /** Aborted when the caller has gone before its answer. */
  readonly gone: AbortSignal
  readonly trace: Trace
  readonly log: Log
}

export type Facts = {
  readonly arrival: Arrival
  readonly route: Route
  /** The same row again, on paths that ask the LFI. */
  readonly read: ReadRoute
  /** And on paths that ask it for a client. */
  readonly service: ServiceRoute
  /** The same row again, on paths that make payments. */
  readonly pay: PayRoute
  /** The same row again, on paths about payments that were made. */
  readonly paid: PaidRoute
  /** And on paths that look at the client's own consents. */
  readonly consentRoute: ConsentRoute
  /** And on paths that ask the LFI about one of them. */
  readonly askingRoute: PaymentConsentRoute
  readonly listRoute: ConsentListRoute
  readonly pathValues: Readonly<Record<string, string>>
  readonly offer: Offer
  readonly bodyType: BodyType
  readonly token: AccessToken
  /** The same token again, once it is known to be a user's. */
  readonly userToken: UserToken
  readonly client: Client
  /** The certificate of a caller that has nothing else to show. */
  readonly peer: PeerCertificate
  /** The certificate beside a token; null where the client need not show it and did not. */
  readonly shown: PeerCertificate | null
  readonly query: Readonly<Record<string, string>>
  readonly body: unknown
  /** The body as it was signed; null where it came in plain. */
  readonly signedBody: string | null
  readonly file: { readonly bytes: Buffer; readonly contentType: string }
  readonly idempotencyKey: string
  readonly consent: Usable
  /** The quote or opening that the path names. */
  readonly requested: ServiceRequest
  /** The bank's part of the account number that is asked about. */
  readonly bankCode: string
  /** A consent of the client, in whatever state. */
  readonly owned: PaymentConsent
  /** What is to be paid. */
  readonly asked: Asked
  /** What the key was used for before; null where it is new. */
  readonly first: Payment | null
  /** What there is under the key now: recorded for this request, or for the first one. */
  readonly reserved: Exclude<Recorded, { readonly outcome: 'other-consent' }>
  /** On record, before the LFI is asked. */
  readonly payment: OpenPayment
  /** What the LFI has made of it, in the TPP's form, or what the TPP is told instead. */
  readonly verdict: PaymentReply | HubError
  /** One that is asked about. */
  readonly entry: Payment
  /** Null on operations over all accounts of the consent. */
  readonly accountId: AccountId | null
  readonly period: Period
  readonly exchange: Exchange
  readonly reply: LfiReply
  readonly translation: Translation
}
export type FactName = keyof Facts
