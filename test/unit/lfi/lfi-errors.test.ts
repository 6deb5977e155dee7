import { expect, test } from 'vitest'
import { ERRORS } from '../../../src/errors.ts'
import type { Attempt } from '../../../src/lfi/exchange.ts'
import { toTppError } from '../../../src/lfi/lfi-errors.ts'

const answered = (status: number, body: unknown): Attempt => ({
  outcome: 'answered',
  status,
  contentType: 'application/json',
  retryAfterSeconds: null,
  body: Buffer.from(typeof body === 'string' ? body : JSON.stringify(body)),
})

test('whatever an LFI answers, the TPP gets a status and a code of the contract, and no secret of the inside', () => {
  const documented = new Set([400, 403, 404, 429, 500])
  const codes = [
    ...Object.keys(ERRORS),
    'Bank.Code',
    'x',
    '',
    '__proto__',
    'constructor',
    `A.${'b'.repeat(200)}`,
    7,
    null,
  ]
  for (let status = 300; status < 600; status++) {
    for (const errorCode of codes) {
      const error = toTppError(answered(status, { errorCode, errorMessage: 'inside' }), { has404: status % 2 === 0 })
      expect(documented).toContain(error.status)
      const { body, status: own } = ERRORS[error.code]
      // Only codes that may stand under several statuses do.
      if (error.status !== own) expect(error.code).toMatch(/^Generic|^Consent\.|^JW|^Body|^Resource|^Event/)
      if (error.status >= 500) expect(error.reason).not.toContain('inside')
      if (error.wireCode !== error.code) expect(error.wireCode).toMatch(/^[A-Za-z]+\.[A-Za-z0-9]+$/)
      if (body) expect(error.reason.length).toBeGreaterThan(0)
    }
  }
})

test.each([
  ['timeout', 'GenericRecoverableError'],
  ['unreachable', 'GenericRecoverableError'],
  ['cancelled', 'GenericRecoverableError'],
  ['invalid-response', 'GenericError'],
] as const)('an attempt that ended as %s is %s', (outcome, code) => {
  const error = toTppError({ outcome, status: null, why: 'ECONNREFUSED 10.0.0.7' }, { has404: true })
  expect([error.status, error.code]).toEqual([500, code])
  expect(error.reason).not.toContain('10.0.0.7')
})

test('words may be in any script and are cut by characters of the wire', () => {
  const error = toTppError(answered(400, { errorCode: 'Consent.Invalid', errorMessage: 'ع'.repeat(600) }), {
    has404: false,
  })
  expect(error.reason).toBe('ع'.repeat(500))
})
