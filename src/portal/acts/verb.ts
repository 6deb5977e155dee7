/** An act of the portal: what it needs to be told, whether it takes two people, and which service does it. */
import type { CorrelationId } from '../../ids.ts'
import type { Person } from '../person.ts'
import type { ActRooms } from '../rooms.ts'
import type { Given } from './given.ts'

export type By = {
  readonly person: Person
  readonly interactionId: CorrelationId
  /** As services name whoever acts. */
  readonly operator: { readonly actor: string; readonly interactionId: CorrelationId }
  /** The first of two people, once the second one approves. */
  readonly proposedBy?: string
}

export type Verb<Field extends string = string> = {
  readonly fields: readonly Field[]
  /** Four eyes: proposed by one, done when another one approves. */
  readonly people: 'one' | 'two'
  /** To whom or what, for the audit log and for whoever approves. */
  target(given: Given<Field>): string | null
  /** How things stand, in words of ours: taken before and after, for the audit log. Never a name, never a payload. */
  look(rooms: ActRooms, given: Given<Field>, by: By): Promise<string | null>
  /**
   * Before it may wait for a second person: what that one should see, null for nothing.
   * @throws HubError, OperatorError where it would be refused in the end
   */
  prepare?(rooms: ActRooms, given: Given<Field>, by: By): Promise<string | null>
  /** @throws HubError, OperatorError as the service does; told to whoever asked. */
  run(rooms: ActRooms, given: Given<Field>, by: By): Promise<void>
}
