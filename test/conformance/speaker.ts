/**
 * How a request leaves an application in the style of its plan: with its parameters signed or plain, and with what its
 * tokens are bound to. A server that asks for a nonce is answered with it, once, as RFC 9449 8 has it.
 */
import { randomUUID } from 'node:crypto'
import { type Draft, send, type Tpp } from '../auth-server/support/tpp.ts'
import type { Answer, Wire } from '../auth-server/support/wire.ts'
import { createProofKey, draftProof, type Proof, type ProofKey, signProof } from './proof.ts'
import { asParameters, type Style } from './style.ts'

export type Reading = {
  readonly headers?: Readonly<Record<string, string>>
  readonly scheme?: string
  /** Changes the proof before it is signed; without DPoP there is none. */
  readonly proof?: (proof: Proof) => void
  /** What goes into the header in its place; null: nothing. `another` makes a second proof like it. */
  readonly present?: (proof: string, another: () => string) => string | string[] | null
}
export type Speaker = {
  /** As it stands, but for the style. A draft with a DPoP header of its own keeps it; an empty one is left out. */
  send(draft: Draft): Promise<Answer>
  read(by: Tpp, url: string, accessToken: string, how?: Reading): Promise<Answer>
  proofKey(clientId: string): ProofKey
  /** What the next proof for that server must hold, as far as it is known. */
  nonceOf(url: string): string | undefined
}

export function createSpeaker(
  style: Style,
  { tokenEndpoint, anonymous }: { readonly tokenEndpoint: string; readonly anonymous: Wire },
): Speaker {
  const keys = new Map<string, ProofKey>()
  const nonces = new Map<string, string>()
  const nonceOf = (url: string) => nonces.get(new URL(url).origin)
  const proofKey = (clientId: string): ProofKey => {
    const key = keys.get(clientId) ?? createProofKey()
    keys.set(clientId, key)
    return key
  }
  const learn = (url: string, answer: Answer): Answer => {
    const nonce = answer.headers['dpop-nonce']
    if (typeof nonce === 'string') nonces.set(new URL(url).origin, nonce)
    return answer
  }
  // Who proves a key needs no certificate, and shows none.
  const wireOf = (wire: Wire): Wire => (style.binding === 'key' ? anonymous : wire)
  const proofFor = (clientId: string, method: string, url: string, accessToken?: string): Proof => {
    const nonce = nonceOf(url)
    const asked = {
      method,
      url,
      ...(accessToken === undefined ? {} : { accessToken }),
      ...(nonce === undefined ? {} : { nonce }),
    }
    return draftProof(proofKey(clientId), asked)
  }

  const transmit = async (draft: Draft): Promise<Answer> => {
    const { dpop: own, ...headers } = draft.headers
    const wants = style.binding === 'key' && draft.url === tokenEndpoint && own === undefined
    const dpop = wants ? signProof(proofFor(String(draft.assertion.claims['iss']), draft.method, draft.url)) : own
    const answer = await send({
      ...draft,
      wire: wireOf(draft.wire),
      form: style.requests === 'plain' ? plain(draft) : draft.form,
      headers: { ...headers, ...(dpop === undefined || dpop === '' ? {} : { dpop }) },
    })
    return learn(draft.url, answer)
  }

  return {
    proofKey,
    nonceOf,
    send: async (draft) => {
      const answer = await transmit(draft)
      if (answer.json['error'] !== 'use_dpop_nonce' || draft.headers['dpop'] !== undefined) return answer
      // An assertion works once, also when it was the proof that was not good.
      draft.assertion.claims['jti'] = randomUUID()
      return transmit(draft)
    },
    read: async (by, url, accessToken, { headers = {}, scheme, proof = () => {}, present } = {}) => {
      const signed = (): string => {
        const draft = proofFor(by.clientId, 'GET', url, accessToken)
        proof(draft)
        return signProof(draft)
      }
      const credentials = (): Record<string, string | string[]> => {
        if (style.binding === 'certificate') return { authorization: `${scheme ?? 'Bearer'} ${accessToken}` }
        const dpop = present === undefined ? signed() : present(signed(), signed)
        return { authorization: `${scheme ?? 'DPoP'} ${accessToken}`, ...(dpop === null ? {} : { dpop }) }
      }
      const once = async (): Promise<Answer> => {
        const asked = { 'x-fapi-interaction-id': randomUUID(), ...headers }
        return learn(url, await wireOf(by.wire).send(url, { headers: { ...credentials(), ...asked } }))
      }
      const answer = await once()
      return /use_dpop_nonce/.test(answer.headers['www-authenticate'] ?? '') ? once() : answer
    },
  }
}

/** The claims of the request object in its place; without one the form is what it is. */
function plain({ form }: Draft): Draft['form'] {
  return form.flatMap(([name, value]) =>
    name === 'request' && typeof value !== 'string' ? asParameters(value) : [[name, value] as [string, typeof value]],
  )
}
