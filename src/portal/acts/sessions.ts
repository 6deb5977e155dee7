/** Sessions of this portal: one's own, and those of others. */
import { HubError } from '../../errors.ts'
import type { Verb } from './verb.ts'

export const endMine: Verb = {
  fields: [],
  people: 'one',
  target: () => null,
  look: async ({ sessions }, _given, { person }) => {
    const mine = (await sessions.list()).filter(({ person: { subject } }) => subject === person.subject)
    return `${mine.length} sessions`
  },
  run: async ({ sessions }, _given, { person }) => {
    await sessions.endAllOf(person.subject)
  },
}

/** Whoever it is logs in anew, if the trust framework still lets them. */
export const endOther: Verb<'handle'> = {
  fields: ['handle'],
  people: 'one',
  target: ({ handle }) => handle,
  look: async ({ sessions }) => `${(await sessions.list()).length} sessions`,
  run: async ({ sessions }, { handle }) => {
    if (!(await sessions.endOther(handle))) throw new HubError('NotFound', { reason: 'This session has ended already' })
  },
}
