import { OperatorError } from '../../errors.ts'
import type { Verb } from './verb.ts'

/** Begins it; what comes out stands on the page. */
export const verifyLog: Verb = {
  fields: [],
  people: 'one',
  target: () => null,
  look: async ({ verification }) => {
    const [last] = await verification.list()
    if (last === undefined) return 'never verified'
    return last.result === null ? 'being verified' : last.result.ok ? 'verified' : 'not verified'
  },
  run: async ({ verification }, _given, { person }) => {
    if (!(await verification.begin(person.name))) throw new OperatorError('the log is being verified already')
  },
}
