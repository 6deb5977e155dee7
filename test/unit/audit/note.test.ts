import { createPrivateKey, createPublicKey } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { checkpointText, parseCheckpoint, parseCheckpointText } from '../../../src/audit/note/checkpoint.ts'
import {
  cosignText,
  isSignedBy,
  parseVerifierKey,
  signerFromPem,
  signText,
  type VerifierKey,
} from '../../../src/audit/note/key.ts'
import { NOTE_BYTES_MAX, parseNote, writeNote } from '../../../src/audit/note/note.ts'
import { EMPTY_ROOT } from '../../../src/audit/tree/hash.ts'
import { GO_HEADS, GO_KEY, NEUMANN, NEUMANN_NOTE, SPECIFIED } from './vectors.ts'

const keyOf = (text: string): VerifierKey => {
  const key = parseVerifierKey(text)
  if (key === null) throw new Error('not a key')
  return key
}
const noteOf = (text: string) => parseNote(Buffer.from(text))
/** RFC 8410: an Ed25519 private key of this seed. */
const pemOf = (seed: Buffer): string =>
  createPrivateKey({
    key: Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), seed]),
    format: 'der',
    type: 'pkcs8',
  })
    .export({ type: 'pkcs8', format: 'pem' })
    .toString()
const signer = signerFromPem('example.com/log', 'log', pemOf(Buffer.alloc(32, 7)))
const witness = signerFromPem('witness.example/w1', 'cosignature', pemOf(Buffer.alloc(32, 9)))

describe('known answers', () => {
  test('a note of the specification’s forebear verifies', () => {
    const note = noteOf(NEUMANN_NOTE)
    expect(note !== null && isSignedBy(note, keyOf(NEUMANN))).toBe(true)
    expect(note && writeNote(note)).toBe(NEUMANN_NOTE)
  })

  test.each(GO_HEADS)('the head of %i of the Go checksum database verifies', (size, root, signature) => {
    const opened = parseCheckpoint(
      Buffer.from(`go.sum database tree\n${size}\n${root}\n\n— sum.golang.org ${signature}\n`),
    )
    expect(opened?.checkpoint).toEqual({ origin: 'go.sum database tree', size, root: Buffer.from(root, 'base64') })
    expect(opened !== null && isSignedBy(opened.note, keyOf(GO_KEY))).toBe(true)
    const other = noteOf(`go.sum database tree\n${size + 1}\n${root}\n\n— sum.golang.org ${signature}\n`)
    expect(other !== null && isSignedBy(other, keyOf(GO_KEY))).toBe(false)
  })

  test('examples of tlog-checkpoint and tlog-cosignature have the form that is read', () => {
    const { text, lines } = SPECIFIED
    const opened = parseCheckpoint(Buffer.from(`${text}\n${lines.join('\n')}\n`))
    expect(opened?.checkpoint).toMatchObject({ origin: 'example.com/behind-the-sofa', size: 20_852_163 })
    expect(
      opened?.note.signatures.map(({ name, id, signature }) => [name, id.toString('hex'), signature.length]),
    ).toEqual([
      ['example.com/behind-the-sofa', '033de0ae', 64],
      ['witness.example.com/w1', '8d66cf3f', 72],
    ])
    // 1679315147, the time in the signed message that the specification shows.
    expect(opened?.note.signatures[1]?.signature.readBigUInt64BE()).toBe(1_679_315_147n)
    expect(opened && checkpointText(opened.checkpoint)).toBe(text)
  })
})

describe('keys', () => {
  test('are written and read alike, and their ids are those of the specification', () => {
    for (const { verifier } of [signer, witness]) expect(parseVerifierKey(verifier.text)?.text).toBe(verifier.text)
    expect(signer.verifier.text).toMatch(/^example\.com\/log\+[0-9a-f]{8}\+A[Q-Za-f]/)
    expect(createPublicKey(signer.key).equals(signer.verifier.key)).toBe(true)
  })

  test.each([
    ['a changed name', NEUMANN.replace('Peter', 'Petra')],
    ['a changed id', NEUMANN.replace('c74f20a3', 'c74f20a4')],
    ['a changed key', NEUMANN.replace('ARpc', 'ARpd')],
    ['an unknown type', NEUMANN.replace('ARpc', 'Bhpc')],
    ['a space in the name', NEUMANN.replace('Peter', 'Peter ')],
    ['no name', NEUMANN.replace('PeterNeumann', '')],
    ['nothing', ''],
  ])('%s is refused', (_what, text) => {
    expect(parseVerifierKey(text)).toBeNull()
  })

  test('only Ed25519 will do', () => {
    expect(() => signerFromPem('x', 'log', 'no key')).toThrow()
  })
})

