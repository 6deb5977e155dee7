import { describe, expect, test } from 'vitest'
import { createEarlyRefusals } from '../../../src/audit/early-refusals.ts'
import type { AuditEntry } from '../../../src/audit/entry.ts'
import { toInstant } from '../../../src/clock.ts'
import { aurora } from './entries.ts'

function counting(record?: (entries: readonly AuditEntry[]) => Promise<void>) {
  const written: AuditEntry[] = []
  const clock = { at: toInstant('2026-03-01T08:00:00Z'), now: () => clock.at }
  const audit = {
    record: async (...entries: readonly AuditEntry[]) => {
      await record?.(entries)
      written.push(...entries)
    },
  }
  return { clock, written, ...createEarlyRefusals({ audit, tenantId: aurora, clock }) }
}

describe('refusals before there is a request', () => {
  test('however many are one entry for each door, status and reason', async () => {
    const { clock, written, count, write } = counting()
    for (let at = 0; at < 10_000; at += 1) {
      count({ door: null, status: 421, reason: 'host' })
      if (at % 4 === 0) count({ door: 'rs', status: 503, reason: 'capacity' })
    }
    clock.at = toInstant('2026-03-01T08:01:00Z')
    await write()
    const common = { kind: 'refused-early', at: clock.at, since: '2026-03-01T08:00:00.000Z' }
    expect(written).toMatchObject([
      { ...common, surface: null, status: 421, reason: 'host', calls: 10_000 },
      { ...common, surface: 'rs', status: 503, reason: 'capacity', calls: 2_500 },
    ])
    await write()
    expect(written).toHaveLength(2)
  })

  test('that cannot be written are not forgotten', async () => {
    let isDown = true
    const { written, count, write } = counting(async () => {
      if (isDown) throw new Error('no database')
    })
    count({ door: 'as', status: 408, reason: 'time' })
    await expect(write()).rejects.toThrow('no database')
    isDown = false
    count({ door: 'as', status: 408, reason: 'time' })
    await write()
    expect(written).toMatchObject([{ calls: 2 }])
  })

  test('that come while others are being written are written the next time', async () => {
    const refusal = { door: 'as', status: 400, reason: 'unreadable' }
    const { written, count, write } = counting(async () => count(refusal))
    count(refusal)
    await write()
    expect(written).toMatchObject([{ calls: 1 }])
    await write()
    expect(written).toMatchObject([{ calls: 1 }, { calls: 1 }])
  })
})
