import { describe, expect, test } from 'vitest'
import { traceOf, traceparent } from '../../src/trace.ts'

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736'
const SPAN = '00f067aa0ba902b7'

describe('trace context', () => {
  test.each([
    ['as it is', `00-${TRACE}-${SPAN}-01`, '01'],
    ['that is not sampled', `00-${TRACE}-${SPAN}-00`, '00'],
    ['with flags of tomorrow', `00-${TRACE}-${SPAN}-ff`, '01'],
    ['of a later version, with more in it', `cc-${TRACE}-${SPAN}-01-more`, '01'],
  ])('a trace %s goes on, under a span of ours', (_what, header, flags) => {
    const trace = traceOf(header)
    expect(trace).toMatchObject({ traceId: TRACE, flags })
    expect(trace.spanId).not.toBe(SPAN)
    expect(traceparent(trace)).toBe(`00-${TRACE}-${trace.spanId}-${flags}`)
  })

  test.each([
    ['nothing', ''],
    ['upper case', `00-${TRACE.toUpperCase()}-${SPAN}-01`],
    ['a trace of zeros', `00-${'0'.repeat(32)}-${SPAN}-01`],
    ['a span of zeros', `00-${TRACE}-${'0'.repeat(16)}-01`],
    ['the version that never is', `ff-${TRACE}-${SPAN}-01`],
    ['more than version 00 has', `00-${TRACE}-${SPAN}-01-more`],
    ['too short a trace', `00-${TRACE.slice(1)}-${SPAN}-01`],
    ['two traces', `00-${TRACE}-${SPAN}-01, 00-${TRACE}-${SPAN}-01`],
  ])('%s begins a new trace, which nobody asked to sample', (_what, header) => {
    const trace = traceOf(header)
    expect(traceparent(trace)).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-00$/)
    expect(trace.traceId).not.toBe(TRACE)
    expect(traceOf(header).traceId).not.toBe(trace.traceId)
  })
})
