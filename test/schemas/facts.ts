import { type Json, json, list, resolve } from './published.ts'

const SCHEMA_FACTS = [
  'type',
  'format',
  'pattern',
  'enum',
  'minimum',
  'maximum',
  'minLength',
  'maxLength',
  'default',
  'anyOf',
]
const METHODS = ['get', 'put', 'post', 'delete', 'patch']

/** What a document promises apart from the form of its bodies, a line for each fact. */
export function factsOf(root: Json): ReadonlySet<string> {
  const facts = new Set<string>()
  const server = json(list(root['servers'])[0])['url']
  if (typeof server === 'string' && server.startsWith('/')) facts.add(`base path ${server}`)
  for (const { operation, title } of operationsOf(root)) {
    facts.add(`${title} is ${operation['operationId']}`)
    for (const raw of list(operation['parameters'])) {
      const parameter = resolve(root, raw)
      const name = `${title} ${parameter['in']} ${String(parameter['name']).toLowerCase()}`
      facts.add(`${name} ${parameter['required'] === true ? 'required' : 'optional'}`)
      facts.add(`${name} ${schemaFacts(root, parameter['schema'])}`)
    }
    if (operation['requestBody'] !== undefined) {
      const body = resolve(root, operation['requestBody'])
      facts.add(`${title} body ${body['required'] === true ? 'required' : 'optional'}`)
      for (const mediaType of Object.keys(json(body['content']))) facts.add(`${title} body ${mediaType}`)
    }
    for (const [status, raw] of Object.entries(json(operation['responses']))) {
      facts.add(`${title} answers ${status}`)
      for (const mediaType of Object.keys(json(resolve(root, raw)['content'])))
        facts.add(`${title} answers ${status} ${mediaType}`)
    }
  }
  return facts
}

export type PublishedOperation = {
  readonly title: string
  readonly path: string
  readonly method: string
  readonly operation: Json
}

export function operationsOf(root: Json): readonly PublishedOperation[] {
  return Object.entries(json(root['paths'])).flatMap(([path, item]) => {
    const shared = list(json(item)['parameters'])
    return Object.entries(json(item))
      .filter(([method]) => METHODS.includes(method))
      .map(([method, raw]) => {
        const operation = json(raw)
        return {
          title: `${method.toUpperCase()} ${path}`,
          path,
          method: method.toUpperCase(),
          operation: { ...operation, parameters: [...shared, ...list(operation['parameters'])] },
        }
      })
  })
}

function schemaFacts(root: Json, raw: unknown): string {
  const schema = resolve(root, raw)
  const facts = SCHEMA_FACTS.filter((key) => schema[key] !== undefined).map((key) => {
    const value =
      key === 'anyOf'
        ? list(schema[key])
            .map((branch) => schemaFacts(root, branch))
            .sort()
        : schema[key]
    return `${key}=${JSON.stringify(value)}`
  })
  return `{${facts.join(' ')}}`
}
