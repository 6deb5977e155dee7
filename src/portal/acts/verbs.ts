/** Every act of the portal, once. Who may do it is in roles.ts; what it is called, in words/. */
import type { VerbName } from './given.ts'
import type { Verb } from './verb.ts'

const endMine: Verb = {
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

export const VERBS: Readonly<Record<VerbName, Verb>> = {
  'session.end-mine': endMine,
}
