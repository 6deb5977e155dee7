/** HTML in which whatever comes from outside is text: everything interpolated is escaped unless it is Html itself. */
export class Html {
  readonly text: string
  constructor(text: string) {
    this.text = text
  }
}
export type Piece = Html | string | number | null | undefined | false | readonly Piece[]

const ENTITIES = new Map([
  ['&', '&amp;'],
  ['<', '&lt;'],
  ['>', '&gt;'],
  ['"', '&quot;'],
  ["'", '&#39;'],
])
const escaped = (text: string): string => text.replace(/[&<>"']/g, (sign) => ENTITIES.get(sign) ?? '')

export function html(strings: TemplateStringsArray, ...pieces: readonly Piece[]): Html {
  return new Html(strings.reduce((done, part, n) => `${done}${render(pieces[n - 1])}${part}`))
}

function render(piece: Piece): string {
  if (piece === null || piece === undefined || piece === false) return ''
  if (piece instanceof Html) return piece.text
  if (typeof piece === 'string' || typeof piece === 'number') return escaped(String(piece))
  return piece.map(render).join('')
}
