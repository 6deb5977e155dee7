/** What pages and acts of the portal work with: the rooms of the hub, and the portal's own sessions and proposals. */
import type { Audit, ReceiptOffice } from '../audit/index.ts'
import type { KnownCertificate } from '../certificates.ts'
import type { Clock } from '../clock.ts'
import type { Config, PortalConfig, TenantConfig } from '../config.ts'
import type { ConsentStore } from '../consent-store/index.ts'
import type { Db } from '../db.ts'
import type { Deviations } from '../deviations/index.ts'
import type { Endpoints } from '../endpoints/index.ts'
import type { Connector, TryEndpoint } from '../lfi/index.ts'
import type { Log } from '../log.ts'
import type { Levels } from '../metrics.ts'
import type { NoticeDesk } from '../notices/index.ts'
import type { Participants } from '../participants/index.ts'
import type { Reports } from '../reports/index.ts'
import type { Proposals } from './acts/proposals.ts'
import type { Probes } from './probes.ts'
import type { Sessions } from './sessions.ts'
import type { Verification } from './verification.ts'

/** From the hub. */
export type PortalDeps = {
  readonly tenant: TenantConfig
  readonly portal: PortalConfig
  readonly origin: string
  readonly environment: Config['environment']
  readonly db: Db
  readonly audit: Audit
  readonly receipts: ReceiptOffice
  readonly participants: Participants
  readonly consents: ConsentStore
  readonly reports: Reports
  readonly desk: NoticeDesk
  readonly connector: Pick<Connector, 'hello' | 'standing'>
  readonly endpoints: Endpoints
  readonly tryEndpoint: TryEndpoint
  readonly deviations: Deviations
  readonly certificates: readonly KnownCertificate[]
  /** How full the queues are. */
  readonly levels: Levels
  readonly clock: Clock
  readonly log: Log
}

/** What acts work with, whoever asks for them: somebody at a page, or the command line, which needs no portal. */
export type ActRooms = Omit<Rooms, 'portal' | 'origin' | 'receipts'>

export type Rooms = PortalDeps & {
  readonly sessions: Sessions
  readonly proposals: Proposals
  readonly verification: Verification
  readonly probes: Probes
}
