/** Reading other people's JSON: what is not of the expected kind is not there. */
export function member(value: unknown, ...path: readonly string[]): unknown {
  let here = value
  for (const name of path) {
    if (typeof here !== 'object' || here === null || !Object.hasOwn(here, name)) return undefined
    here = (here as Readonly<Record<string, unknown>>)[name]
  }
  return here
}

export const text = (value: unknown): string | null => (typeof value === 'string' && value !== '' ? value : null)

export const texts = (value: unknown): readonly string[] =>
  Array.isArray(value) ? value.filter((item): item is string => typeof item === 'string') : []

export const items = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : [])
