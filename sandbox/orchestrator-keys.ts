/** The keys of a hub in its own store, where people may rotate them: taken over from the files that enrolment made. */
import { createAudit } from '../src/audit/index.ts'
import { systemClock } from '../src/clock.ts'
import { loadConfig } from '../src/config.ts'
import { migrate, openDatabase } from '../src/db.ts'
import { createKeyOperations, KEY_USES } from '../src/keys/index.ts'
import { createLog } from '../src/log.ts'
import { migrations } from '../src/migrations.ts'

/** Before the hub starts; what is there already stays as it is. */
export async function storeKeys(deploymentFile: string): Promise<void> {
  const { environment, tenants } = loadConfig(deploymentFile)
  const [clock, log] = [systemClock, createLog({ level: 'silent', name: 'sandbox' })]
  for (const tenant of tenants) {
    const db = openDatabase({ url: tenant.databaseUrl, poolMax: 2, applicationName: 'falaj-sandbox' })
    const audit = createAudit({ db, tenantId: tenant.id, clock, log })
    try {
      await migrate(db, migrations)
      const operations = createKeyOperations({ db, tenant, environment, audit, clock, actor: 'sandbox' })
      const known = await operations.list()
      for (const use of KEY_USES) {
        if (known.every((key) => key.use !== use)) await operations.adopt(use, 'stored')
      }
    } finally {
      await audit.close()
      await db.destroy()
    }
  }
}
