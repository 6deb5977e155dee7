/** RFC 6962 2.1: leaves and nodes begin with different octets, so that neither can pass for the other. */
import { hash } from 'node:crypto'

export const HASH_BYTES = 32

const LEAF = Buffer.from([0x00])
const NODE = Buffer.from([0x01])

const sha256 = (...parts: readonly Buffer[]): Buffer => hash('sha256', Buffer.concat(parts), 'buffer')

export const EMPTY_ROOT = sha256()
export const leafHash = (entry: Buffer): Buffer => sha256(LEAF, entry)
export const nodeHash = (left: Buffer, right: Buffer): Buffer => sha256(NODE, left, right)

/** The largest power of two that is less than `n`, for n > 1. Sizes go past 32 bits, so no bit operations. */
export const splitOf = (n: number): number => {
  let k = 1
  while (k * 2 < n) k *= 2
  return k
}

/** The root over hashes that stand side by side, at whatever height. */
export function rootOf(hashes: readonly Buffer[]): Buffer {
  const [only] = hashes
  if (only === undefined) return EMPTY_ROOT
  if (hashes.length === 1) return only
  const k = splitOf(hashes.length)
  return nodeHash(rootOf(hashes.slice(0, k)), rootOf(hashes.slice(k)))
}

export const hashText = (value: Buffer): string => value.toString('base64')

/** Only the one spelling that `hashText` gives: other base64 of the same bytes is refused. */
export function parseHash(text: string): Buffer | null {
  const value = Buffer.from(text, 'base64')
  return value.length === HASH_BYTES && hashText(value) === text ? value : null
}
