/**
 * The keys of one log: the one that signs, and those that signed before it and are still believed. A checkpoint
 * outlives its key, so a rotation adds a key and takes none away.
 */
import { createPrivateKey } from 'node:crypto'
import type { TenantId } from '../ids.ts'
import type { Secret } from '../secret.ts'
import { parseVerifierKey, type SignerKey, signerFromPem, type VerifierKey, verifierFromPem } from './note/key.ts'

export type LogKeys = {
  readonly origin: string
  readonly signer: SignerKey
  /** Oldest first; without the one that signs. */
  readonly previous: readonly VerifierKey[]
  /** Signs the first checkpoint of its successor as well, where its private half is still here: the key vouches for
   * the next one, and whoever knows only the old key is led on. */
  readonly farewell: SignerKey | null
}

export type LogKeySource = {
  readonly tenantId: TenantId
  /** Ed25519, PEM. */
  readonly key: Secret<string>
  /** Default: falaj/ and the tenant. */
  readonly origin?: string
  /** Ed25519, PEM, private or public; oldest first. */
  readonly previousKeys?: readonly Secret<string>[]
}

export const originOf = (tenantId: TenantId): string => `falaj/${tenantId}`

export function openLogKeys({ tenantId, key, origin = originOf(tenantId), previousKeys = [] }: LogKeySource): LogKeys {
  const last = previousKeys.at(-1)?.reveal()
  return {
    origin,
    signer: signerFromPem(origin, 'log', key.reveal()),
    previous: previousKeys.map((pem) => verifierFromPem(origin, 'log', pem.reveal())),
    farewell: last !== undefined && isPrivate(last) ? signerFromPem(origin, 'log', last) : null,
  }
}

function isPrivate(pem: string): boolean {
  try {
    return createPrivateKey(pem).type === 'private'
  } catch {
    return false
  }
}

/** What a third party needs to verify the log. */
export const auditPublicKey = (tenantId: TenantId, key: Secret<string>, origin: string = originOf(tenantId)): string =>
  signerFromPem(origin, 'log', key.reveal()).verifier.text

/** The key that is named, if it is one of those that are believed. */
export function believed(keys: LogKeys, publicKey: string): VerifierKey | null {
  const named = parseVerifierKey(publicKey)
  return [keys.signer.verifier, ...keys.previous].find((each) => each.text === named?.text) ?? null
}
