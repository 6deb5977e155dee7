import { requestPaths } from '../../../src/gateway/pipeline.ts'
import { ROUTES } from '../../../src/gateway/routes.ts'
import type { World } from './world.ts'

/** Codes of the log only, and those of a fault of ours. */
const ANYWHERE = new Set([
  'Cancelled',
  'GenericError',
  'GenericRecoverableError',
  'Bank.SpecialCase',
  'Payment.DuplicateInFlight',
])

/** What was answered, of all that was recorded, that no stage on the way says it may fail with. */
export async function undeclared({ db }: World): Promise<readonly string[]> {
  const { rows } = (await db.raw('select bytes from audit_entry')) as { rows: { bytes: Buffer }[] }
  const calls = rows
    .map(({ bytes }) => JSON.parse(bytes.toString()) as Record<string, unknown>)
    .filter(({ kind, errorCode }) => kind === 'tpp-call' && errorCode !== null)
  const found = calls.map(({ operationId, errorCode }) => {
    const route = ROUTES.find((each) => each.operationId === operationId)
    const stages = requestPaths[route?.follows ?? 'read-resource'].stages
    const isDeclared = stages.some(({ fails }) => (fails as readonly string[]).includes(String(errorCode)))
    return isDeclared || ANYWHERE.has(String(errorCode)) ? null : `${operationId}: ${errorCode}`
  })
  if (calls.length === 0) throw new Error('nothing was refused, so nothing was checked')
  return [...new Set(found.filter((each) => each !== null))]
}
