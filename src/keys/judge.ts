/** Whether an act on the keys can be done as they stand. Asked by the act itself, and by whoever wants to know before. */
import { type Instant, iso } from '../clock.ts'
import type { KeyStoreConfig, TenantConfig } from '../config.ts'
import { OperatorError } from '../errors.ts'
import { type KeyState, type KeyUse, stateOf } from './key.ts'
import { configuredKeys } from './open.ts'
import type { KeyRow } from './store.ts'

export type Standing = { readonly tenant: TenantConfig; readonly rows: readonly KeyRow[]; readonly now: Instant }

/** @throws OperatorError where the keys are files */
export function storeOf(tenant: TenantConfig): KeyStoreConfig {
  if (tenant.keys.store !== null) return tenant.keys.store
  throw new OperatorError(
    `the keys of tenant ${tenant.id} are files of its configuration and change there; with keys.source stored they are kept here`,
  )
}

/**
 * `isCalm`: a new key, published ahead of its time; in a hurry one that is next already may be brought forward.
 * @throws OperatorError
 */
export function judgeRotation(
  { tenant, rows, now }: Standing,
  { use, kid, isCalm }: { readonly use: KeyUse; readonly kid: string | null; readonly isCalm: boolean },
): { readonly next: KeyRow | undefined; readonly active: KeyRow | undefined } {
  const mine = rows.filter((row) => row.use === use)
  const next = mine.find(({ times }) => stateOf(times, now) === 'next')
  const active = mine.find(({ times }) => stateOf(times, now) === 'active')
  if (active === undefined && kid === null && configuredKeys(tenant, use).length > 0) {
    throw new OperatorError(`the configuration has keys that may have signed: \`falaj keys import --use ${use}\` first`)
  }
  if (next !== undefined && (isCalm || kid !== null)) {
    throw new OperatorError(`key ${next.kid} is next already, active from ${iso(next.times.activatesAt)}`)
  }
  return { next, active }
}

/** @throws OperatorError */
export function judgeRetirement(
  { tenant, rows, now }: Standing,
  kid: string,
): { readonly row: KeyRow; readonly state: Exclude<KeyState, 'active' | 'ended'> } {
  const row = rows.find((each) => each.kid === kid)
  if (row === undefined) throw new OperatorError(`tenant ${tenant.id} has no key ${kid}`)
  const state = stateOf(row.times, now)
  if (state === 'active') {
    throw new OperatorError(`key ${kid} is in use: \`falaj keys rotate --use ${row.use}\` puts another in its place`)
  }
  if (state === 'ended') throw new OperatorError(`key ${kid} has ended`)
  return { row, state }
}
