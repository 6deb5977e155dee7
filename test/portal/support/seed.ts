/** What the bank's people look at: a TPP that has registered, and consents of each kind. */

import { auditLogOf, createSealer } from '../../../src/audit/index.ts'
import { iso, plus, toMilliseconds } from '../../../src/clock.ts'
import { createConsentStore } from '../../../src/consent-store/index.ts'
import { inTransaction, query } from '../../../src/db.ts'
import type { ClientId, ConsentId } from '../../../src/ids.ts'
import { newCorrelationId } from '../../../src/ids.ts'
import { createLog } from '../../../src/log.ts'
import { createParticipants } from '../../../src/participants/index.ts'
import { createReports } from '../../../src/reports/index.ts'
import { peerWith } from '../../support/trust-framework.ts'
import { ENTRIES } from '../../unit/audit/entries.ts'
import { AUTHORIZE, LFI, lodgeAsk, newConsentId, TPP } from '../../unit/consent-store/support.ts'
import type { PortalWorld } from './world.ts'

/** Longer than any test moves its clock. */
const DAY = toMilliseconds(24 * 3_600_000)
const MONTH = toMilliseconds(30 * 24 * 3_600_000)

export type Seeded = { readonly clientId: ClientId; readonly authorized: ConsentId; readonly awaiting: ConsentId }

export async function seed({
  database: { db },
  tenant,
  config,
  audit,
  clock,
  framework,
}: PortalWorld): Promise<Seeded> {
  const log = createLog({ level: 'silent', name: 'seed' })
  const deps = { db, tenant, trustFramework: config.trustFramework, audit, clock, log }
  const participants = createParticipants(deps)
  const { primary } = framework.enrolment.tpp
  await participants.register(peerWith(primary.transport), newCorrelationId())
  await participants.close()
  const consents = createConsentStore({ db, tenantId: tenant.id, clock, audit })
  const [authorized, awaiting] = [newConsentId(), newConsentId()]
  const clientId = primary.clientId as ClientId
  const members = { ExpirationDateTime: iso(plus(clock.now(), MONTH)) }
  for (const id of [authorized, awaiting]) {
    const ask = lodgeAsk(id, { clientId, members, authorizeBy: plus(clock.now(), DAY) })
    await inTransaction(db, (tx) => consents.lodge(tx, ask, TPP))
  }
  await consents.patchByLfi(authorized, AUTHORIZE, LFI)
  return { clientId, authorized, awaiting }
}

/** `calls` of one operation, of which some were slow and some failed; counted as the reports count them. */
export async function seedTraffic(world: PortalWorld, calls: number): Promise<void> {
  const { audit, tenant, clock, database } = world
  const { db } = database
  const log = createLog({ level: 'silent', name: 'seed' })
  const call = (at: number) => {
    const isSlow = at % 10 === 0
    const lfiMs = isSlow ? 700 : 40 + at
    return {
      ...ENTRIES['tpp-call'],
      at: clock.now(),
      interactionId: newCorrelationId(),
      tenantId: tenant.id,
      route: '/open-finance/account-information/v2.1/accounts',
      status: at % 20 === 0 ? 500 : 200,
      hubMs: 4,
      hubInMs: 3,
      hubOutMs: 1,
      lfiMs,
    }
  }
  await audit.record(...Array.from({ length: calls }, (_, at) => call(at)))
  const sealer = createSealer({ ...auditLogOf(tenant), db, clock, log })
  const reports = createReports({ db, tenant, audit, clock })
  while ((await reports.behind()) > 0 || (await pending(db)) > 0) {
    await sealer.sealNow()
    await reports.advance()
  }
}

async function pending(db: PortalWorld['database']['db']): Promise<number> {
  const { rows } = await query<{ count: string }>(db, 'select count(*) as count from audit_pending')
  return Number(rows[0]?.count)
}
