/** Violations of a schema as the error that the caller gets: the first one in words, with its place. */
import { HubError } from '../errors.ts'
import type { Violation } from '../schema-registry.ts'

export const invalidResource = (violations: readonly Violation[]): HubError => {
  const [first] = violations
  if (first === undefined) return new HubError('Resource.InvalidFormat', { rule: 'resource.form' })
  const { path, rule: seen, message } = first
  return new HubError('Resource.InvalidFormat', { rule: 'resource.form', seen, reason: `${path} ${message}`, path })
}

/** The body as a whole has the path `$`. */
export const invalidBody = (violations: readonly Violation[]): HubError => {
  const [first] = violations
  if (first === undefined) return new HubError('Body.InvalidFormat', { rule: 'body.form' })
  const path = first.path === '' ? '$' : first.path
  return new HubError('Body.InvalidFormat', {
    rule: 'body.form',
    seen: first.rule,
    reason: `${path} ${first.message}`,
    path,
  })
}
