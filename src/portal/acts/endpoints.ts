/**
 * Addresses of the bank: where its operations are, its authorization page and its token endpoint. Wherever they lead,
 * what customers own goes there, so a change takes two people, and each address is tried before it may be proposed and
 * again before it is taken.
 */
import { type Endpoint, type EndpointName, faultOfUrl, type SetBy, toEndpointName } from '../../endpoints/index.ts'
import { HubError, OperatorError } from '../../errors.ts'
import type { ActRooms } from '../rooms.ts'
import type { By, Verb } from './verb.ts'

/** `version`: of the address that stood on the page; where it has changed since, nobody knows what they approve. */
export const setEndpoint: Verb<'name' | 'url' | 'version'> = {
  fields: ['name', 'url', 'version'],
  people: 'two',
  target: ({ name, url }) => `${name} ${url}`,
  look: (rooms, { name }) => stands(rooms, name),
  prepare: (rooms, given) => tried(rooms, given),
  run: async (rooms, given, by) => {
    await tried(rooms, given)
    const ask = { name: nameOf(given.name), url: given.url, version: Number(given.version) }
    await rooms.endpoints.set(ask, setBy(by))
  },
}

/** The way back is never barred: what stands in the file is tried, and said, and taken whatever comes of it. */
export const resetEndpoint: Verb<'name' | 'version'> = {
  fields: ['name', 'version'],
  people: 'two',
  target: ({ name }) => name,
  look: (rooms, { name }) => stands(rooms, name),
  prepare: async (rooms, given) => {
    const { inFile, from, key, url, version } = await found(rooms, given.name)
    if (from === 'file') throw new OperatorError(`${key} is that of the file already`)
    unchanged(version, given.version, key)
    const { ok, said } = await rooms.tryEndpoint(nameOf(given.name), inFile, true)
    return `${inFile} instead of ${url}: ${said}${ok ? '' : ' (taken back all the same)'}`
  },
  run: async (rooms, given, by) => {
    const ask = { name: nameOf(given.name), url: null, version: Number(given.version) }
    await rooms.endpoints.set(ask, setBy(by))
  },
}

type AskedFor = Readonly<Record<'name' | 'url' | 'version', string>>

async function tried(rooms: ActRooms, given: AskedFor): Promise<string> {
  const { url } = given
  const name = nameOf(given.name)
  const fault = faultOfUrl(url)
  if (fault !== null) throw new HubError('Body.InvalidFormat', { path: 'url', reason: fault })
  const { url: present, key, version } = await found(rooms, name)
  unchanged(version, given.version, key)
  if (url === present) throw new OperatorError(`${key} is ${url} already`)
  const { ok, said } = await rooms.tryEndpoint(name, url, false)
  if (!ok) throw new OperatorError(`${url} did not pass its trial: ${said}`)
  return `instead of ${present}: ${said}`
}

/** The database refuses it where both are the same. */
const setBy = ({ person, proposedBy, operator }: By): SetBy => ({
  proposedBy: proposedBy ?? person.subject,
  approvedBy: person.subject,
  interactionId: operator.interactionId,
})

function nameOf(text: string): EndpointName {
  const name = toEndpointName(text)
  if (name === null) throw new HubError('NotFound', { reason: `The bank has no address ${text}` })
  return name
}

function unchanged(version: number, seen: string, key: string): void {
  if (String(version) !== seen) throw new OperatorError(`${key} has changed meanwhile: load the page again`)
}

async function found({ endpoints }: Pick<ActRooms, 'endpoints'>, name: string): Promise<Endpoint> {
  const endpoint = (await endpoints.read()).find((each) => each.name === name)
  if (endpoint === undefined) throw new HubError('NotFound', { reason: `The bank has no address ${name}` })
  return endpoint
}

async function stands({ endpoints }: Pick<ActRooms, 'endpoints'>, name: string): Promise<string | null> {
  const endpoint = (await endpoints.read()).find((each) => each.name === name)
  return endpoint === undefined ? null : `${endpoint.from} ${endpoint.url}`
}
