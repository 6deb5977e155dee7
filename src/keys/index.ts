/** The keys of a tenant: what signs and decrypts now, what is published, and how one key follows another. */

export { KEY_USES, type KeyState, type KeyUse } from './key.ts'
export { createKeyOperations, type KeyOperations, type ListedKey, type Rotation } from './operations.ts'
export { createKeyRing, fixedKeyRing, type KeyRing } from './ring.ts'
export type { KeySnapshot } from './snapshot.ts'

import type { Migration } from '../db.ts'
import { keys } from './migrations/0040-keys.ts'

export const migrations: readonly Migration[] = [keys]
