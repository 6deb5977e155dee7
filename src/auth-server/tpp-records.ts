/** What the audit log says of a request at the `as` door. */
import type { KoaContextWithOIDC } from 'oidc-provider'
import type { AuditEntry } from '../audit/index.ts'
import { receivedDigest } from '../body.ts'
import type { Instant } from '../clock.ts'
import { type ClientId, type ConsentId, type CorrelationId, type TenantId, toClientId, toConsentId } from '../ids.ts'
import type { ReviewCall } from '../lfi/index.ts'
import type { HubContext } from '../listener.ts'
import { resourceOf, UNEXPLAINED } from '../measure.ts'
import { oauthErrorOf, oauthReasonOf } from './oauth-answer.ts'
import type { GrantDetail } from './provider.ts'
import type { TppOperation, TppOperationName } from './tpp-operations.ts'

export type Oidc = KoaContextWithOIDC['oidc']
type StepEntry = Extract<AuditEntry, { kind: 'authorization-step' }>
type Step = StepEntry['step']
type Common = Pick<AuditEntry, 'at' | 'interactionId' | 'tenantId'>

/** What a request turned out to be about, as far as the engine does not know it; filled in as it goes. */
export type TppTrace = {
  readonly operation: TppOperation | null
  clientId: ClientId | null
  consentId: ConsentId | null
  /** The push that the consent came with, of whatever follows from it. */
  parentInteractionId: CorrelationId | null
  /** Its step was recorded together with the change that it made. */
  stepRecorded: boolean
  /** What the LFI was asked on the way. */
  readonly lfiCalls: ReviewCall[]
}

/** Absent where the request did not get as far as the engine. */
export const oidcOf = (ctx: HubContext): Oidc | undefined => (ctx as unknown as { readonly oidc?: Oidc }).oidc

export const grantDetailOf = (oidc: Oidc | undefined): GrantDetail | undefined =>
  ((oidc?.entities.Grant?.rar ?? []) as unknown as readonly GrantDetail[])[0]

export function commonOf(ctx: HubContext, at: Instant, tenantId: TenantId): Common {
  return { at, interactionId: ctx.state.correlationId, tenantId }
}

export const consentOf = (ctx: HubContext, { consentId }: TppTrace): ConsentId | null =>
  consentId ?? toConsentId(grantDetailOf(oidcOf(ctx))?.ConsentId)

export function entriesOf(ctx: HubContext, common: Common, trace: TppTrace): [AuditEntry, ...AuditEntry[]] {
  const oidc = oidcOf(ctx)
  const { operation } = trace
  const clientId = clientOf(ctx, oidc) ?? trace.clientId
  const consentId = consentOf(ctx, trace)
  const error = oauthErrorOf(ctx)
  const lfiMs = trace.lfiCalls.reduce((sum, each) => sum + each.lfiMs, 0)
  const call: AuditEntry = {
    ...common,
    at: ctx.state.receivedAt,
    kind: 'tpp-call',
    surface: 'as',
    clientId,
    organisationId: ctx.state.peer?.trusted === true ? ctx.state.peer.organisationId : null,
    operationId: operation?.name ?? null,
    method: ctx.method,
    route: operation?.path ?? null,
    status: ctx.status,
    errorCode: error,
    consentId,
    attended: false,
    hubMs: performance.now() - ctx.state.startedAt - lfiMs,
    lfiMs: trace.lfiCalls.length === 0 ? null : lfiMs,
    lfiStatus: trace.lfiCalls.at(-1)?.attempt.status ?? null,
    records: null,
    softwareStatementId: null,
    apiSet: null,
    hubInMs: null,
    hubOutMs: null,
    lfiOutcome: null,
    paymentType: null,
    merchantId: null,
    resource: resourceOf(operation?.path ?? null),
    ...UNEXPLAINED,
    expected: oauthReasonOf(ctx),
    // Tokens are among these answers: not even a digest of one is kept.
    responseDigest: null,
    // And among all these requests but a push, which alone is watched.
    requestDigest: receivedDigest(ctx.req),
    parentInteractionId: trace.parentInteractionId,
  }
  const step = operation === null ? null : STEPS[operation.name](oidc)
  const asked = trace.lfiCalls.map(
    ({ operationId, method, route, lfiMs, attempt, requestDigest, understood }): AuditEntry => ({
      ...common,
      kind: 'lfi-call',
      clientId,
      consentId,
      operationId,
      method,
      route,
      status: attempt.status,
      outcome: attempt.status === 200 && !understood ? 'invalid-response' : attempt.outcome,
      lfiMs,
      requestDigest,
      parentInteractionId: null,
    }),
  )
  if (step === null || trace.stepRecorded) return [call, ...asked]
  const outcome = ctx.status < 400 ? 'done' : 'refused'
  return [call, ...asked, { ...common, kind: 'authorization-step', step, outcome, error, clientId, consentId }]
}

/** The engine knows a client before it has authenticated it: a name that somebody else gave is not recorded as theirs. */
function clientOf(ctx: HubContext, oidc: Oidc | undefined): ClientId | null {
  const named = toClientId(oidc?.client?.clientId)
  const isProven = oauthErrorOf(ctx) !== 'invalid_client' || ctx.state.peer?.commonName === named
  return isProven ? named : null
}

const STEP_OF_GRANT: ReadonlyMap<unknown, Step> = new Map([
  ['authorization_code', 'token-code'],
  ['refresh_token', 'token-refresh'],
  ['client_credentials', 'token-client-credentials'],
])

const STEPS: Readonly<Record<TppOperationName, (oidc: Oidc | undefined) => Step | null>> = {
  par: () => 'par',
  token: (oidc) => STEP_OF_GRANT.get(oidc?.params?.['grant_type']) ?? null,
  revocation: () => 'revocation',
  introspection: () => 'introspection',
  userinfo: () => 'userinfo',
}
