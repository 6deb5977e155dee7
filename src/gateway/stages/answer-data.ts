import { Answer } from '../answer.ts'
import { stage } from '../stage.ts'

/** The data leaves; when it last did is noted with the consent, and nobody waits for that. */
export const answerData = stage({
  name: 'answer-data',
  needs: ['arrival', 'consent', 'translation'],
  adds: [],
  fails: [],
  run({ arrival, consent, translation }, { consents, clock }) {
    consents.touchUsage(consent.id, clock.now()).catch((error: unknown) => {
      arrival.log.warn({ err: error }, 'usage of a consent was not noted')
    })
    return new Answer(200, translation.body, translation.records)
  },
})
