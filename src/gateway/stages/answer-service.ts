import { Answer } from '../answer.ts'
import { stage } from '../stage.ts'

export const answerService = stage({
  name: 'answer-service',
  needs: ['service', 'translation'],
  adds: [],
  fails: [],
  run: ({ service, translation }) =>
    translation.body === null ? new Answer(204) : new Answer(service.answers, translation.body, translation.records),
})
