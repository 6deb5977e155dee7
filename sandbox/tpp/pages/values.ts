/** Reading members out of a bank's answer, and showing money, dates and whatever else it sent. */
import { type Html, html } from '../../html.ts'

export type Json = Readonly<Record<string, unknown>>
export const record = (value: unknown): Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Json) : {}
export const records = (value: unknown): readonly Json[] => (Array.isArray(value) ? value.map(record) : [])
export const text = (value: unknown): string => (typeof value === 'string' ? value : '')

/** Amounts stay text: a number would round them. */
export function money(holder: Json): Html {
  const amount = record(holder['Amount'])
  const sign = holder['CreditDebitIndicator'] === 'Debit' ? '−' : ''
  const [whole = '', fraction = ''] = text(amount['Amount']).split('.')
  const grouped = whole.replace(/\B(?=(\d{3})+$)/g, ',')
  return html`<span class="money ${sign === '' ? 'in' : 'out'}">${sign}${grouped}${fraction === '' ? '' : `.${fraction}`}
 <small>${text(amount['Currency'])}</small></span>`
}

export const day = (value: unknown): string => text(value).slice(0, 10)

/** Members as a definition list, nested ones as inner lists: nothing the bank sent is hidden. */
export function members(value: Json): Html {
  const shown = Object.entries(value).filter(([, inner]) => inner !== null && inner !== undefined)
  return html`<dl class="members">${shown.map(([name, inner]) => html`<dt>${spaced(name)}</dt><dd dir="auto">${show(inner)}</dd>`)}</dl>`
}

function show(value: unknown): Html {
  if (Array.isArray(value)) return html`<ul class="plain">${value.map((one) => html`<li>${show(one)}</li>`)}</ul>`
  const inner = record(value)
  if (isMoney(inner)) return money({ Amount: inner })
  if (Object.keys(inner).length > 0) return members(inner)
  return html`${typeof value === 'boolean' ? (value ? 'yes' : 'no') : typeof value === 'number' ? value : text(value)}`
}

const isMoney = (value: Json): boolean =>
  typeof value['Amount'] === 'string' && typeof value['Currency'] === 'string' && Object.keys(value).length === 2

const spaced = (name: string): string => name.replace(/([a-z])([A-Z])/g, '$1 $2')
