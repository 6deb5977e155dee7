/** Every room's migrations, in the order in which an empty database needs them. */
import { migrations as archive } from './archive/index.ts'
import { migrations as audit } from './audit/index.ts'
import { migrations as authServer } from './auth-server/index.ts'
import { migrations as consentStore } from './consent-store/index.ts'
import type { Migration } from './db.ts'
import { migrations as deviations } from './deviations/index.ts'
import { migrations as endpoints } from './endpoints/index.ts'
import { migrations as keys } from './keys/index.ts'
import { migrations as notices } from './notices/index.ts'
import { migrations as participants } from './participants/index.ts'
import { migrations as portal } from './portal/index.ts'
import { migrations as reports } from './reports/index.ts'
import { migrations as resourceLog } from './resource-log/index.ts'

export const migrations: readonly Migration[] = [
  ...audit,
  ...consentStore,
  ...participants,
  ...authServer,
  ...keys,
  ...notices,
  ...reports,
  ...resourceLog,
  ...deviations,
  ...endpoints,
  ...portal,
  ...archive,
]
