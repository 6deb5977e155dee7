import { HubError } from '../../errors.ts'
import { stage } from '../stage.ts'

/** Before anything is computed for the caller, so it is known by its certificate only, or else by its address. */
export const limitRate = stage({
  name: 'limit-rate',
  needs: ['arrival'],
  adds: [],
  fails: ['TooManyRequests'],
  run({ arrival }, { rateLimit }) {
    const { peer, address, receivedAt } = arrival
    const caller = peer?.trusted === true ? `${peer.organisationId} ${peer.commonName}` : address
    const wait = rateLimit.take(caller, receivedAt)
    if (wait !== null) throw new HubError('TooManyRequests', { retryAfterSeconds: wait })
    return {}
  },
})
