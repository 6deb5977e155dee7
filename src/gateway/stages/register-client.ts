import { Answer } from '../answer.ts'
import { stage } from '../stage.ts'

/** The certificate is all that a TPP shows; the trust framework says the rest (tpp-api 9.1). */
export const registerClient = stage({
  name: 'register-client',
  needs: ['arrival', 'peer', 'body'],
  adds: ['client'],
  fails: ['Unauthorized', 'AccessToken.InvalidScope', 'GenericRecoverableError'],
  async run({ arrival, peer }, { participants }) {
    return { client: await participants.register(peer, arrival.correlationId) }
  },
})

export const answerDone = stage({
  name: 'answer-done',
  needs: ['client'],
  adds: [],
  fails: [],
  run: () => new Answer(204),
})
