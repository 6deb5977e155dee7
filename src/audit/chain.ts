/**
 * The chain, pure: every entry's hash covers its bytes and the hash before it, so the head stands for all entries in
 * their order. The two inputs to SHA-256 begin with different octets, as in RFC 9162 2.1.1: a genesis can never pass
 * for a link. A link needs no separators, since the hash in front has a fixed length.
 */
import { createHash } from 'node:crypto'
import type { Brand } from '../ids.ts'
import { decode } from './entry.ts'

export type Hash = Brand<Buffer, 'Hash'>
/** How many entries were linked, and the hash of the last. */
export type Position = { readonly size: number; readonly head: Hash }
export type Linked = { readonly seq: number; readonly hash: Buffer; readonly bytes: Buffer }

const HASH_BYTES = 32
const GENESIS = Buffer.from('\x00falaj-audit/v1\n')
const LINK = Buffer.from([0x01])

const sha256 = (...parts: readonly Buffer[]): Hash => {
  const hash = createHash('sha256')
  for (const part of parts) hash.update(part)
  return hash.digest() as Hash
}

/** Where a tenant's chain begins. Bound to the tenant: one tenant's entries cannot be shown as another's. */
export const genesis = (tenantId: string): Position => ({ size: 0, head: sha256(GENESIS, Buffer.from(tenantId)) })

export const advance = (at: Position, bytes: Buffer): Position => ({
  size: at.size + 1,
  head: sha256(LINK, at.head, bytes),
})

/** The position after an entry that somebody claims comes next, or why it does not. */
export function check(tenantId: string, at: Position, claimed: Linked): Position | string {
  if (claimed.seq !== at.size + 1) return `entry ${at.size + 1} is missing: ${claimed.seq} stands in its place`
  const next = advance(at, claimed.bytes)
  if (!next.head.equals(claimed.hash)) return 'its bytes or those before it are not the ones that were hashed'
  const entry = decode(claimed.bytes)
  if (entry === null) return 'it is not an audit entry'
  if (entry.tenantId !== tenantId) return 'it belongs to another tenant'
  return next
}

export const hashText = (hash: Buffer): string => hash.toString('base64')

/** Only the one spelling that `hashText` gives: other base64 of the same bytes is refused. */
export function parseHash(text: string): Hash | null {
  const hash = Buffer.from(text, 'base64')
  return hash.length === HASH_BYTES && hashText(hash) === text ? (hash as Hash) : null
}
