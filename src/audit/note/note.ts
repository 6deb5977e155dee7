/** C2SP signed-note: a text, an empty line, and one line per signature. Nothing is believed before it is verified. */
export type NoteSignature = { readonly name: string; readonly id: Buffer; readonly signature: Buffer }
export type Note = { readonly text: string; readonly signatures: readonly NoteSignature[] }

/** Room for many witnesses; the note itself is some 200 bytes. */
export const NOTE_BYTES_MAX = 65_536
const KEY_ID_BYTES = 4
const SIGNATURE_LINE = /^— ([^\s+]+) ([A-Za-z0-9+/]+={0,2})$/u
// biome-ignore lint/suspicious/noControlCharactersInRegex: the specification forbids exactly these
const CONTROL = /[\u0000-\u0009\u000b-\u001f]/

export const signatureLine = ({ name, id, signature }: NoteSignature): string =>
  `— ${name} ${Buffer.concat([id, signature]).toString('base64')}\n`

export function parseSignatureLine(line: string): NoteSignature | null {
  const [, name, encoded] = SIGNATURE_LINE.exec(line) ?? []
  if (name === undefined || encoded === undefined) return null
  const bytes = Buffer.from(encoded, 'base64')
  if (bytes.toString('base64') !== encoded || bytes.length <= KEY_ID_BYTES) return null
  return { name, id: bytes.subarray(0, KEY_ID_BYTES), signature: bytes.subarray(KEY_ID_BYTES) }
}

export const writeNote = ({ text, signatures }: Note): string => `${text}\n${signatures.map(signatureLine).join('')}`

/** null where it is not a note: which is all there is to say about bytes that nobody has signed. */
export function parseNote(bytes: Buffer): Note | null {
  if (bytes.length > NOTE_BYTES_MAX) return null
  const whole = bytes.toString('utf8')
  if (!Buffer.from(whole).equals(bytes) || CONTROL.test(whole) || !whole.endsWith('\n')) return null
  const end = whole.lastIndexOf('\n\n')
  if (end < 1) return null
  const signatures: NoteSignature[] = []
  for (const line of whole.slice(end + 2, -1).split('\n')) {
    const signature = parseSignatureLine(line)
    if (signature === null) return null
    signatures.push(signature)
  }
  return { text: whole.slice(0, end + 1), signatures }
}
