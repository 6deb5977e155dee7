/**
 * Token revocation (RFC 7009). An access token is refused from the next request on, at every node. A refresh token
 * takes its grant with it, and so every access token that came of it (2.1); the consent stays as the customer gave it,
 * but nothing can be had under it any more: the TPP needs a new authorization. Whatever is unknown, or somebody else's,
 * is revoked already as far as the caller can tell (2.2).
 */

import type { ConsentStore } from '../../consent-store/index.ts'
import { type Db, inTransaction, type Tx } from '../../db.ts'
import type { ClientId } from '../../ids.ts'
import type { Participants } from '../../participants/index.ts'
import { endGrant } from '../engine-records.ts'
import type { AccessToken, IssuedToken, IssuedTokens } from './issued-tokens.ts'

export type RevocationDeps = {
  readonly tokens: IssuedTokens
  readonly db: Db
  readonly consents: ConsentStore
  readonly participants: Participants
}

export type Revoked =
  | { readonly outcome: 'revoked'; readonly token: IssuedToken }
  | { readonly outcome: 'nothing-to-do' }
  /** More are revoked at the moment than can be kept: the token still stands (RFC 7009 2.2.1). */
  | { readonly outcome: 'full' }

/** `trace` leaves the audit entry of a revocation, in the transaction that makes it. */
export async function revoke(
  deps: RevocationDeps,
  asking: ClientId,
  text: string,
  trace: (tx: Tx, token: IssuedToken) => Promise<unknown>,
): Promise<Revoked> {
  const token = await deps.tokens.read(text)
  if (token === null || token.clientId !== asking || !(await isTied(deps, token))) return { outcome: 'nothing-to-do' }
  return inTransaction(deps.db, async (tx) => {
    if (token.kind === 'refresh') await endGrant(tx, token.authorization.grantId, deps.consents.detachGrant)
    else if (!(await revokeAccessToken(deps, tx, token))) return { outcome: 'full' }
    await trace(tx, token)
    return { outcome: 'revoked', token }
  })
}

/** A token whose consent has ended, or has another grant by now, is dead. One of a suspended consent is not. */
async function isTied({ consents }: RevocationDeps, { authorization }: IssuedToken): Promise<boolean> {
  if (authorization === null) return true
  return (await consents.find(authorization.consentId))?.grantId === authorization.grantId
}

function revokeAccessToken(deps: RevocationDeps, tx: Tx, token: AccessToken): Promise<boolean> {
  return token.authorization === null
    ? deps.participants.revokeToken(tx, token.clientId, token)
    : deps.consents.revokeToken(tx, token.authorization.consentId, token)
}
