/**
 * Where every act of the portal passes: is this person allowed to, does it take a second person, how did things stand
 * before and after. One entry of the audit log for each, also for what was refused; what an act changes is recorded
 * besides by the service that changes it, in the transaction of the change.
 */
import { HubError, OperatorError } from '../../errors.ts'
import { Refused } from '../refused.ts'
import { type ActName, mayDo } from '../roles.ts'
import type { ActRooms } from '../rooms.ts'
import type { Decision, Given, VerbName } from './given.ts'
import type { By, Verb } from './verb.ts'
import { VERBS } from './verbs.ts'

export type Performed = 'done' | 'proposed'
export type ActDesk = {
  /** @throws Refused; HubError and OperatorError as the service of the act does */
  perform(name: ActName, form: ReadonlyMap<string, string>, by: By): Promise<Performed>
}

type Told = {
  readonly act: string
  readonly outcome: 'done' | 'refused' | 'failed' | 'proposed' | 'approved' | 'rejected'
  readonly target: string | null
  readonly before?: string | null
  readonly after?: string | null
  readonly proposal?: string | null
}

const FIELD_MAX = 1000

/** How an act went: to whom or what, and how things stood before and after. */
export type Done<T> = {
  readonly target: string | null
  readonly before: string | null
  readonly after: string | null
  readonly result: T
}
type Execution<T> = {
  readonly name: VerbName
  readonly given: Given
  readonly by: By
  readonly proposal: string | null
  run(): Promise<T>
}

/** An act that is allowed, by one person or by the second of two. */
export async function execute<T>(rooms: ActRooms, execution: Execution<T>): Promise<Done<T>> {
  const { name, given, by, proposal, run } = execution
  const verb: Verb = VERBS[name]
  const [before, target] = [await verb.look(rooms, given, by), verb.target(given)]
  const told = { act: name, target, before, proposal }
  let result: T
  try {
    result = await run()
  } catch (thrown) {
    await note(rooms, by, { ...told, outcome: 'failed', after: before })
    throw thrown
  }
  const after = await verb.look(rooms, given, by)
  await note(rooms, by, { ...told, outcome: proposal === null ? 'done' : 'approved', after })
  return { target, before, after, result }
}

export function createActDesk(rooms: ActRooms): ActDesk {
  const { proposals } = rooms
  const carryOut = (name: VerbName, given: Given, by: By, proposal: string | null): Promise<unknown> =>
    execute(rooms, { name, given, by, proposal, run: () => VERBS[name].run(rooms, given, by) })

  const decide: Readonly<Record<Decision, (id: string, by: By) => Promise<Performed>>> = {
    'proposal.approve': async (id, by) => {
      const proposal = await proposals.find(id)
      if (proposal === null) throw new Refused('notFound')
      const told = { act: proposal.verb, target: proposal.target, proposal: id }
      if (!mayDo(by.person.roles, proposal.verb)) return refuse(rooms, by, told, 'right')
      if (proposal.proposedBy.subject === by.person.subject) return refuse(rooms, by, told, 'own')
      if (!(await proposals.claim(id, by.person))) return refuse(rooms, by, told, 'decided')
      try {
        await carryOut(proposal.verb, proposal.given, { ...by, proposedBy: proposal.proposedBy.subject }, id)
      } catch (thrown) {
        await proposals.settle(id, 'failed', reasonOf(thrown))
        throw thrown
      }
      await proposals.settle(id, 'done', null)
      return 'done'
    },
    'proposal.reject': async (id, by) => {
      const proposal = await proposals.find(id)
      if (proposal === null) throw new Refused('notFound')
      const told = { act: proposal.verb, target: proposal.target, proposal: id }
      if (!mayDo(by.person.roles, proposal.verb)) return refuse(rooms, by, told, 'right')
      if (!(await proposals.reject(id, by.person))) return refuse(rooms, by, told, 'decided')
      await note(rooms, by, { ...told, outcome: 'rejected' })
      return 'done'
    },
  }

  return {
    perform: async (name, form, by) => {
      if (!mayDo(by.person.roles, name)) return refuse(rooms, by, { act: name, target: null }, 'right')
      if (isDecision(name)) return decide[name](form.get('id') ?? '', by)
      const verb: Verb = VERBS[name]
      const given = givenTo(verb, form)
      if (verb.people === 'one') {
        await carryOut(name, given, by, null)
        return 'done'
      }
      await propose(rooms, { name, given }, by)
      return 'proposed'
    },
  }
}

export type Proposed = { readonly id: string; readonly seen: string | null }

/** @throws as `prepare` of the act does; that is on record as well */
export async function propose(
  rooms: ActRooms,
  { name, given }: { readonly name: VerbName; readonly given: Given },
  by: By,
): Promise<Proposed> {
  const verb: Verb = VERBS[name]
  const told = { act: name, target: verb.target(given), before: await verb.look(rooms, given, by) }
  let seen: string | null
  try {
    seen = (await verb.prepare?.(rooms, given, by)) ?? null
  } catch (thrown) {
    await note(rooms, by, { ...told, outcome: 'refused' })
    throw thrown
  }
  const id = await rooms.proposals.propose(name, { given, target: told.target, seen }, by.person)
  await note(rooms, by, { ...told, outcome: 'proposed', proposal: id })
  return { id, seen }
}

const isDecision = (name: ActName): name is Decision => name === 'proposal.approve' || name === 'proposal.reject'

/** Only the fields that the act knows; whatever else a form holds is not looked at. */
function givenTo(verb: Verb, form: ReadonlyMap<string, string>): Given {
  return Object.fromEntries(verb.fields.map((field) => [field, (form.get(field) ?? '').trim().slice(0, FIELD_MAX)]))
}

async function refuse(
  rooms: ActRooms,
  by: By,
  told: Omit<Told, 'outcome'>,
  reason: 'right' | 'own' | 'decided',
): Promise<never> {
  await note(rooms, by, { ...told, outcome: 'refused' })
  throw new Refused(reason)
}

/** What a service says to whoever asked; anything else is a fault of ours, and nobody's to read. */
export function reasonOf(thrown: unknown): string | null {
  if (thrown instanceof HubError && thrown.status < 500) return thrown.reason
  return thrown instanceof OperatorError ? thrown.message : null
}

export function note({ audit, tenant, clock }: ActRooms, by: Pick<By, 'operator'>, told: Told): Promise<void> {
  const { actor, interactionId } = by.operator
  return audit.record({
    kind: 'portal-act',
    at: clock.now(),
    tenantId: tenant.id,
    interactionId,
    actor,
    before: null,
    after: null,
    proposal: null,
    ...told,
  })
}
