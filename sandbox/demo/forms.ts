/** Just enough reading of HTML to fill in a server-made form: controls, their values, and what pressing a button sends. */

export type Control = {
  readonly kind: 'hidden' | 'text' | 'password' | 'checkbox' | 'radio' | 'button'
  readonly id: string
  readonly name: string
  readonly value: string
  readonly checked: boolean
  readonly disabled: boolean
}
export type Form = {
  readonly id: string
  readonly action: string
  readonly method: string
  readonly controls: readonly Control[]
}

export function readForms(html: string): readonly Form[] {
  return [...html.matchAll(/<form\b([^>]*)>([\s\S]*?)<\/form>/gi)].map(([, open = '', inside = '']) => {
    const attributes = readAttributes(open)
    return {
      id: attributes.get('id') ?? '',
      action: attributes.get('action') ?? '',
      method: (attributes.get('method') ?? 'get').toUpperCase(),
      controls: [...inside.matchAll(/<(input|button)\b([^>]*)>/gi)].map(([, tag = '', rest = '']) =>
        toControl(tag.toLowerCase(), readAttributes(rest)),
      ),
    }
  })
}

function toControl(tag: string, attributes: ReadonlyMap<string, string>): Control {
  const kind = tag === 'button' ? 'button' : kindOf(attributes.get('type') ?? 'text')
  return {
    kind,
    id: attributes.get('id') ?? '',
    name: attributes.get('name') ?? '',
    value: attributes.get('value') ?? (kind === 'checkbox' || kind === 'radio' ? 'on' : ''),
    checked: attributes.has('checked'),
    disabled: attributes.has('disabled'),
  }
}

function kindOf(type: string): Control['kind'] {
  if (type === 'hidden' || type === 'password' || type === 'checkbox' || type === 'radio') return type
  return type === 'submit' || type === 'button' ? 'button' : 'text'
}

/** `fields` names values to type; `tick` says which boxes and circles end up chosen. */
export type Filling = {
  readonly fields?: Readonly<Record<string, string>>
  readonly tick?: (control: Control) => boolean
  readonly press?: Control | undefined
}

export function fill(form: Form, filling: Filling): URLSearchParams {
  const typed = new Map(Object.entries(filling.fields ?? {}))
  const tick = filling.tick ?? ((control) => control.checked)
  const sent = new URLSearchParams()
  for (const control of form.controls) {
    if (control.name === '' || control.disabled) continue
    if (control.kind === 'button') {
      if (control === filling.press) sent.append(control.name, control.value)
    } else if (control.kind === 'checkbox' || control.kind === 'radio') {
      if (tick(control)) sent.append(control.name, control.value)
    } else {
      sent.append(control.name, typed.get(control.name) ?? control.value)
    }
  }
  return sent
}

function readAttributes(text: string): ReadonlyMap<string, string> {
  return new Map(
    [...text.matchAll(/([a-z][a-z0-9-]*)(?:\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'>]+)))?/gi)].map(
      ([, name = '', double, single, bare]) => [name.toLowerCase(), decode(double ?? single ?? bare ?? '')],
    ),
  )
}

const NAMED = new Map([
  ['amp', '&'],
  ['lt', '<'],
  ['gt', '>'],
  ['quot', '"'],
  ['apos', "'"],
])
const decode = (text: string): string =>
  text.replace(/&(?:#(\d+)|#x([0-9a-f]+)|([a-z]+));/gi, (whole, decimal, hex, name) => {
    if (decimal !== undefined) return String.fromCodePoint(Number(decimal))
    if (hex !== undefined) return String.fromCodePoint(Number.parseInt(hex, 16))
    return NAMED.get(name) ?? whole
  })
