/** How the hub reaches the bank: addresses, authentication, time, whether it answers, and where its answers are wrong. */
import { urgencyOf } from '../../certificates.ts'
import type { TenantConfig } from '../../config.ts'
import type { Endpoint } from '../../endpoints/index.ts'
import { type Html, html, type Piece } from '../../html.ts'
import { timeoutOf } from '../../lfi/index.ts'
import { isLfiOperation, LFI_CLASSES, LFI_OPERATIONS } from '../../lfi-operations.ts'
import { actForm, code, facts, field, table } from '../parts.ts'
import type { Page, Visit } from '../visit.ts'

const LIVE_SECONDS = 5

export const lfi: Page = {
  name: 'lfi',
  path: '/lfi',
  isListed: true,
  show: async (visit) => {
    const { lfi: words } = visit.tongue.words
    return {
      body: html`<p>${words.configured}</p>
${facts(connection(visit))}
${await endpoints(visit)}
<div id="classes" data-live="/lfi" data-every="${LIVE_SECONDS}">${classes(visit)}</div>
<p class="hint">${words.ofThisProcess}</p>
${await probes(visit)}
${await deviations(visit)}`,
    }
  },
}

function connection({ rooms, tongue }: Visit): readonly (readonly [string, Piece])[] {
  const { lfi: words, keys, shell } = tongue.words
  const { tenant, certificates, clock } = rooms
  const own = certificates.find(({ name }) => name === 'lfi')
  return [
    [words.authentication, code(authenticationOf(tenant))],
    ...(own === undefined
      ? []
      : ([
          [words.certificate, code(own.subject)],
          [
            words.certificateEnds,
            html`${tongue.time(own.expiresAt)} · ${keys.urgencies[urgencyOf(own, clock.now())]} · <a href="/keys">${tongue.words.pages.keys}</a>`,
          ],
        ] as const)),
    [words.callerJwt, tenant.lfi.callerJwt.required ? shell.yes : shell.no],
    [words.hub, html`${code(tenant.listeners.hh.origin)} ${code(tenant.listeners.cm.origin)}`],
  ]
}

/** Each with where it comes from, a form to propose another, and who changed it before. */
async function endpoints(visit: Visit): Promise<Html> {
  const { rooms, tongue } = visit
  const { lfi: words, shell } = tongue.words
  const [all, history] = [await rooms.endpoints.read(), await rooms.endpoints.history()]
  return html`${table({
    caption: words.endpoints,
    columns: [words.endpoint, words.address, words.origin, shell.actions],
    empty: '',
    rows: all.map((each) => [
      words.endpointNames[each.name],
      code(each.url),
      each.from === 'file'
        ? words.fromFile
        : html`<span class="state warn">${words.fromHub}</span> ${words.inFile} ${code(each.inFile)}`,
      changesOf(visit, each),
    ]),
  })}
<p class="hint">${words.takesEffect}</p>
${
  history.length === 0
    ? null
    : table({
        caption: words.endpointHistory,
        columns: [words.endpoint, words.before, words.after, words.setAt, words.proposedBy, words.approvedBy],
        empty: '',
        rows: history.map(({ name, before, after, setAt, proposedBy, approvedBy }) => [
          words.endpointNames[name],
          code(before),
          after === null ? words.fromFile : code(after),
          tongue.time(setAt),
          code(proposedBy),
          code(approvedBy),
        ]),
      })
}`
}

function changesOf(visit: Visit, { name, url, from, version }: Endpoint): Html {
  const { lfi: words } = visit.tongue.words
  const about = words.endpointNames[name]
  const more = { about, seen: { version: String(version) }, isGrave: true }
  const address = (value: string): Html =>
    field({ name: `url-${name}`, as: 'url', label: words.newAddress(about), value, isRequired: true })
  return html`${actForm(visit, 'lfi.endpoint', { name }, { ...more, fields: (typed) => address(typed('url', url)) })}
${from === 'file' ? null : actForm(visit, 'lfi.endpoint-reset', { name }, more)}`
}

/** Names and addresses, never a secret. */
function authenticationOf({ lfi: { authentication } }: TenantConfig): string {
  switch (authentication.type) {
    case 'jwt':
      return `jwt, aud ${authentication.audience}, kid ${authentication.kid}`
    case 'client-credentials':
      return `client-credentials, ${authentication.clientId}`
    default:
      return authentication.type
  }
}

function classes({ rooms, tongue }: Visit): Html {
  const { lfi: words } = tongue.words
  const { lfi: config } = rooms.tenant
  const standing = rooms.connector.standing()
  return table({
    caption: words.classes,
    columns: [words.class, words.breaker, words.connections, words.timeouts],
    empty: '',
    rows: LFI_CLASSES.map((named) => {
      const { state, waitSeconds } = standing[named]
      const times = Object.entries(LFI_OPERATIONS)
        .filter(([, of]) => of === named)
        .flatMap(([operation]) => (isLfiOperation(operation) ? [timeoutOf(config, operation)] : []))
      const [least, most] = [Math.min(...times), Math.max(...times)]
      return [
        words.names[named],
        html`<span class="state ${state === 'closed' ? 'good' : 'bad'}">${words.breakers[state]}</span>${
          state === 'open' ? html` ${words.again(tongue.number(waitSeconds))}` : null
        }`,
        tongue.number(config.budgets?.[named]?.connections ?? config.connections),
        html`<span dir="ltr">${least === most ? `${least} ms` : `${least}–${most} ms`}</span>`,
      ]
    }),
  })
}

async function probes(visit: Visit): Promise<Html> {
  const { lfi: words, shell } = visit.tongue.words
  const all = await visit.rooms.probes.list()
  return html`${table({
    caption: words.probes,
    columns: [words.path, words.outcome, words.took, words.probedAt],
    empty: shell.never,
    rows: all.map(({ path, ok, ms, detail, at }) => [
      code(path),
      html`<span class="state ${ok ? 'good' : 'bad'}">${ok ? words.answers : words.doesNot}</span>${
        detail === null ? null : html` <span lang="en" dir="ltr">${detail}</span>`
      }`,
      html`<span dir="ltr">${visit.tongue.number(ms)} ms</span>`,
      visit.tongue.time(at),
    ]),
  })}
${actForm(visit, 'lfi.probe', {})}
<p class="hint">${words.wholeProbe} ${code(`falaj probe --config deployment.json --tenant ${visit.rooms.tenant.id} --user … --account …`)}</p>`
}

async function deviations(visit: Visit): Promise<Html> {
  const { lfi: words } = visit.tongue.words
  const all = await visit.rooms.deviations.list()
  return html`${table({
    caption: words.deviations,
    columns: [words.operation, words.path, words.rule, words.count, words.firstAt, words.lastAt],
    empty: words.noDeviation,
    rows: all.map(({ operationId, path, rule, count, firstAt, lastAt }) => [
      code(operationId),
      code(path === '' ? '–' : path),
      code(rule),
      visit.tongue.number(count),
      visit.tongue.time(firstAt),
      visit.tongue.time(lastAt),
    ]),
  })}
${all.length === 0 ? null : actForm(visit, 'deviations.clear', {})}`
}
