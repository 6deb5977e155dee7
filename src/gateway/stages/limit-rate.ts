import { HubError } from '../../errors.ts'
import { callerOf } from '../../rate-limit.ts'
import { stage } from '../stage.ts'

export const limitRate = stage({
  name: 'limit-rate',
  needs: ['arrival'],
  adds: [],
  fails: ['TooManyRequests'],
  run({ arrival }, { rateLimit }) {
    const { peer, address, receivedAt } = arrival
    const wait = rateLimit.take(callerOf(peer, address), receivedAt)
    if (wait !== null) throw new HubError('TooManyRequests', { rule: 'rate.limit', retryAfterSeconds: wait })
    return {}
  },
})
