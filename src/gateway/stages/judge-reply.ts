import { mediaType } from '../../body.ts'
import { HubError } from '../../errors.ts'
import { LFI_CODES, toTppError } from '../../lfi/index.ts'
import { stage } from '../stage.ts'

/** Whether there is data in what the LFI said; if not, what the TPP is told (lfi-api 6.3). */
export const judgeReply = stage({
  name: 'judge-reply',
  needs: ['read', 'exchange'],
  adds: ['reply'],
  fails: LFI_CODES,
  run({ read, exchange }, { registry }) {
    const { attempt } = exchange
    if (attempt.outcome !== 'answered' || attempt.status < 200 || attempt.status > 299) {
      const documented = registry.operations(read.document).find((each) => each.operationId === read.operationId)
      throw toTppError(attempt, { has404: documented?.statuses.includes(404) === true })
    }
    if (mediaType(attempt.contentType) !== 'application/json') {
      throw new HubError('GenericError', { detail: 'the LFI answered with another content type than JSON' })
    }
    try {
      return { reply: { body: JSON.parse(attempt.body.toString('utf8')) as unknown } }
    } catch (cause) {
      throw new HubError('GenericError', { detail: 'the LFI answered with something that is not JSON', cause })
    }
  },
})
