/** The sandbox's authority publishes whom it has revoked, in a list that the hub's own reader accepts. */

import { readFileSync } from 'node:fs'
import { request } from 'node:https'
import { buffer } from 'node:stream/consumers'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { clientTls } from '../../sandbox/tls.ts'
import { revokeCertificate } from '../../sandbox/trust-framework/operator.ts'
import { constraintsOf } from '../../src/certificate-constraints.ts'
import { authoritiesIn } from '../../src/certificate-path.ts'
import { toInstant } from '../../src/clock.ts'
import { type Crl, readCrl } from '../../src/revocation/crl.ts'
import { certificateIn, enrolment, operator, running, start } from './trust-framework-fixture.ts'

beforeAll(start)
afterAll(() => running.close())

async function listNow(at = Date.now()): Promise<Crl> {
  const body = await new Promise<Buffer>((resolve, reject) => {
    const tls = clientTls(enrolment.ca.rootFile, undefined)
    const sent = request(`${running.publicUrl}/pki/issuing.crl`, { agent: false, ...tls }, (response) => {
      expect([response.statusCode, response.headers['content-type']]).toEqual([200, 'application/pkix-crl'])
      buffer(response).then(resolve, reject)
    })
    sent.on('error', reject)
    sent.end()
  })
  const result = readCrl(body, authoritiesIn(readFileSync(enrolment.ca.bundleFile, 'utf8')), toInstant(at))
  if (!result.ok) throw new Error(result.why)
  return result.crl
}

test('nobody is on it, then whoever the operator revokes, and that stays', async () => {
  const { transport, signing } = enrolment.tpp.second
  const serial = constraintsOf(certificateIn(transport.certFile))?.serial ?? ''
  expect(serial).not.toBe('')
  const before = await listNow()
  expect(before.serials.has(serial)).toBe(false)
  await revokeCertificate(operator(), transport.kid)
  const after = await listNow()
  expect([...after.serials].filter((each) => !before.serials.has(each))).toEqual([serial])
  expect(after.serials.has(constraintsOf(certificateIn(signing.certFile))?.serial ?? '')).toBe(false)
  expect(after.nextUpdate).toBeGreaterThan(Date.now())
})
