/** The audit log: how it stands, whether it verifies, receipts of single calls, and how all of it is taken away. */
import { type AuditOverview, auditLogOf, auditOverview, auditPublicKey } from '../../audit/index.ts'
import { type Html, html } from '../../html.ts'
import { type CorrelationId, toCorrelationId } from '../../ids.ts'
import { actForm, code, facts, field, table } from '../parts.ts'
import { Refused } from '../refused.ts'
import { VERIFIED_MAX, type Verified } from '../verification.ts'
import type { Page, Shown, Visit } from '../visit.ts'

const LIVE_SECONDS = 5
const DAY = /^\d{4}-\d{2}-\d{2}$/

export const audit: Page = {
  name: 'audit',
  path: '/audit',
  isListed: true,
  show: async (visit) => {
    const { rooms, query } = visit
    const asked = query.get('receipt')?.trim() ?? ''
    const id = toCorrelationId(asked)
    if (id !== null && query.has('index')) return receiptFile(visit, id, query.get('index') ?? '')
    const { witnesses } = auditLogOf(rooms.tenant)
    const [overview, verified] = await Promise.all([
      auditOverview(rooms.db, { witnesses, now: new Date(rooms.clock.now()) }),
      rooms.verification.list(),
    ])
    return {
      body: html`<div id="standing" data-live="/audit" data-every="${LIVE_SECONDS}">${standing(visit, overview)}${verdicts(visit, verified)}</div>
${newest(visit, overview)}
${verifyForm(visit)}
${await receipts(visit, asked, id)}
${exportOf(visit)}`,
    }
  },
}

function standing({ tongue, rooms }: Visit, overview: AuditOverview): Html {
  const { audit: words, shell } = tongue.words
  const { tenantId, key, origin } = auditLogOf(rooms.tenant)
  const { lag, recent, witnesses, missedHours } = overview
  return html`${facts([
    [words.origin, code(origin)],
    [words.publicKey, code(auditPublicKey(tenantId, key, origin))],
    [words.size, tongue.number(recent[0]?.size ?? 0)],
    [words.pending, words.waiting(tongue.number(lag.pending), tongue.number(lag.pendingSeconds))],
  ])}
${table({
  caption: words.checkpoints,
  columns: [words.entries, words.signedAt, words.cosignatures],
  empty: shell.none,
  rows: recent.map(({ size, signedAt, cosignatures }) => [
    tongue.number(size),
    tongue.time(signedAt),
    tongue.number(cosignatures),
  ]),
})}
${table({
  caption: words.witnesses,
  columns: [words.witness, words.cosignedAt, words.entries],
  empty: words.noWitness,
  rows: witnesses.map(({ name, last }) => [
    code(name),
    last === null ? shell.never : tongue.time(last.cosignedAt),
    last === null ? '–' : tongue.number(last.size),
  ]),
})}
<h2>${words.missed}</h2>
${
  missedHours.length === 0
    ? html`<p>${words.noneMissed}</p>`
    : html`<p class="state bad">${words.someMissed}</p><ul>${missedHours.map((hour) => html`<li>${tongue.time(hour)}</li>`)}</ul>`
}`
}

/** Outside of what renews itself, so that it stays open. */
function newest({ tongue }: Visit, { checkpoint }: AuditOverview): Html | null {
  if (checkpoint === null) return null
  const { newest: title } = tongue.words.audit
  return html`<details><summary>${title}</summary><pre dir="ltr" tabindex="0">${checkpoint}</pre></details>`
}

function verdicts({ tongue }: Visit, verified: readonly Verified[]): Html {
  const { audit: words, shell } = tongue.words
  return table({
    caption: words.verifications,
    columns: [words.begun, words.by, words.verdict, words.checked],
    empty: shell.never,
    rows: verified.map(({ beganAt, beganBy, result }) => [
      tongue.time(beganAt),
      beganBy,
      result === null
        ? words.running
        : html`<span class="state ${result.ok ? 'good' : 'bad'}">${result.ok ? words.verifies : words.doesNot}</span>${
            result.fault === null ? null : html` <span lang="en" dir="ltr">${result.fault}</span>`
          }`,
      result === null
        ? '–'
        : words.range(tongue.number(result.checked), tongue.number(result.first), tongue.number(result.size)),
    ]),
  })
}

function verifyForm(visit: Visit): Html {
  const { audit: words } = visit.tongue.words
  return html`${actForm(visit, 'audit.verify', {})}<p class="hint">${words.bounded(visit.tongue.number(VERIFIED_MAX))}</p>`
}

async function receipts(visit: Visit, asked: string, id: CorrelationId | null): Promise<Html> {
  const { audit: words, shell } = visit.tongue.words
  const form = html`<form class="search" method="get" action="/audit" role="search">
${field({ name: 'receipt', label: words.interaction, type: 'search', value: asked })}
<button>${shell.search}</button></form>`
  const found = id === null ? null : await visit.rooms.receipts.find(id, { of: 'everything' })
  const rows = (found?.receipts ?? []).map(({ index, kind }) => [
    visit.tongue.number(index),
    code(kind),
    html`<a href="/audit?receipt=${id ?? ''}&amp;index=${index}" download>${words.download} <span class="unseen">${index}</span></a>`,
  ])
  const list =
    asked === ''
      ? null
      : html`${table({ caption: words.found, columns: [words.place, words.kind, words.receipt], empty: shell.none, rows })}${
          (found?.pending ?? 0) === 0 ? null : html`<p>${words.unsealed}</p>`
        }`
  return html`<h2>${words.receipts}</h2><p>${words.whyReceipts}</p>${form}${list}`
}

async function receiptFile({ rooms }: Visit, id: CorrelationId, index: string): Promise<Shown> {
  const found = await rooms.receipts.find(id, { of: 'everything' })
  const receipt = found?.receipts.find((each) => String(each.index) === index)
  if (receipt === undefined) throw new Refused('notFound')
  return { file: { name: `${id}-${index}.tlog-proof`, type: 'application/octet-stream', content: receipt.proof } }
}

/** The command with the period in it: the log itself does not leave by a browser. */
function exportOf({ tongue, rooms, query }: Visit): Html {
  const { audit: words } = tongue.words
  const day = (name: string): string => (DAY.test(query.get(name) ?? '') ? (query.get(name) ?? '') : '')
  const [from, to] = [day('from'), day('to')]
  const command = [
    'falaj audit export --config deployment.json',
    `--tenant ${rooms.tenant.id} --out ${rooms.tenant.id}-audit`,
    ...(from === '' ? [] : [`--from ${from}T00:00+04:00`]),
    ...(to === '' ? [] : [`--to ${to}T23:59+04:00`]),
  ].join(' ')
  return html`<h2>${words.export}</h2><p>${words.whyCommand}</p>
<form class="search" method="get" action="/audit">
${field({ name: 'from', label: words.firstDay, type: 'date', value: from })}
${field({ name: 'to', label: words.lastDay, type: 'date', value: to })}
<button>${words.makeCommand}</button></form>
<p>${code(command)}</p>
<p>${code(`falaj audit verify ${rooms.tenant.id}-audit --key '…'`)}</p>`
}
