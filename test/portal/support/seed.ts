/** What the bank's people look at: a TPP that has registered, and consents of each kind. */
import { iso, plus, toMilliseconds } from '../../../src/clock.ts'
import { createConsentStore } from '../../../src/consent-store/index.ts'
import { inTransaction } from '../../../src/db.ts'
import type { ClientId, ConsentId } from '../../../src/ids.ts'
import { newCorrelationId } from '../../../src/ids.ts'
import { createLog } from '../../../src/log.ts'
import { createParticipants } from '../../../src/participants/index.ts'
import { peerWith } from '../../support/trust-framework.ts'
import { AUTHORIZE, LFI, lodgeAsk, newConsentId, TPP } from '../../unit/consent-store/support.ts'
import type { PortalWorld } from './world.ts'

const HOUR = toMilliseconds(3_600_000)
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
    const ask = lodgeAsk(id, { clientId, members, authorizeBy: plus(clock.now(), HOUR) })
    await inTransaction(db, (tx) => consents.lodge(tx, ask, TPP))
  }
  await consents.patchByLfi(authorized, AUTHORIZE, LFI)
  return { clientId, authorized, awaiting }
}
