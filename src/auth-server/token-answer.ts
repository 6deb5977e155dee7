/** The answer of the token endpoint: what the engine's lacks and has too much, and how it is had again when it was lost. */
import { calculateJwkThumbprint, decodeProtectedHeader, type JWK } from 'jose'
import type { KeyRing } from '../keys/index.ts'
import type { HubContext } from '../listener.ts'
import { addClaims } from './id-token-claims.ts'
import type { AnswerKey, KeptAnswers } from './kept-answers.ts'
import { grantDetailOf, type Oidc } from './tpp-records.ts'
import type { Unit } from './unit-of-work.ts'

export type TokenAnswerDeps = { readonly keys: KeyRing; readonly answers: KeptAnswers }

/**
 * Added are the LFI's own claims, which came with doConfirm and wait at the grant. The refresh token stays the same and
 * has no place in the answer to its use (tpp-api 3.2); that one may be had any number of times, so it is not kept.
 */
export async function completeToken(ctx: HubContext, deps: TokenAnswerDeps, oidc: Oidc, unit: Unit): Promise<void> {
  const { refresh_token: refreshToken, ...answer } = ctx.body as Readonly<Record<string, unknown>>
  const key = await exchangeKey(ctx, oidc)
  const claims = grantDetailOf(oidc)?.idTokenClaims ?? {}
  const { id_token: idToken } = answer
  const adds = typeof idToken === 'string' && Object.keys(claims).length > 0
  ctx.body = {
    ...answer,
    ...(key === null ? {} : { refresh_token: refreshToken }),
    ...(adds ? { id_token: await addClaims(idToken, claims, deps.keys.now().signing[0]) } : {}),
  }
  const grantId = oidc.entities.Grant?.jti ?? null
  if (key !== null) await deps.answers.keep(unit, ctx.res, key, { answer: ctx.body, grantId })
}

/**
 * For an exchange that is refused because the code was used: all else about it is right. Whoever used the code and
 * never got the answer gets it now, and nothing ends. False: there is none, or it is not this caller's.
 */
export async function answerAgain(ctx: HubContext, deps: TokenAnswerDeps, oidc: Oidc, unit: Unit): Promise<boolean> {
  const key = await exchangeKey(ctx, oidc)
  const answer = key === null ? null : await deps.answers.again(ctx.res, key)
  if (answer === null) return false
  unit.spareGrants()
  ctx.status = 200
  ctx.body = answer
  return true
}

/** The same code, from the same client, over the same certificate and with the same DPoP key. */
async function exchangeKey({ state, headers }: HubContext, { params, client }: Oidc): Promise<AnswerKey | null> {
  const { grant_type: grantType, code } = params ?? {}
  if (grantType !== 'authorization_code' || typeof code !== 'string' || client === undefined) return null
  return { secret: code, about: [client.clientId, state.peer?.thumbprint ?? '', await proofKey(headers['dpop'])] }
}

/** The engine has judged the proof. */
async function proofKey(proof: string | readonly string[] | undefined): Promise<string> {
  if (typeof proof !== 'string') return ''
  return calculateJwkThumbprint(decodeProtectedHeader(proof).jwk as JWK)
}
