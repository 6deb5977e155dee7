/** A TPP that wants to hear of things: its keys, and the addresses that the directory lists for it. */
import { generateKeyPairSync, type KeyObject, randomUUID } from 'node:crypto'
import type { ClientId, OrganisationId } from '../../../src/ids.ts'
import type { Receiver } from './receiver.ts'

export type Tpp = {
  readonly clientId: ClientId
  readonly organisationId: OrganisationId
  /** As the directory publishes them; a test may change them while what is known is not too fresh. */
  readonly jwks: { keys: unknown[] }
  /** What they were at first. */
  readonly published: readonly unknown[]
  readonly webhookUris: string[]
  readonly decryption: KeyObject
  readonly receiver: Receiver
}

export function newTpp(receiver: Receiver): Tpp {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const signing = generateKeyPairSync('rsa', { modulusLength: 2048 }).publicKey
  const published = [
    { ...signing.export({ format: 'jwk' }), kid: 'tpp-sig', use: 'sig' },
    { ...publicKey.export({ format: 'jwk' }), kid: 'tpp-enc', use: 'enc' },
  ]
  return {
    clientId: randomUUID() as ClientId,
    organisationId: randomUUID() as OrganisationId,
    receiver,
    webhookUris: [`${receiver.origin}/events`],
    decryption: privateKey,
    published,
    jwks: { keys: [...published] },
  }
}
