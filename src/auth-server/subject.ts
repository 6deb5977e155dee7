/** The `sub` of a customer: the same for all clients (subject type public), and never the LFI's own identifier. */
import { createHmac } from 'node:crypto'
import type { Db } from '../db.ts'

export type SubjectOf = (psuUserId: string) => Promise<string>

export function createSubject(db: Db): SubjectOf {
  let secret: Promise<Buffer> | null = null
  const load = async (): Promise<Buffer> => {
    const row = await db('tenant_secret').where({ name: 'subject' }).first<{ value: Buffer }>('value')
    if (row === undefined) throw new Error('the subject secret is missing from tenant_secret')
    return row.value
  }
  return async (psuUserId) => {
    secret ??= load().catch((error: unknown) => {
      secret = null
      throw error
    })
    return createHmac('sha256', await secret)
      .update(psuUserId)
      .digest('base64url')
  }
}
