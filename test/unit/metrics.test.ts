import { expect, test } from 'vitest'
import { createMetrics, type Levels } from '../../src/metrics.ts'

const levels = (async () => ({
  falaj_audit_pending_seconds: 7,
  falaj_witness_behind_seconds: null,
})) as unknown as Levels

test('what each witness said is counted by its name, and counted once however often it is read', async () => {
  const counts = new Map([['witness.example/w', { cosigned: 3, refused: 1, failed: 2 }]])
  const metrics = createMetrics(levels, {
    witnesses: () => counts,
    certificates: () => [{ name: 'listeners.rs', seconds: 86_400 }],
    audit: () => 2_500,
    spans: null,
  })
  await metrics.read()
  counts.set('witness.example/w', { cosigned: 4, refused: 1, failed: 2 })
  const { text } = await metrics.read()
  expect(text).toContain('falaj_witness_cosignatures_total{witness="witness.example/w"} 4\n')
  expect(text).toContain('falaj_witness_refusals_total{witness="witness.example/w"} 1\n')
  expect(text).toContain('falaj_witness_failures_total{witness="witness.example/w"} 2\n')
  expect(text).toContain('falaj_audit_pending_seconds 7\n')
  expect(text).toContain('falaj_audit_rested_seconds_total 2.5\n')
  expect(text).toContain('falaj_witness_behind_seconds Nan\n')
  expect(text).toContain('falaj_certificate_expires_seconds{certificate="listeners.rs"} 86400\n')
})
