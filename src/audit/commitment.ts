/**
 * A value that can be destroyed although the log cannot: the entry holds a digest of the value and of a salt that
 * nobody can guess, and salt and value stand in a table of their own. While they are there, anybody who is shown them
 * can check them against the entry; once they are gone the digest says nothing, and the tree is as valid as before.
 *
 *     commitment = SHA-256("falaj-commitment/v1" LF field LF ‖ 16 octets of salt ‖ value in UTF-8), in base64
 *
 * Every field has a salt of its own: opening one must not help to guess another of the same entry.
 */
import { hash, randomFillSync } from 'node:crypto'

export type Opening = { readonly field: string; readonly salt: Buffer; readonly value: string }

const SALT_BYTES = 16
/** Randomness is asked for in larger pieces: a call per salt would cost more than the digest. */
const POOL_BYTES = 4096

let pool = Buffer.alloc(0)

function newSalt(): Buffer {
  if (pool.length < SALT_BYTES) pool = randomFillSync(Buffer.alloc(POOL_BYTES))
  const salt = pool.subarray(0, SALT_BYTES)
  pool = pool.subarray(SALT_BYTES)
  return salt
}

export const commitmentOf = ({ field, salt, value }: Opening): string =>
  hash(
    'sha256',
    Buffer.concat([Buffer.from(`falaj-commitment/v1\n${field}\n`), salt, Buffer.from(value, 'utf8')]),
    'base64',
  )

export function commit(field: string, value: string): { readonly commitment: string; readonly opening: Opening } {
  const opening = { field, salt: newSalt(), value }
  return { commitment: commitmentOf(opening), opening }
}
