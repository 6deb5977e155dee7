import { OperatorError } from '../../errors.ts'
import type { Verb } from './verb.ts'

/** Once more, from its first attempt on; the TPP can tell by its id that it is the same event. */
export const redeliverWebhook: Verb<'id'> = {
  fields: ['id'],
  people: 'one',
  target: ({ id }) => id,
  look: async ({ desk }, { id }) => (isId(id) ? desk.stateOf(id) : null),
  run: async ({ desk }, { id }, { operator }) => {
    const isDone = isId(id) && (await desk.redeliver(id, operator))
    if (!isDone) throw new OperatorError(`no event ${id} was given up or delivered`)
  },
}

const isId = (text: string): boolean => /^\d{1,18}$/.test(text)
