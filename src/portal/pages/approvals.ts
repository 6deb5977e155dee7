/** Acts that wait for a second person, and what became of the others. */
import { type Html, html } from '../../html.ts'
import type { Proposal } from '../acts/proposals.ts'
import { actForm, table } from '../parts.ts'
import type { Page, Visit } from '../visit.ts'

export const approvals: Page = {
  name: 'approvals',
  path: '/approvals',
  isListed: true,
  show: async (visit) => {
    const { tongue } = visit
    const { approvals: words, shell, acts } = tongue.words
    const all = await visit.rooms.proposals.list()
    const [waiting, others] = [all.filter(isWaiting), all.filter((each) => !isWaiting(each))]
    return {
      body: html`<p>${words.why}</p>
${table({
  caption: words.waiting,
  columns: [words.act, words.target, words.proposedBy, words.expires, shell.actions],
  empty: shell.none,
  rows: waiting.map((each) => [
    acts[each.verb],
    targetOf(visit, each),
    html`${each.proposedBy.name}, ${tongue.time(each.proposedAt)}`,
    tongue.time(each.expiresAt),
    decisionOf(visit, each),
  ]),
})}
${table({
  caption: words.decided,
  columns: [words.act, words.target, words.proposedBy, words.decidedBy, words.state],
  empty: shell.none,
  rows: others.map((each) => [
    acts[each.verb],
    targetOf(visit, each),
    html`${each.proposedBy.name}, ${tongue.time(each.proposedAt)}`,
    each.decidedBy === null ? '–' : html`${each.decidedBy.name}, ${tongue.time(each.decidedAt)}`,
    html`${words.states[each.state]}${each.outcome === null ? null : html` <span lang="en" dir="ltr">(${each.outcome})</span>`}`,
  ]),
})}`,
    }
  },
}

const isWaiting = ({ state }: Proposal): boolean => state === 'waiting'

/** On what, and what was there to see when it was proposed. */
function targetOf({ tongue }: Visit, { target, seen }: Proposal): Html {
  const { approvals: words } = tongue.words
  return html`${target ?? '–'}${seen === null ? null : html`<p class="hint">${words.seen} <span lang="en" dir="ltr">${seen}</span></p>`}`
}

/** The proposer may take it back; everybody else who holds the role of the act decides. */
function decisionOf(visit: Visit, { id, verb, proposedBy }: Proposal): Html {
  const { approvals: words, acts } = visit.tongue.words
  if (!visit.may(verb)) return html`${words.notYours}`
  const about = `${acts[verb]} ${id}`
  const reject = actForm(visit, 'proposal.reject', { id }, { about, isGrave: true })
  if (proposedBy.subject === visit.session.person.subject) return html`<p>${words.own}</p>${reject}`
  return html`${actForm(visit, 'proposal.approve', { id }, { about })}${reject}`
}
