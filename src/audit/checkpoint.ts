/**
 * The signed statement of a head, in the formats of C2SP: a signed-note whose text is a tlog-checkpoint, signed with
 * Ed25519. The extension line says that the hash is the head of a linear chain and not the root of a Merkle tree,
 * and when it was signed:
 *
 *     falaj/aurora
 *     1200
 *     aV0f…=
 *     falaj-chain/v1 2026-03-01T08:00:00.000Z
 *
 *     — falaj/aurora 6qF1…==
 */
import { createHash, createPrivateKey, createPublicKey, type KeyObject, sign, verify } from 'node:crypto'
import { type Hash, hashText, parseHash } from './chain.ts'

export type Checkpoint = {
  readonly tenantId: string
  readonly size: number
  readonly head: Hash
  /** RFC 3339, UTC, milliseconds. */
  readonly signedAt: string
}

export type CheckpointSigner = { readonly publicKey: string; sign(checkpoint: Omit<Checkpoint, 'tenantId'>): string }

export type PublicKey = {
  readonly text: string
  readonly name: string
  readonly tenantId: string
  readonly id: Buffer
  readonly key: KeyObject
}

export type Opened =
  | { readonly ok: true; readonly checkpoint: Checkpoint; readonly foreignSignatures: number }
  | { readonly ok: false; readonly reason: string }

const ED25519 = 0x01
const ORIGIN = /^falaj\/([a-z][a-z0-9]{2,7})$/
const SIZE = /^(0|[1-9][0-9]{0,14})$/
const EXTENSION = /^falaj-chain\/v1 ([0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}Z)$/
const SIGNATURE = /^— ([^\s+]+) ([A-Za-z0-9+/]+={0,2})$/
/** Room for the text, our signature and those of a few witnesses. */
export const CHECKPOINT_BYTES_MAX = 8_192

const refuse = (reason: string): Opened => ({ ok: false, reason })
const originOf = (tenantId: string): string => `falaj/${tenantId}`

/** signed-note: the first four bytes of SHA-256 over name, newline, algorithm and key. */
const keyId = (name: string, typed: Buffer): Buffer =>
  createHash('sha256').update(`${name}\n`).update(typed).digest().subarray(0, 4)

export function createCheckpointSigner(tenantId: string, privateKeyPem: string): CheckpointSigner {
  const key = createPrivateKey(privateKeyPem)
  if (key.asymmetricKeyType !== 'ed25519') throw new Error('the audit key is not an Ed25519 key')
  const name = originOf(tenantId)
  const { x } = createPublicKey(key).export({ format: 'jwk' })
  const typed = Buffer.concat([Buffer.from([ED25519]), Buffer.from(x ?? '', 'base64url')])
  const id = keyId(name, typed)
  return {
    publicKey: `${name}+${id.toString('hex')}+${typed.toString('base64')}`,
    sign: ({ size, head, signedAt }) => {
      const text = `${name}\n${size}\n${hashText(head)}\nfalaj-chain/v1 ${signedAt}\n`
      const signature = Buffer.concat([id, sign(null, Buffer.from(text), key)]).toString('base64')
      return `${text}\n— ${name} ${signature}\n`
    },
  }
}

/** A verifier key of signed-note, `<name>+<hash>+<key>`; null when it contradicts itself. */
export function parsePublicKey(text: string): PublicKey | null {
  const [name = '', hash = '', encoded = ''] = splitKey(text)
  const tenantId = ORIGIN.exec(name)?.[1]
  const typed = Buffer.from(encoded, 'base64')
  if (tenantId === undefined || typed.toString('base64') !== encoded) return null
  if (typed.length !== 33 || typed[0] !== ED25519 || keyId(name, typed).toString('hex') !== hash) return null
  const x = typed.subarray(1).toString('base64url')
  const key = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' })
  return { text, name, tenantId, id: keyId(name, typed), key }
}

/** The key itself may hold `+`, being base64. */
function splitKey(text: string): string[] {
  const first = text.indexOf('+')
  const second = text.indexOf('+', first + 1)
  return second < 0 ? [] : [text.slice(0, first), text.slice(first + 1, second), text.slice(second + 1)]
}

/** Parses and verifies; nothing of a note is believed before its signature is. */
export function openCheckpoint(bytes: Buffer, publicKey: PublicKey): Opened {
  if (bytes.length > CHECKPOINT_BYTES_MAX) return refuse('the checkpoint is too long')
  const note = bytes.toString('utf8')
  if (!Buffer.from(note).equals(bytes)) return refuse('the checkpoint is not UTF-8')
  const end = note.lastIndexOf('\n\n')
  if (end < 0 || !note.endsWith('\n')) return refuse('the checkpoint has no signatures')
  const text = note.slice(0, end + 1)
  const lines = note.slice(end + 2, -1).split('\n')
  const signatures = lines.map((line) => SIGNATURE.exec(line))
  const ours = signatures.filter((found) => found?.[1] === publicKey.name && idIn(found[2]).equals(publicKey.id))
  const [signature] = ours
  if (signatures.includes(null) || !signature || ours.length !== 1)
    return refuse('the checkpoint does not carry one signature of the expected key')
  const encoded = signature[2] ?? ''
  const raw = Buffer.from(encoded, 'base64')
  const isCanonical = raw.toString('base64') === encoded
  if (!isCanonical || !verify(null, Buffer.from(text), publicKey.key, raw.subarray(4)))
    return refuse('the signature of the checkpoint does not verify')
  return readText(text, publicKey, signatures.length - 1)
}

function idIn(encoded: string | undefined): Buffer {
  return Buffer.from(encoded ?? '', 'base64').subarray(0, 4)
}

function readText(text: string, publicKey: PublicKey, foreignSignatures: number): Opened {
  const [origin, size = '', root = '', extension = '', ...rest] = text.split('\n')
  const head = parseHash(root)
  const signedAt = EXTENSION.exec(extension)?.[1]
  if (origin !== publicKey.name) return refuse('the checkpoint has another origin than its key')
  if (!SIZE.test(size) || head === null || signedAt === undefined || rest.join('\n') !== '')
    return refuse('the text of the checkpoint does not have the documented form')
  return {
    ok: true,
    checkpoint: { tenantId: publicKey.tenantId, size: Number(size), head, signedAt },
    foreignSignatures,
  }
}
