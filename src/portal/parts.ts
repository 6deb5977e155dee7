/** What pages are made of: tables that can be read on a phone, forms of acts, lists of facts. */
import { type Html, html, type Piece } from '../html.ts'
import type { ActName } from './roles.ts'
import type { Visit } from './visit.ts'

/** The first cell of a row is its heading. On a phone each row is a block, and each cell has its column's name before it. */
export function table(of: {
  readonly caption: string
  readonly columns: readonly string[]
  readonly rows: readonly (readonly Piece[])[]
  /** What is said where there are no rows. */
  readonly empty: string
}): Html {
  if (of.rows.length === 0) return html`<h2>${of.caption}</h2><p class="empty">${of.empty}</p>`
  const cell = (content: Piece, at: number): Html =>
    at === 0
      ? html`<th scope="row" data-label="${of.columns[at] ?? ''}">${content}</th>`
      : html`<td data-label="${of.columns[at] ?? ''}">${content}</td>`
  return html`<table>
<caption>${of.caption}</caption>
<thead><tr>${of.columns.map((column) => html`<th scope="col">${column}</th>`)}</tr></thead>
<tbody>
${of.rows.map((row) => html`<tr>${row.map(cell)}</tr>\n`)}</tbody>
</table>`
}

export const facts = (rows: readonly (readonly [term: string, fact: Piece])[]): Html =>
  html`<dl>${rows.map(([term, fact]) => html`<div><dt>${term}</dt><dd>${fact}</dd></div>`)}</dl>`

/** Text as it is used between programs: ids, addresses, statuses. Left to right in every language. */
export const code = (text: string): Html => html`<code dir="ltr">${text}</code>`

/**
 * A form that does one act; nothing for whoever may not. `about` names what the button is for where a page has many
 * of the same, for whoever does not see what stands beside it.
 */
export function actForm(
  visit: Visit,
  act: ActName,
  given: Readonly<Record<string, string>>,
  more: {
    /** `typed`: what somebody wrote into a field of this form that was not taken, so that nobody writes it twice. */
    readonly fields?: (typed: (name: string, otherwise?: string) => string) => Piece
    /** Sent along like `given`: how things stood on this page. It may be another by the time the form is shown again. */
    readonly seen?: Readonly<Record<string, string>>
    readonly about?: string
    readonly isGrave?: boolean
    readonly isWide?: boolean
  } = {},
): Html | null {
  if (!visit.may(act)) return null
  const label = visit.tongue.words.acts[act]
  const { failed } = visit
  const isThis = failed?.act === act && Object.entries(given).every(([name, value]) => failed.form.get(name) === value)
  const typed = (name: string, otherwise = ''): string => (isThis ? failed.form.get(name) : undefined) ?? otherwise
  return html`<form class="${more.isWide === true ? 'wide' : 'act'}" method="post" action="/acts/${act}">
${hidden({ ...given, ...more.seen, csrf: visit.session.csrf, back: visit.here })}${more.fields?.(typed) ?? null}
<button${more.isGrave === true ? html` class="grave"` : null}>${label}${
    more.about === undefined ? null : html`<span class="unseen"> ${more.about}</span>`
  }</button>
</form>`
}

export const hidden = (values: Readonly<Record<string, string>>): readonly Html[] =>
  Object.entries(values).map(([name, value]) => html`<input type="hidden" name="${name}" value="${value}">`)

/** One labelled line of a form. `name` is its id as well, so a page has one of it; `as` is what it is sent as then. */
export function field(of: {
  readonly name: string
  readonly as?: string
  readonly label: string
  readonly type?: 'text' | 'search' | 'datetime-local' | 'date' | 'number'
  readonly value?: string
  readonly isRequired?: boolean
}): Html {
  return html`<p class="field"><label for="${of.name}">${of.label}</label>
<input id="${of.name}" name="${of.as ?? of.name}" type="${of.type ?? 'text'}" value="${of.value ?? ''}"${of.isRequired === true ? html` required` : null}></p>`
}

export function choice(of: {
  readonly name: string
  readonly as?: string
  readonly label: string
  readonly options: readonly (readonly [value: string, label: string])[]
  readonly chosen?: string
}): Html {
  return html`<p class="field"><label for="${of.name}">${of.label}</label>
<select id="${of.name}" name="${of.as ?? of.name}">${of.options.map(
    ([value, label]) => html`<option value="${value}"${value === of.chosen ? html` selected` : null}>${label}</option>`,
  )}</select></p>`
}
