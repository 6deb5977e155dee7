/**
 * Who sent a request, as its listener found out, once and for every room: from the handshake, or from what a trusted
 * proxy hands on. Whoever needs the certificate or the address asks here, so that both ways of ending TLS give the
 * same answers.
 */
import type { X509Certificate } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import type { PeerCertificate } from './tls.ts'

export type Caller = {
  readonly certificate: X509Certificate | null
  readonly peer: PeerCertificate | null
  /** Of the caller itself, also when a proxy stands in between. '' when it is not known. */
  readonly address: string
  /** The authority cannot be asked whether it has revoked the certificate, and the operator wants to know. */
  readonly undecided: boolean
}

const NOBODY: Caller = { certificate: null, peer: null, address: '', undecided: false }
const callers = new WeakMap<IncomingMessage, Caller>()

export const setCaller = (request: IncomingMessage, caller: Caller): void => void callers.set(request, caller)

/** A request that came through no listener of the hub is nobody's. */
export const whoSent = (request: IncomingMessage): Caller => callers.get(request) ?? NOBODY

/** null when none was shown. */
export const peerCertificate = (request: IncomingMessage): PeerCertificate | null => whoSent(request).peer
