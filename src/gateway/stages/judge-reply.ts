import { mediaType } from '../../body.ts'
import { HubError } from '../../errors.ts'
import { LFI_CODES, toTppError } from '../../lfi/index.ts'
import { stage } from '../stage.ts'

/** Whether there is data in what the LFI said; if not, what the TPP is told (lfi-api 6.3). */
export const judgeReply = stage({
  name: 'judge-reply',
  needs: ['route', 'exchange'],
  adds: ['reply'],
  fails: LFI_CODES,
  run({ route, exchange }, { registry, deviations }) {
    const { attempt } = exchange
    if (attempt.outcome !== 'answered' || attempt.status < 200 || attempt.status > 299) {
      const documented = registry.operations(route.document).find((each) => each.operationId === route.operationId)
      throw toTppError(attempt, { has404: documented?.statuses.includes(404) === true })
    }
    // No content is an answer too, where the operation has it (lfi-api 3.11).
    if (attempt.status === 204 && attempt.body.length === 0) return { reply: { status: 204, body: undefined } }
    if (mediaType(attempt.contentType) !== 'application/json') {
      deviations.note(exchange.operationId, { ' content-type': 1 })
      throw new HubError('GenericError', { detail: 'the LFI answered with another content type than JSON' })
    }
    try {
      return { reply: { status: attempt.status, body: JSON.parse(attempt.body.toString('utf8')) as unknown } }
    } catch (cause) {
      deviations.note(exchange.operationId, { ' json': 1 })
      throw new HubError('GenericError', { detail: 'the LFI answered with something that is not JSON', cause })
    }
  },
})
