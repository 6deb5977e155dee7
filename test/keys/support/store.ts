/** A tenant with a key store on a database of its own: no listeners, a clock moved by hand. */
import { generateKeyPairSync, randomBytes } from 'node:crypto'
import { type Audit, createAudit } from '../../../src/audit/index.ts'
import { type Clock, type Seconds, systemClock } from '../../../src/clock.ts'
import type { Config, TenantConfig } from '../../../src/config.ts'
import type { TenantId } from '../../../src/ids.ts'
import type { SigningKey } from '../../../src/jose.ts'
import { loadKey } from '../../../src/jose.ts'
import { createKeyOperations, createKeyRing, type KeyOperations, type KeyRing } from '../../../src/keys/index.ts'
import { createLog, type Log } from '../../../src/log.ts'
import { Secret } from '../../../src/secret.ts'
import { pem } from '../../support/config-files.ts'
import { createTestDatabase, type TestDatabase } from '../../support/postgres.ts'

export const AHEAD_SECONDS = 1200
export const newEncryptionKey = (): Secret<Buffer> => new Secret(randomBytes(32))
export const newRsaKey = (kid: string): SigningKey => loadKey(newKeyFile(kid))
export const newKeyFile = (kid: string) => ({
  kid,
  key: new Secret(pem(generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey)),
})

export type TenantKeys = Partial<Pick<TenantConfig['keys'], 'signing' | 'encryption'>> & {
  readonly encryptionKeys?: readonly [Secret<Buffer>, ...Secret<Buffer>[]]
  readonly id?: string
}
/** What the room needs to know of a tenant. */
export const tenantWith = (keys: TenantKeys, encryptionKey: Secret<Buffer>): TenantConfig =>
  ({
    id: (keys.id ?? 'aurora') as TenantId,
    keys: {
      signing: keys.signing ?? [],
      encryption: keys.encryption ?? [],
      store: { encryptionKeys: keys.encryptionKeys ?? [encryptionKey], publishAheadSeconds: AHEAD_SECONDS as Seconds },
    },
  }) as unknown as TenantConfig

export type StoreRig = {
  readonly database: TestDatabase
  readonly log: Log
  readonly encryptionKey: Secret<Buffer>
  operations(keys?: TenantKeys, environment?: Config['environment']): KeyOperations
  ring(keys?: TenantKeys, rereadMs?: number): Promise<KeyRing>
  /** Empty again, for the next test. */
  clear(): Promise<void>
  /** The acts of the audit log, oldest first: what, and to which key. */
  acts(): Promise<readonly string[]>
  close(): Promise<void>
}

/** Longer than any test, so that only what the test asks for is read. */
const NEVER_MS = 3_600_000

export async function startStore(clock: Clock): Promise<StoreRig> {
  const database = await createTestDatabase()
  const { db } = database
  const log = createLog({ level: 'silent', name: 'test' })
  const encryptionKey = newEncryptionKey()
  const audit: Audit = createAudit({ db, tenantId: 'aurora' as TenantId, clock: systemClock, log })
  const rings: KeyRing[] = []
  return {
    database,
    log,
    encryptionKey,
    operations: (keys = {}, environment = 'sandbox') =>
      createKeyOperations({ db, tenant: tenantWith(keys, encryptionKey), environment, audit, clock, actor: 'test' }),
    ring: async (keys = {}, rereadMs = NEVER_MS) => {
      const ring = await createKeyRing({ db, tenant: tenantWith(keys, encryptionKey), clock, log, rereadMs })
      rings.push(ring)
      return ring
    },
    clear: async () => {
      await db('tenant_key').delete()
    },
    acts: async () => {
      const { rows } = (await db.raw('select bytes from audit_entry order by id')) as { rows: { bytes: Buffer }[] }
      return rows.map(({ bytes }) => {
        const { act, target } = JSON.parse(bytes.toString('utf8')) as { readonly act: string; readonly target: string }
        return `${act}: ${target}`
      })
    },
    close: async () => {
      for (const ring of rings) await ring.close()
      await audit.close()
      await database.close()
    },
  }
}
