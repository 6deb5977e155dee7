/** What a door says while it takes nothing: 503 in the words of who calls there. */
import type { ListenerRole } from '../config.ts'
import { ERRORS } from '../errors.ts'

const OAUTH = (why: string) => ({ error: 'temporarily_unavailable', error_description: why })
const LFI_SIDE = (why: string) => ({ errorCode: 'GenericRecoverableError', errorMessage: why })
const RESOURCE = (why: string) => ({ Errors: [{ Code: 'GenericRecoverableError', Message: why }] })

const BODIES: Readonly<Record<ListenerRole, (why: string) => unknown>> = {
  auth: OAUTH,
  as: OAUTH,
  hh: OAUTH,
  rs: RESOURCE,
  cm: LFI_SIDE,
  admin: LFI_SIDE,
  portal: (why) => why,
}

export const unavailableBody = (role: ListenerRole, why: string): unknown =>
  BODIES[role](`${ERRORS.GenericRecoverableError.text}: ${why}`)
