/** Violations of a schema as the error that the caller gets: the first one in words, with its place. */
import { HubError } from '../errors.ts'
import type { Violation } from '../schema-registry.ts'

export const invalidResource = (violations: readonly Violation[]): HubError => {
  const [first] = violations
  if (first === undefined) return new HubError('Resource.InvalidFormat')
  return new HubError('Resource.InvalidFormat', { reason: `${first.path} ${first.message}`, path: first.path })
}

/** The body as a whole has the path `$`. */
export const invalidBody = (violations: readonly Violation[]): HubError => {
  const [first] = violations
  if (first === undefined) return new HubError('Body.InvalidFormat')
  const path = first.path === '' ? '$' : first.path
  return new HubError('Body.InvalidFormat', { reason: `${path} ${first.message}`, path })
}
