import { HubError } from '../../errors.ts'
import { LFI_CODES, toTppError } from '../../lfi/index.ts'
import { Answer, Bytes } from '../answer.ts'
import { stage } from '../stage.ts'

/** As the LFI wrote it, byte for byte (lfi-api 3.9.2). */
export const answerReport = stage({
  name: 'answer-report',
  needs: ['exchange'],
  adds: [],
  fails: LFI_CODES,
  run({ exchange }) {
    const { attempt } = exchange
    if (attempt.outcome !== 'answered' || attempt.status < 200 || attempt.status > 299) {
      throw toTppError(attempt, { has404: true })
    }
    if (attempt.contentType === '') throw new HubError('GenericError', { detail: 'a report without a content type' })
    return new Answer(200, new Bytes(attempt.body, attempt.contentType))
  },
})
