/**
 * Charts as SVG that the server draws: named and described for whoever does not see them, with the same figures in a
 * table beside. Numbers run left to right in every language, and so does time.
 */
import { type Html, html } from '../html.ts'

/** What a part of a bar stands for; its pattern of colour is in style.css. */
export type Tone = 'one' | 'two' | 'three' | 'fault'
export type Series = { readonly label: string; readonly tone: Tone }
export type Bar = { readonly label: string; readonly parts: readonly number[] }

type Chart = {
  readonly id: string
  readonly title: string
  readonly description: string
  readonly series: readonly Series[]
  readonly bars: readonly Bar[]
  /** Below the chart: the figures as a table. */
  readonly table: Html
}

const WIDTH = 800
const LEGEND = 26
const sum = (parts: readonly number[]): number => parts.reduce((total, part) => total + part, 0)

/** One bar for each step of time. */
export function columns(of: Chart & { readonly unit: string }): Html {
  const [top, height, left] = [LEGEND + 10, 170, 48]
  const most = Math.max(1, ...of.bars.map(({ parts }) => sum(parts)))
  const step = (WIDTH - left) / Math.max(1, of.bars.length)
  const scale = (value: number): number => (value / most) * height
  const bars = of.bars.map(({ label, parts }, at) => {
    let y = top + height
    const x = left + at * step + step * 0.1
    const drawn = parts.map((part, index) => {
      y -= scale(part)
      return part === 0
        ? null
        : html`<rect class="${of.series[index]?.tone ?? 'one'}" x="${px(x)}" y="${px(y)}" width="${px(step * 0.8)}" height="${px(scale(part))}"/>`
    })
    const isNamed = at % Math.max(1, Math.ceil(of.bars.length / 8)) === 0
    const name = isNamed && html`<text x="${px(x)}" y="${top + height + 16}">${label}</text>`
    return html`<g>${drawn}${name}</g>`
  })
  const axis = html`<line class="axis" x1="${left}" x2="${WIDTH}" y1="${top + height}" y2="${top + height}"/>
<line class="axis" x1="${left}" x2="${WIDTH}" y1="${top}" y2="${top}"/>
<text x="0" y="${top + 4}">${most}</text><text x="0" y="${top + height}">0 ${of.unit}</text>`
  return figure(of, top + height + 24, html`${axis}${bars}`)
}

/** One bar for each of several things, and a limit that none should pass. */
export function rows(of: Chart & { readonly limit: number; readonly limitLabel: string }): Html {
  const [top, height] = [LEGEND + 22, 40]
  const most = Math.max(of.limit * 1.15, ...of.bars.map(({ parts }) => sum(parts)))
  const scale = (value: number): number => (value / most) * WIDTH
  const bars = of.bars.map(({ label, parts }, at) => {
    let x = 0
    const y = top + at * height
    const drawn = parts.map((part, index) => {
      const rect = html`<rect class="${of.series[index]?.tone ?? 'one'}" x="${px(x)}" y="${y + 16}" width="${px(scale(part))}" height="14"/>`
      x += scale(part)
      return rect
    })
    return html`<g><text x="0" y="${y + 12}">${label}</text>${drawn}</g>`
  })
  const at = px(scale(of.limit))
  const limit = html`<line class="limit" x1="${at}" x2="${at}" y1="${top - 4}" y2="${top + of.bars.length * height}"/>
<text x="${at}" y="${top - 8}" text-anchor="middle">${of.limitLabel}</text>`
  return figure(of, top + of.bars.length * height + 6, html`${bars}${limit}`)
}

function figure({ id, title, description, series, table }: Chart, height: number, drawing: Html): Html {
  const legend = series.map(
    ({ label, tone }, at) =>
      html`<rect class="${tone}" x="${at * 190}" y="4" width="12" height="12"/><text x="${at * 190 + 18}" y="15">${label}</text>`,
  )
  return html`<figure>
<figcaption>${title}</figcaption>
<svg class="chart" viewBox="0 0 ${WIDTH} ${height}" role="img" aria-labelledby="${id}-title ${id}-description">
<title id="${id}-title">${title}</title><desc id="${id}-description">${description}</desc>
${legend}${drawing}
</svg>
${table}
</figure>`
}

const px = (value: number): string => value.toFixed(1)
