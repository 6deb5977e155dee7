/** What the stages work with: one of each per tenant, made once. */
import type { Audit, ReceiptOffice } from '../audit/index.ts'
import type { Clock } from '../clock.ts'
import type { TenantConfig } from '../config.ts'
import type { ConsentStore } from '../consent-store/index.ts'
import type { Db } from '../db.ts'
import type { Deviations } from '../deviations/index.ts'
import type { Dpop } from '../dpop.ts'
import type { KeyRing } from '../keys/index.ts'
import type { Connector } from '../lfi/index.ts'
import type { Log } from '../log.ts'
import type { Participants } from '../participants/index.ts'
import type { RateLimit } from '../rate-limit.ts'
import type { Endpoint, Reports } from '../reports/index.ts'
import type { ResourceLog } from '../resource-log/index.ts'
import type { SchemaRegistry } from '../schema-registry.ts'
import type { AccessTokens } from './access-token.ts'
import type { PaymentLinks } from './payments/links.ts'
import type { Refunds } from './payments/refunds.ts'
import type { PaymentReplies } from './payments/reply.ts'
import type { RouteTable } from './route-table.ts'
import type { Translator } from './transform/index.ts'
import type { ServiceTranslator } from './transform/service-translation.ts'

/** Where an LFI is asked about its accounts (tpp-api 5.4). */
export type PayeeSource = { readonly issuer: string; readonly resourceServer: string }

export type Services = {
  readonly db: Db
  readonly deviations: Deviations
  /** By bank code, of every LFI that this deployment knows. */
  readonly payees: ReadonlyMap<string, PayeeSource>
  readonly serviceTranslator: ServiceTranslator
  readonly tenant: TenantConfig
  readonly consents: ConsentStore
  readonly resources: ResourceLog
  readonly participants: Participants
  readonly audit: Audit
  readonly receipts: ReceiptOffice
  readonly registry: SchemaRegistry
  readonly keys: KeyRing
  readonly clock: Clock
  readonly log: Log
  readonly routes: RouteTable
  readonly rateLimit: RateLimit
  readonly accessTokens: AccessTokens
  /** Null where no client uses DPoP. */
  readonly dpop: Dpop | null
  readonly connector: Connector
  readonly translator: Translator
  readonly reports: Reports
  /** Operations that are reported on, with the scope that opens them. */
  readonly endpoints: readonly (Endpoint & { readonly scope: string })[]
  readonly paymentReplies: PaymentReplies
  readonly paymentLinks: PaymentLinks
  readonly refunds: Refunds
}
