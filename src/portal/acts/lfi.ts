import type { Verb } from './verb.ts'

/** Asks whether the LFI is there; what came out stands on the page, and as «after» in the log. */
export const probeLfi: Verb = {
  fields: [],
  people: 'one',
  target: () => null,
  look: async ({ probes }) => {
    const all = await probes.list()
    return all.map(({ path, ok }) => `${path} ${ok ? 'answers' : 'does not answer'}`).join(', ') || 'never probed'
  },
  run: ({ probes }) => probes.run(),
}

/** As after a correction at the LFI. */
export const clearDeviations: Verb = {
  fields: [],
  people: 'one',
  target: () => null,
  look: async ({ deviations }) => `${(await deviations.list()).length} lines`,
  run: async ({ deviations }) => {
    await deviations.clear()
  },
}
