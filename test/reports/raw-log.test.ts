import { describe, expect, test } from 'vitest'
import type { Accepted, AuditReader, EntryId } from '../../src/audit/index.ts'
import { rawLog } from '../../src/reports/raw-log.ts'

const AT = '2026-03-01T08:00:00.000Z'
const SPAN = { from: Date.parse(AT) - 1, to: Date.parse(AT) + 1 }

/** A log of any length that is nowhere but in what was asked for. */
function endless(length: number) {
  const asked: number[] = []
  const reader = {
    range: async (from: number, limit: number): Promise<readonly Accepted[]> => {
      asked.push(limit)
      return Array.from({ length: Math.min(limit, Math.max(0, length - from)) }, (_, place) => ({
        entryId: String(from + place) as EntryId,
        index: from + place,
        acceptedAt: new Date(AT),
        bytes: Buffer.alloc(0),
        openings: [],
        entry: { v: 2, kind: 'tpp-call', at: AT, tenantId: 'aurora', interactionId: null, status: 200, hubMs: 1 },
      }))
    },
  } as Pick<AuditReader, 'range'> as AuditReader
  return { asked, reader }
}

describe('the raw log', () => {
  test('is read as it is written: nobody who stops reading makes the hub hold the rest', async () => {
    const { asked, reader } = endless(1_000_000)
    const lines = rawLog(reader, 'lfi', SPAN, 'ndjson')
    for (let line = 0; line < 600; line += 1) expect((await lines.next()).done).toBe(false)
    expect(asked).toEqual([500, 500])
    await lines.return(undefined)
    expect(asked).toHaveLength(2)
  })

  test('is complete where its portions meet, in both forms', async () => {
    for (const length of [0, 1, 499, 500, 501, 1_000]) {
      const seqs: number[] = []
      for await (const line of rawLog(endless(length).reader, 'lfi', SPAN, 'ndjson')) {
        seqs.push((JSON.parse(line) as { LogSequence: number }).LogSequence)
      }
      expect(seqs).toEqual(Array.from({ length }, (_, index) => index))
      let csv = ''
      for await (const line of rawLog(endless(length).reader, 'lfi', SPAN, 'csv')) csv += line
      expect(csv.trimEnd().split('\r\n')).toHaveLength(length + 1)
    }
  })
})
