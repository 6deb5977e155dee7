import { HubError } from '../../errors.ts'
import { stage } from '../stage.ts'

const HEADER = 'x-idempotency-key'

/** What the TPP calls this request (tpp-api 6). Its form has been checked, but for one that is empty. */
export const readKey = stage({
  name: 'read-key',
  needs: ['arrival'],
  adds: ['idempotencyKey'],
  fails: ['Resource.InvalidFormat'],
  run({ arrival }) {
    const key = arrival.headers[HEADER]
    if (typeof key !== 'string' || key === '') {
      throw new HubError('Resource.InvalidFormat', {
        rule: 'key.given',
        reason: `${HEADER} must not be empty`,
        path: HEADER,
      })
    }
    return { idempotencyKey: key }
  },
})
