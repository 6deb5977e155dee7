/** Keys of signed-note: a name, an id of four bytes, and what kind of signature they make. */
import { createHash, createPrivateKey, createPublicKey, type KeyObject, sign, verify } from 'node:crypto'
import type { Note, NoteSignature } from './note.ts'

/** 0x01 signs the text; 0x04 is a witness, which signs the text and the time (tlog-cosignature). */
export const SIGNATURE_TYPES = { log: 0x01, cosignature: 0x04 } as const
export type SignatureType = keyof typeof SIGNATURE_TYPES

export type VerifierKey = {
  /** `<name>+<id in hex>+<base64 of type and key>`: a vkey, as published. */
  readonly text: string
  readonly type: SignatureType
  readonly name: string
  readonly id: Buffer
  readonly key: KeyObject
}
export type SignerKey = { readonly verifier: VerifierKey; readonly key: KeyObject }

const RAW_KEY_BYTES = 32
const NAME = /^[^\s+]+$/u

/** signed-note: the first four bytes of SHA-256 over name, newline, type and key. */
const idOf = (name: string, typed: Buffer): Buffer =>
  createHash('sha256').update(`${name}\n`).update(typed).digest().subarray(0, 4)

function verifierOf(name: string, type: SignatureType, raw: Buffer): VerifierKey {
  const typed = Buffer.concat([Buffer.from([SIGNATURE_TYPES[type]]), raw])
  const id = idOf(name, typed)
  const key = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x: raw.toString('base64url') }, format: 'jwk' })
  return { text: `${name}+${id.toString('hex')}+${typed.toString('base64')}`, type, name, id, key }
}

/** From a PEM, private or public. */
export function verifierFromPem(name: string, type: SignatureType, pem: string): VerifierKey {
  const key = createPublicKey(pem)
  if (key.asymmetricKeyType !== 'ed25519') throw new Error('not an Ed25519 key')
  return verifierOf(name, type, Buffer.from(key.export({ format: 'jwk' }).x ?? '', 'base64url'))
}

export function signerFromPem(name: string, type: SignatureType, pem: string): SignerKey {
  const key = createPrivateKey(pem)
  return { verifier: verifierFromPem(name, type, pem), key }
}

/** null when the text contradicts itself. */
export function parseVerifierKey(text: string): VerifierKey | null {
  const first = text.indexOf('+')
  const second = text.indexOf('+', first + 1)
  if (first < 1 || second < 0) return null
  const [name, id, encoded] = [text.slice(0, first), text.slice(first + 1, second), text.slice(second + 1)]
  const typed = Buffer.from(encoded, 'base64')
  const type =
    typed[0] === SIGNATURE_TYPES.log ? 'log' : typed[0] === SIGNATURE_TYPES.cosignature ? 'cosignature' : null
  if (!NAME.test(name) || type === null || typed.length !== RAW_KEY_BYTES + 1) return null
  if (typed.toString('base64') !== encoded || idOf(name, typed).toString('hex') !== id) return null
  return verifierOf(name, type, typed.subarray(1))
}

/** The signature of a log: Ed25519 over the text. */
export const signText = ({ verifier, key }: SignerKey, text: string): NoteSignature => ({
  name: verifier.name,
  id: verifier.id,
  signature: sign(null, Buffer.from(text), key),
})

const TIME_BYTES = 8
/** tlog-cosignature: what a witness signs. */
const cosigned = (text: string, seconds: bigint): Buffer => Buffer.from(`cosignature/v1\ntime ${seconds}\n${text}`)

export function cosignText({ verifier, key }: SignerKey, text: string, seconds: number): NoteSignature {
  const time = Buffer.alloc(TIME_BYTES)
  time.writeBigUInt64BE(BigInt(seconds))
  const signature = Buffer.concat([time, sign(null, cosigned(text, BigInt(seconds)), key)])
  return { name: verifier.name, id: verifier.id, signature }
}

/** signed-note: signatures of unknown keys are ignored, one of a known key that does not verify spoils the note. */
export function isSignedBy({ text, signatures }: Note, key: VerifierKey): boolean {
  const ours = signatures.filter(({ name, id }) => name === key.name && id.equals(key.id))
  return ours.length > 0 && ours.every(({ signature }) => verifies(text, signature, key))
}

function verifies(text: string, signature: Buffer, { type, key }: VerifierKey): boolean {
  if (type === 'log') return verify(null, Buffer.from(text), key, signature)
  if (signature.length <= TIME_BYTES) return false
  return verify(null, cosigned(text, signature.readBigUInt64BE()), key, signature.subarray(TIME_BYTES))
}
