import { answerAgain as again } from '../payments/kept-answer.ts'
import { stage } from '../stage.ts'

/**
 * A key that has its answer gets it again, whatever has become of the consent and whatever the body says now: nothing
 * is done (tpp-api 5.3). Before the consent is judged, because the first payment may have used it up.
 */
export const answerAgain = stage({
  name: 'answer-again',
  needs: ['first'],
  adds: [],
  fails: ['GenericError'],
  run({ first }, { paymentLinks }) {
    return first === null || first.state === 'open' ? {} : again(first, paymentLinks)
  },
})
