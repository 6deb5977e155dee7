/** New certificates of the hub, with new keys, in the place of the old files: as an operator replaces them. */

import { X509Certificate } from 'node:crypto'
import { readFileSync, renameSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { connect } from 'node:tls'
import { thumbprintOf } from '../../../sandbox/tls.ts'
import type { CertificateKind } from '../../../sandbox/trust-framework/certificate-kinds.ts'
import { loadEnrolment } from '../../../sandbox/trust-framework/enrolment.ts'
import { newRsaKey, openAuthority, pemOf, type Subject } from '../../../sandbox/trust-framework/pki.ts'
import type { World } from '../../auth-server/support/world.ts'

type Files = { readonly certFile: string; readonly keyFile: string }

/** Of the listeners, and towards the LFI. What the listeners show from their next start on. */
export async function renewCertificates({ dataDir }: World): Promise<string> {
  const { ca, hubs, hubOperator } = loadEnrolment(dataDir)
  const { server, toLfi, organisationId, lfiName } = hubs.aurora
  const authority = await openAuthority(dirname(ca.rootFile), 'Falaj Sandbox')
  const renew = async (kind: CertificateKind, files: Files, subject: Subject): Promise<string> => {
    const key = await newRsaKey()
    const pem = await authority.issue({ kind, subject, key })
    put(files.keyFile, pemOf(key))
    put(files.certFile, `${pem}${authority.chainPem}`)
    return thumbprintOf(new X509Certificate(pem))
  }
  const { clientId } = toLfi
  await renew('client-transport', toLfi, {
    organisation: hubOperator.name,
    organisationId: toLfi.organisationId,
    clientId,
  })
  return renew('server-transport', server, { organisation: lfiName, organisationId })
}

/** Beside its place and renamed: whoever starts meanwhile reads one or the other. */
function put(file: string, text: string): void {
  writeFileSync(`${file}.next`, text, { mode: 0o600 })
  renameSync(`${file}.next`, file)
}

/** Which certificate a listener shows. */
export function shownAt(port: number, caFile: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: '127.0.0.1', port, servername: 'localhost', ca: readFileSync(caFile) }, () => {
      const { raw } = socket.getPeerCertificate()
      socket.destroy()
      resolve(thumbprintOf(new X509Certificate(raw)))
    })
    socket.on('error', reject)
  })
}
