/**
 * `node test/bench/consents-sweep.ts <database url>`: the worker of the consents benchmark. A process of its own, as a
 * deployment has it: it sweeps as the worker's timer does until nothing is due, and prints how many it wrote down.
 */
import { createAudit } from '../../src/audit/index.ts'
import { systemClock } from '../../src/clock.ts'
import { createConsentStore } from '../../src/consent-store/index.ts'
import { openDatabase } from '../../src/db.ts'
import type { TenantId } from '../../src/ids.ts'
import { createLog } from '../../src/log.ts'
import { Secret } from '../../src/secret.ts'

const SWEEP_BATCH = 500

const url = new Secret(String(process.argv[2]))
const db = openDatabase({ url, poolMax: 2, applicationName: 'bench-sweep' })
const tenantId = 'aurora' as TenantId
const audit = createAudit({ db, tenantId, clock: systemClock, log: createLog({ level: 'silent', name: 'bench' }) })
const store = createConsentStore({ db, tenantId, clock: systemClock, audit })
let ended = 0
for (let moved = 1; moved > 0; ended += moved) moved = await store.sweep(SWEEP_BATCH)
await audit.close()
await db.destroy()
console.log(ended)
