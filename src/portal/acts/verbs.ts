/** Every act of the portal, once. Who may do it is in roles.ts; what it is called, in words/. */
import { revokeConsent } from './consents.ts'
import { resetEndpoint, setEndpoint } from './endpoints.ts'
import type { VerbName } from './given.ts'
import { retireKey, rotateKeys } from './keys.ts'
import { clearDeviations, probeLfi } from './lfi.ts'
import { beginOutage, endOutage, planOutage } from './outages.ts'
import { redeliverWebhook } from './redeliver-webhook.ts'
import { endMine, endOther } from './sessions.ts'
import { blockAll, tppActs } from './tpps.ts'
import type { Verb } from './verb.ts'
import { verifyLog } from './verify-log.ts'

export const VERBS: Readonly<Record<VerbName, Verb>> = {
  ...tppActs,
  'tpps.block-all': blockAll,
  'consent.revoke': revokeConsent,
  'outage.plan': planOutage,
  'outage.begin': beginOutage,
  'outage.end': endOutage,
  'keys.rotate': rotateKeys,
  'keys.retire': retireKey,
  'audit.verify': verifyLog,
  'lfi.probe': probeLfi,
  'lfi.endpoint': setEndpoint,
  'lfi.endpoint-reset': resetEndpoint,
  'deviations.clear': clearDeviations,
  'webhook.redeliver': redeliverWebhook,
  'session.end': endOther,
  'session.end-mine': endMine,
}
