/** One application: the three steps of its activation, each with what was decided here and what the trust framework says. */
import { type Html, html } from '../../html.ts'
import type { Standing } from '../../participants/index.ts'
import { actForm, code, facts, table } from '../parts.ts'
import { Refused } from '../refused.ts'
import type { ActName } from '../roles.ts'
import { standingState } from '../states.ts'
import type { Page, Visit } from '../visit.ts'

export const tpp: Page = {
  name: 'tpp',
  path: '/tpps/{clientId}',
  isListed: false,
  show: async (visit) => {
    const { tongue, rooms, parameters } = visit
    const { tpps: words, shell } = tongue.words
    const found = (await rooms.participants.standings()).find(({ clientId }) => clientId === parameters['clientId'])
    if (found === undefined) throw new Refused('notFound')
    return {
      title: `${found.clientName} · ${found.tppName}`,
      body: html`<p>${words.why} ${standingState(tongue, found.status)}</p>
${table({
  caption: words.steps,
  columns: [words.step, words.here, words.there, shell.actions],
  empty: shell.none,
  rows: STEPS.map((step) => [
    words.levels[step.level],
    standingState(tongue, found.local[step.level]),
    step.directory(found) ?? words.notThere,
    actsOf(visit, found, step),
  ]),
})}
<h2>${words.ids}</h2>
${facts([
  [words.clientId, code(found.clientId)],
  [words.statementId, code(found.softwareStatementId)],
  [words.organisation, code(found.organisationId)],
  [words.roles, found.roles.join(', ')],
  [words.since, tongue.time(found.registeredAt)],
])}
<p><a href="/consents?tpp=${encodeURIComponent(found.clientId)}">${words.consentsOf}</a></p>`,
    }
  },
}

type Step = {
  readonly level: keyof Standing['local']
  readonly activate: ActName
  readonly block: ActName
  id(standing: Standing): string
  directory(standing: Standing): string | null
}

const STEPS: readonly Step[] = [
  {
    level: 'tpp',
    activate: 'tpp.activate',
    block: 'tpp.block',
    id: ({ organisationId }) => organisationId,
    directory: ({ directory }) => directory.tpp,
  },
  {
    level: 'software-statement',
    activate: 'statement.activate',
    block: 'statement.block',
    id: ({ softwareStatementId }) => softwareStatementId,
    directory: ({ directory }) => directory.softwareStatement,
  },
  {
    level: 'client',
    activate: 'client.activate',
    block: 'client.block',
    id: ({ clientId }) => clientId,
    directory: () => null,
  },
]

/** What can be done about a step as it stands. */
function actsOf(visit: Visit, standing: Standing, step: Step): Html {
  const status = standing.local[step.level]
  const given = { id: step.id(standing) }
  return html`${status !== 'active' && actForm(visit, step.activate, given)}${
    status !== 'blocked' && actForm(visit, step.block, given, { isGrave: true })
  }`
}
