/** Parts of a JSON value by path, to be looked at and changed one at a time. */
export type Json = { [key: string]: unknown }
export type Path = readonly (string | number)[]

export function at(root: Json, path: Path): Json {
  let part: unknown = root
  for (const name of path) part = (part as Json)[name]
  return part as Json
}

export const put = (root: Json, path: Path, value: unknown): Json => {
  at(root, path.slice(0, -1))[path.at(-1) as string] = value
  return root
}

export const without = (root: Json, path: Path): Json => {
  delete at(root, path.slice(0, -1))[path.at(-1) as string]
  return root
}

/** Every object and every value in a value, by path. */
export function pathsIn(part: unknown, path: Path = []): { readonly objects: Path[]; readonly values: Path[] } {
  if (part === null || typeof part !== 'object') return { objects: [], values: [path] }
  const inner = Object.entries(part).map(([name, child]) =>
    pathsIn(child, [...path, Array.isArray(part) ? Number(name) : name]),
  )
  return {
    objects: [...(Array.isArray(part) ? [] : [path]), ...inner.flatMap((each) => each.objects)],
    values: inner.flatMap((each) => each.values),
  }
}
