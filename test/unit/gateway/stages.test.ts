import { describe, expect, test } from 'vitest'
import { toInstant } from '../../../src/clock.ts'
import type { Arrival } from '../../../src/gateway/facts.ts'
import type { Services } from '../../../src/gateway/services.ts'
import { checkCertificate } from '../../../src/gateway/stages/check-certificate.ts'
import type { PeerCertificate } from '../../../src/tls.ts'

const NOW = 1_800_000_000_000
const peer = { trusted: true, expiresAt: NOW + 1 } as PeerCertificate
const check = (more: Partial<PeerCertificate> | null) => () =>
  checkCertificate.run(
    { arrival: { peer: more && { ...peer, ...more }, receivedAt: toInstant(NOW) } as Arrival },
    {} as Services,
  )

describe('check-certificate', () => {
  test('lets a trusted certificate pass that is in time', () => {
    expect(check({})()).toEqual({ peer })
  })

  test.each([
    ['none', null],
    ['one of somebody else', { trusted: false }],
    ['one that has run out since the handshake', { expiresAt: NOW }],
  ])('refuses %s', (_name, more) => {
    expect(check(more)).toThrow(expect.objectContaining({ code: 'Unauthorized' }))
  })
})
