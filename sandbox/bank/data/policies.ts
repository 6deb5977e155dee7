/** Insurance that the bank has sold to its customers: every one of them drives a car and lives somewhere. */
import { createHash } from 'node:crypto'
import type { UserSpec } from './spec.ts'

export type Policy = {
  readonly id: string
  /** As the contract names kinds of insurance (tpp-api 2.8). */
  readonly type: 'Motor' | 'Home'
  readonly name: string
  readonly number: string
}

const SOLD = [
  { type: 'Motor', name: 'Comprehensive motor cover' },
  { type: 'Home', name: 'Home and contents' },
] as const

export const policiesOf = ({ userId }: Pick<UserSpec, 'userId'>): readonly Policy[] =>
  SOLD.map(({ type, name }) => {
    const digest = createHash('sha256').update(`${userId} ${type}`).digest()
    return { id: `pol-${digest.toString('hex', 0, 8)}`, type, name, number: `P-${digest.readUInt32BE(8)}` }
  })
