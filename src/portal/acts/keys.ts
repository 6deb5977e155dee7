/** The keys of the hub (src/keys): a new one takes over when clients have had time to see it. */
import { HubError } from '../../errors.ts'
import { createKeyOperations, KEY_USES, type KeyOperations, type KeyUse } from '../../keys/index.ts'
import type { ActRooms } from '../rooms.ts'
import type { Verb } from './verb.ts'

export const keyOperations = ({ db, tenant, environment, audit, clock }: ActRooms, actor: string): KeyOperations =>
  createKeyOperations({ db, tenant, environment, audit, clock, actor })

/** Ahead of time, as a calm rotation is; a hurried one may break clients, and belongs to the command line. */
export const rotateKeys: Verb<'use'> = {
  fields: ['use'],
  people: 'two',
  target: ({ use }) => useOf(use),
  look: async (rooms, { use }, { person }) => {
    const keys = (await keyOperations(rooms, person.subject).list()).filter((key) => key.use === useOf(use))
    const live = keys.filter(({ state }) => state === 'active' || state === 'next')
    return live.map(({ kid, state }) => `${state} ${kid}`).join(', ')
  },
  prepare: async (rooms, { use }, { person }) => {
    await keyOperations(rooms, person.subject).beforeRotation(useOf(use))
    return null
  },
  run: async (rooms, { use }, { person }) => {
    await keyOperations(rooms, person.subject).rotate({
      use: useOf(use),
      kid: null,
      when: 'ahead',
      accepted: 'no harm',
    })
  },
}

/** Before its time: one that has not signed yet is forgotten, and of a retired one nothing is good any more. */
export const retireKey: Verb<'kid'> = {
  fields: ['kid'],
  people: 'two',
  target: ({ kid }) => kid,
  look: async (rooms, { kid }, { person }) =>
    (await keyOperations(rooms, person.subject).list()).find((key) => key.kid === kid)?.state ?? null,
  prepare: async (rooms, { kid }, { person }) => {
    await keyOperations(rooms, person.subject).beforeRetirement(kid)
    return null
  },
  // The second person has seen what it is about: that is the consent to harm.
  run: async (rooms, { kid }, { person }) => {
    await keyOperations(rooms, person.subject).retire(kid, 'harm')
  },
}

function useOf(text: string): KeyUse {
  const use = KEY_USES.find((each) => each === text)
  if (use === undefined) throw new HubError('Body.InvalidFormat', { path: 'use', reason: 'use must be sig or enc' })
  return use
}
