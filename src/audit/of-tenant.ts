/** What the configuration of a tenant says of its log. */
import type { TenantConfig } from '../config.ts'
import { OperatorError } from '../errors.ts'
import { REST_AFTER_MS } from './back-pressure.ts'
import { type LogKeySource, originOf } from './log-keys.ts'
import { parseVerifierKey } from './note/key.ts'
import type { WitnessEndpoint } from './witnessing.ts'

export type AuditLogSettings = Required<LogKeySource> & {
  readonly clockSource: string
  readonly restAfterMs: number
  readonly witnesses: readonly WitnessEndpoint[]
}

export function auditLogOf({ id, keys, audit }: TenantConfig): AuditLogSettings {
  return {
    tenantId: id,
    key: keys.audit,
    origin: audit?.origin ?? originOf(id),
    previousKeys: audit?.previousKeys ?? [],
    clockSource: audit?.clockSource ?? 'not said',
    restAfterMs: audit?.restAfterMs ?? REST_AFTER_MS,
    witnesses: (audit?.witnesses ?? []).map(({ publicKey, url, ca }) => {
      const key = parseVerifierKey(publicKey)
      if (key?.type !== 'cosignature')
        throw new OperatorError(`tenant ${id}: audit.witnesses: not the verifier key of a witness: ${publicKey}`)
      return { key, url, ca }
    }),
  }
}
