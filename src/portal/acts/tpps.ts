/** TPPs: the three steps of an activation, one at a time (lfi-api 7.3), and the way back. */
import { HubError } from '../../errors.ts'
import type { LocalStatus, ParticipantLevel } from '../../participants/index.ts'
import type { Verb } from './verb.ts'

function step(level: ParticipantLevel, status: LocalStatus): Verb<'id'> {
  return {
    fields: ['id'],
    people: 'one',
    target: ({ id }) => id,
    look: async ({ participants }, { id }) => {
      const of = { tpp: 'organisationId', 'software-statement': 'softwareStatementId', client: 'clientId' } as const
      const found = (await participants.standings()).find((each) => each[of[level]] === id)
      return found === undefined ? null : `${level} ${found.local[level]}`
    },
    run: async ({ participants }, { id }, { operator }) => {
      if (!(await participants.setStatus(level, id, status, operator))) {
        throw new HubError('NotFound', { reason: `There is no ${level} ${id}` })
      }
    },
  }
}

export const tppActs = {
  'tpp.activate': step('tpp', 'active'),
  'tpp.block': step('tpp', 'blocked'),
  'statement.activate': step('software-statement', 'active'),
  'statement.block': step('software-statement', 'blocked'),
  'client.activate': step('client', 'active'),
  'client.block': step('client', 'blocked'),
} as const satisfies Readonly<Record<string, Verb>>

/** No call of any TPP is served any more: an emergency, and never one person's decision. */
export const blockAll: Verb = {
  fields: [],
  people: 'two',
  target: () => null,
  look: async ({ participants }) => {
    const tpps = new Map((await participants.standings()).map((each) => [each.organisationId, each.local.tpp]))
    const open = [...tpps.values()].filter((status) => status !== 'blocked').length
    return `${open} of ${tpps.size} TPPs not blocked`
  },
  run: async ({ participants }, _given, { operator }) => {
    await participants.blockAll(operator)
  },
}
