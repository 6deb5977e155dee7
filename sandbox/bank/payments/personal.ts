/** What only this bank can read: who is to be paid, signed by the TPP and encrypted for us (tpp-api 2.7.3). */
import { createPrivateKey } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { compactDecrypt, decodeProtectedHeader, errors, jwtVerify } from 'jose'
import type { Keystore } from '../ozone-connect/keystore.ts'
import { Refusal } from '../ozone-connect/refusal.ts'
import { items, member, text } from '../pages/json.ts'

export type Sender = { readonly organisationId: string; readonly clientId: string }
export type Payee = { readonly name: string; readonly account: string }

export type PersonalReader = {
  /** @throws Refusal JWE.* for what is not encrypted for us, JWS.* for what its sender has not signed */
  payees(jwe: string, sender: Sender): Promise<readonly Payee[]>
}

export function createPersonalReader(deps: {
  readonly encryptionKey: { readonly kid: string; readonly keyFile: string }
  readonly keystore: Keystore
}): PersonalReader {
  const key = createPrivateKey(readFileSync(deps.encryptionKey.keyFile))
  return {
    async payees(jwe, sender) {
      const signed = await decrypted(jwe, key, deps.encryptionKey.kid)
      return payeesIn(await verified(signed, sender, deps.keystore))
    },
  }
}

async function decrypted(jwe: string, key: ReturnType<typeof createPrivateKey>, kid: string): Promise<string> {
  try {
    if (decodeProtectedHeader(jwe).kid !== kid)
      throw new Refusal(400, 'JWE.InvalidHeader', 'kid names no key of this bank')
    const { plaintext } = await compactDecrypt(jwe, key, {
      keyManagementAlgorithms: ['RSA-OAEP-256'],
      contentEncryptionAlgorithms: ['A256GCM'],
    })
    return Buffer.from(plaintext).toString('utf8')
  } catch (thrown) {
    if (thrown instanceof Refusal) throw thrown
    throw new Refusal(400, 'JWE.DecryptionError', 'the personal data cannot be decrypted')
  }
}

async function verified(jws: string, sender: Sender, keystore: Keystore): Promise<unknown> {
  try {
    const { kid = '' } = decodeProtectedHeader(jws)
    const key = await keystore.key(sender.organisationId, sender.clientId, kid)
    if (key === null) throw new Refusal(400, 'JWS.InvalidSignature', 'the signer of the personal data has no such key')
    const { payload } = await jwtVerify(jws, key, { algorithms: ['PS256'], issuer: sender.clientId })
    return payload
  } catch (thrown) {
    if (thrown instanceof errors.JOSEError || thrown instanceof TypeError) {
      throw new Refusal(400, 'JWS.InvalidSignature', 'the signature of the personal data does not verify')
    }
    throw thrown
  }
}

/** A consent names a list of creditors, a payment one. */
function payeesIn(personal: unknown): readonly Payee[] {
  const initiation = member(personal, 'Initiation')
  const entries = items(member(initiation, 'Creditor'))
  return (entries.length > 0 ? entries : [initiation]).flatMap((entry) => {
    const account = text(member(entry, 'CreditorAccount', 'Identification'))
    const name = text(member(entry, 'CreditorAccount', 'Name', 'en')) ?? text(member(entry, 'Creditor', 'Name'))
    return account === null ? [] : [{ name: name ?? account, account }]
  })
}
