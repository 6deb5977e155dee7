/**
 * From a row to a key that works. Each source of private halves is one entry of the table: a further one, such as a
 * module that never gives the private half away, begins here.
 */
import type { TenantConfig } from '../config.ts'
import { loadKey, publicJwk, type SigningKey, toSigningKey } from '../jose.ts'
import type { KeyUse } from './key.ts'
import type { KeyRow, KeySource } from './store.ts'
import { type EncryptionKey, unwrap } from './wrap.ts'

export type OpenDeps = {
  readonly tenant: TenantConfig
  /** The first wraps; the others were used before it. */
  readonly encryptionKeys: readonly EncryptionKey[]
}

type Opener = (row: KeyRow, deps: OpenDeps) => SigningKey

const OPENERS: Readonly<Record<KeySource, Opener>> = {
  stored: (row, { tenant, encryptionKeys }) => {
    if (row.wrapped === null) throw new Error(`the private half of key ${row.kid} was destroyed`)
    const name = { tenantId: tenant.id, use: row.use, kid: row.kid }
    return toSigningKey(row.kid, unwrap(row.wrapped, name, encryptionKeys))
  },
  // The row only says which key: a path from the database would let whoever writes there choose our keys.
  file: (row, { tenant }) => {
    const configured = configuredKeys(tenant, row.use).find(({ kid }) => kid === row.kid)
    if (configured === undefined)
      throw new Error(`key ${row.kid} is kept in a file that the configuration does not name`)
    return loadKey(configured)
  },
}

export const configuredKeys = (tenant: TenantConfig, use: KeyUse) =>
  use === 'sig' ? tenant.keys.signing : tenant.keys.encryption

/** @throws Error when the private half cannot be had, or is not the one that the row was made with. */
export function openKey(row: KeyRow, deps: OpenDeps): SigningKey {
  const key = OPENERS[row.source](row, deps)
  // What is published comes from the private half; a public half that somebody wrote beside it is never believed.
  const { n, e } = publicJwk(key, row.use)
  if (n !== row.publicJwk.n || e !== row.publicJwk.e) {
    throw new Error(`the public half of key ${row.kid} is not that of its private half`)
  }
  return key
}