describe('signatures', () => {
  const text = checkpointText({ origin: 'example.com/log', size: 7, root: EMPTY_ROOT })
  const signed = { text, signatures: [signText(signer, text), cosignText(witness, text, 1_700_000_000)] }

  test('of log and witness verify, each with its own key', () => {
    const note = noteOf(writeNote(signed))
    expect(note !== null && isSignedBy(note, signer.verifier)).toBe(true)
    expect(note !== null && isSignedBy(note, witness.verifier)).toBe(true)
  })

  test('of a witness cover the time', () => {
    const [, cosignature] = signed.signatures
    const later = Buffer.from(cosignature?.signature ?? '')
    later.writeBigUInt64BE(1_700_000_001n)
    const forged = { text, signatures: [{ ...witness.verifier, signature: later }] }
    expect(isSignedBy(forged, witness.verifier)).toBe(false)
  })

  test('of unknown keys are ignored, a bad one of a known key spoils the note', () => {
    const stranger = signerFromPem('example.com/log', 'log', pemOf(Buffer.alloc(32, 8)))
    const both = { text, signatures: [signText(stranger, text), signText(signer, text)] }
    expect(isSignedBy(both, signer.verifier)).toBe(true)
    const spoilt = {
      text,
      signatures: [signText(signer, text), { ...signText(signer, text), signature: Buffer.alloc(64) }],
    }
    expect(isSignedBy(spoilt, signer.verifier)).toBe(false)
    expect(isSignedBy({ text, signatures: [] }, signer.verifier)).toBe(false)
  })

  test('of a log are not those of a witness, even with one key', () => {
    const asWitness = signerFromPem('example.com/log', 'cosignature', pemOf(Buffer.alloc(32, 7)))
    const note = { text, signatures: [signText(signer, text)] }
    expect(isSignedBy(note, asWitness.verifier)).toBe(false)
  })
})

describe('a note', () => {
  const good = NEUMANN_NOTE
  test.each([
    ['no empty line', good.replace('\n\n', '\n')],
    ['no final newline', good.slice(0, -1)],
    ['a control character', good.replace('If', 'If\t')],
    ['a carriage return', good.replace('problem,', 'problem,\r')],
    ['a hyphen for the dash', good.replace('—', '-')],
    ['base64 written otherwise', good.replace('AM=', 'AM')],
    ['a signature of nothing but an id', good.replace(/ x08go\S+/, ' x08gow==')],
    ['text after the signatures', `${good}more\n`],
    ['too much of it', good.replace('If', 'x'.repeat(NOTE_BYTES_MAX))],
  ])('with %s is none', (_what, text) => {
    expect(noteOf(text)).toBeNull()
  })

  test('that is not UTF-8 is none', () => {
    expect(parseNote(Buffer.concat([Buffer.of(0xff), Buffer.from(good)]))).toBeNull()
  })

  test('has room for sixteen signatures and more', () => {
    const many = Array.from({ length: 40 }, () => signText(signer, 'text\n'))
    expect(noteOf(writeNote({ text: 'text\n', signatures: many }))?.signatures).toHaveLength(40)
  })
})

describe('the text of a checkpoint', () => {
  const root = EMPTY_ROOT.toString('base64')
  test.each([
    ['a leading zero', `o\n07\n${root}\n`],
    ['a sign', `o\n+7\n${root}\n`],
    ['no origin', `\n7\n${root}\n`],
    ['a short root', `o\n7\n${root.slice(4)}\n`],
    ['an empty extension line', `o\n7\n${root}\n\nmore\n`],
    ['no end', `o\n7\n${root}`],
    ['nothing of size zero but the empty root', `o\n0\n${Buffer.alloc(32).toString('base64')}\n`],
  ])('with %s is refused', (_what, text) => {
    expect(parseCheckpointText(text)).toBeNull()
  })

  test('may have extension lines, which are of no interest', () => {
    expect(parseCheckpointText(`o\n7\n${root}\nextension\n`)).toMatchObject({ origin: 'o', size: 7 })
  })
})
