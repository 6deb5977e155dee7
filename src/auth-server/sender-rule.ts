/**
 * What a request must show of its sender besides the client's authentication, by the client's profile: its own
 * certificate, a DPoP proof, or both, and nothing that the profile does not know (FAPI 2.0 SP 5.3.2.1-4 and -6).
 *
 * The engine judges proofs as well, and binds the tokens to them. Here is what it leaves open (measured): with a nonce
 * it takes a proof of any age, and it lets every client bind its tokens to a proof.
 */
import { type ClientMetadata, errors, type KoaContextWithOIDC, Provider } from 'oidc-provider'
import { peerCertificate } from '../caller.ts'
import { type Clock, epochSeconds } from '../clock.ts'
import { judgeProof } from '../dpop-proof.ts'
import type { Client, Participants } from '../participants/index.ts'
import type { ClientProfile, ProfileOf } from '../profiles.ts'
import { type PeerCertificate, whyDistrusted } from '../tls.ts'

export type SenderRuleDeps = {
  /** Where TPPs reach the endpoints. */
  readonly origin: string
  readonly clock: Clock
  readonly profileOf: ProfileOf
}
/** @throws InvalidRequest, InvalidDpopProof */
export type SenderRule = (ctx: KoaContextWithOIDC, clientId: string) => void

/** Endpoints that bind what they give to a proof. The others take tokens back, and bind nothing. */
const BINDING_ROUTES: ReadonlySet<string> = new Set(['pushed_authorization_request', 'token'])

export function createSenderRule({ origin, clock, profileOf }: SenderRuleDeps): SenderRule {
  return (ctx, clientId) => {
    const proof = ctx.get('dpop')
    const usesDpop = profileOf(clientId)?.senderConstraint === 'dpop'
    if (proof !== '' && !usesDpop) throw new errors.InvalidRequest('this client does not use DPoP')
    if (proof === '') {
      // At /par the key may also be named, or left open until the code is redeemed (RFC 9449 10).
      if (usesDpop && ctx.oidc.route === 'token') throw new errors.InvalidDpopProof('a DPoP proof is required')
      return
    }
    if (!BINDING_ROUTES.has(ctx.oidc.route)) return
    const judged = judgeProof(proof, {
      method: ctx.method,
      url: `${origin}${ctx.path}`,
      nowSeconds: epochSeconds(clock.now()),
      accessTokenHash: null,
    })
    if (!judged.ok) throw new errors.InvalidDpopProof(judged.why)
  }
}

/** The engine compares this member of the client's metadata with the certificate (RFC 8705 2.1.2). */
export const TLS_SUBJECT = 'tls_client_auth_subject_dn'

/** A name may hold anything, an organisation id is a UUID: there is one way to read it. */
export const subjectOf = (holder: { readonly commonName: string; readonly organisationId: string | null }): string =>
  `CN=${holder.commonName},OU=${holder.organisationId}`

export const peerOf = (ctx: KoaContextWithOIDC): PeerCertificate | null => peerCertificate(ctx.req)

/** The engine's hooks for tls_client_auth. Whether the directory lists the certificate is asked in `assertListed`. */
export const tlsClientAuth = (rule: SenderRule) => ({
  certificateAuthorized: (ctx: KoaContextWithOIDC): boolean => peerOf(ctx)?.trusted === true,
  certificateSubjectMatches: (ctx: KoaContextWithOIDC, property: string, expected: unknown): boolean => {
    const peer = peerOf(ctx)
    if (property !== TLS_SUBJECT || peer === null || subjectOf(peer) !== expected) return false
    rule(ctx, ctx.oidc.client?.clientId ?? '')
    return true
  },
})

/** At `hh` it is the LFI that calls, about a client that is elsewhere. */
const LFI_ROUTES: ReadonlySet<string> = new Set(['authorization', 'resume'])

/**
 * For who authenticates with its certificate alone: whether the directory lists it as active. Asked when the engine
 * looks the client up, because its hooks cannot wait for an answer.
 */
export async function assertListed(participants: Participants, client: Client, profile: ClientProfile): Promise<void> {
  const { ctx } = Provider
  if (profile.authentication !== 'tls_client_auth' || ctx?.oidc === undefined) return
  if (LFI_ROUTES.has(ctx.oidc.route)) return
  const fault = await certificateFault(participants, client, peerOf(ctx))
  if (fault !== null) throw new errors.InvalidClientAuth(fault)
}

/** What is wrong with the certificate as one of this client; null: nothing. */
export async function certificateFault(
  participants: Participants,
  client: Client | null,
  peer: PeerCertificate | null,
): Promise<string | null> {
  if (peer === null) return 'a transport certificate is required'
  if (!peer.trusted) return `the transport certificate ${whyDistrusted(peer)}`
  if (client === null || peer.commonName !== client.clientId || peer.organisationId !== client.organisationId) {
    return 'the transport certificate belongs to another application'
  }
  let status = participants.certificateStatus(client, peer.thumbprint)
  if (status === 'unknown') {
    // It may be newer than what is known of the client.
    const renewed = await participants.refresh(client.clientId)
    if (renewed !== null) status = participants.certificateStatus(renewed, peer.thumbprint)
  }
  return status === 'active' ? null : `the transport certificate is ${status} in the trust framework`
}

/** What the engine is told of the client. */
export const senderMetadata = (client: Client, profile: ClientProfile): Partial<ClientMetadata> => ({
  ...(profile.senderConstraint === 'dpop'
    ? { dpop_bound_access_tokens: true }
    : // With neither flag the engine would issue an unbound token, FAPI 2.0 or not (authorization-server 5).
      { tls_client_certificate_bound_access_tokens: true }),
  ...(profile.authentication === 'tls_client_auth'
    ? { [TLS_SUBJECT]: subjectOf({ commonName: client.clientId, organisationId: client.organisationId }) }
    : {}),
})
