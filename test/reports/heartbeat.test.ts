import { expect, test } from 'vitest'
import type { Audit, AuditEntry } from '../../src/audit/index.ts'
import { createHeartbeat } from '../../src/reports/index.ts'
import { handClock } from '../support/clock.ts'
import { aurora } from '../unit/audit/entries.ts'

test('a heartbeat records what it finds first and each change, and a change that was not recorded again', async () => {
  const recorded: string[] = []
  let isBroken = false
  const audit = {
    record: async (...entries: readonly AuditEntry[]) => {
      if (isBroken) throw new Error('the database is gone')
      recorded.push(
        ...entries.map((entry) => (entry.kind === 'system' ? `${entry.event} ${entry.detail}` : entry.kind)),
      )
    },
  } as Pick<Audit, 'record'> as Audit
  let answer = { ok: true, detail: null as string | null }
  const beat = createHeartbeat({ hello: async () => answer, audit, tenantId: aurora, clock: handClock() })
  await beat()
  await beat()
  expect(recorded).toEqual(['lfi-up null'])
  answer = { ok: false, detail: 'answered 503' }
  isBroken = true
  await expect(beat()).rejects.toThrow('gone')
  isBroken = false
  await beat()
  await beat()
  answer = { ok: true, detail: null }
  await beat()
  expect(recorded).toEqual(['lfi-up null', 'lfi-down answered 503', 'lfi-up null'])
})
