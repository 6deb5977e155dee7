/** The JSON that the LFI answered with, or what the TPP is told instead (lfi-api 6.3). */
import { mediaType } from '../body.ts'
import { HubError } from '../errors.ts'
import { type Attempt, toTppError } from '../lfi/index.ts'

/** @throws HubError where there is no data in what the LFI said */
export function readLfiJson(attempt: Attempt, declared: Parameters<typeof toTppError>[1]): unknown {
  if (attempt.outcome !== 'answered' || attempt.status < 200 || attempt.status > 299) {
    throw toTppError(attempt, declared)
  }
  if (mediaType(attempt.contentType) !== 'application/json') {
    throw new HubError('GenericError', { detail: 'the LFI answered with another content type than JSON' })
  }
  try {
    return JSON.parse(attempt.body.toString('utf8')) as unknown
  } catch (cause) {
    throw new HubError('GenericError', { detail: 'the LFI answered with something that is not JSON', cause })
  }
}
