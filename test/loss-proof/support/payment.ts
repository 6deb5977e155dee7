/** A payment as a TPP makes it at a node of the hub, from the consent to the answer. */
import { randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { bankUsers } from '../../../sandbox/bank/users.ts'
import { outcomeOf } from '../../auth-server/support/bank.ts'
import { compact, type Json } from '../../auth-server/support/jws.ts'
import { detailOf, now, send } from '../../auth-server/support/tpp.ts'
import type { Answer } from '../../auth-server/support/wire.ts'
import type { World } from '../../auth-server/support/world.ts'
import type { Doors } from './mortal-node.ts'

const PAY_TYPE = 'urn:openfinanceuae:service-initiation-consent:v2.1'

export type Agreed = { readonly consentId: string; readonly accessToken: string; readonly key: string }

/** A consent for one payment, authorized, and the token that goes with it. */
export async function agree(world: World, doors: Doors): Promise<Agreed> {
  const { tpp, bank } = world
  const push = tpp.push()
  Object.assign(push.request.claims, { scope: 'openid payments' })
  Object.assign(detailOf(push), {
    type: PAY_TYPE,
    consent: {
      ConsentId: push.consentId,
      IsSingleAuthorization: true,
      ExpirationDateTime: new Date(Date.now() + 86_400_000).toISOString(),
      ControlParameters: {
        ConsentSchedule: {
          SinglePayment: { Type: 'SingleInstantPayment', Amount: { Amount: '12.00', Currency: 'AED' } },
        },
      },
      PersonalIdentifiableInformation: JWE,
      PaymentPurposeCode: 'ACM',
    },
  })
  const pushed = await send({ ...push, url: `${doors.as}/par` })
  expectStatus(pushed, 201)
  const requestUri = String(pushed.json['request_uri'])
  const parameters = new URLSearchParams({ client_id: tpp.clientId, request_uri: requestUri })
  const interaction = await bank.call(`${doors.hh}/auth?${parameters}`)
  expectStatus(interaction, 200)
  const [user] = bankUsers('aurora')
  const patched = await bank.call(`${doors.cm}/consents/${push.consentId}`, {
    method: 'PATCH',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      status: 'Authorized',
      'consentBody.Data.Status': 'Authorized',
      authorizationChannel: 'Web',
      psuIdentifiers: { userId: user?.userId },
      accountIds: user?.accountIds.slice(0, 1),
    }),
  })
  expectStatus(patched, 204)
  const id = String((interaction.json['interaction'] as Json)['interactionId'])
  const confirmed = await bank.call(`${doors.hh}/auth/${id}/doConfirm`, {
    method: 'POST',
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: '',
  })
  const code = outcomeOf(confirmed).query.get('code') ?? ''
  const tokens = await send({ ...tpp.exchange(code, push.verifier), url: `${doors.as}/token` })
  expectStatus(tokens, 200)
  return { consentId: push.consentId, accessToken: String(tokens.json['access_token']), key: randomUUID() }
}

const part = (value: string): string => Buffer.from(value).toString('base64url')
const HEADER = JSON.stringify({ alg: 'RSA-OAEP-256', enc: 'A256GCM', kid: 'bank' })
const JWE = [HEADER, 'key', 'iv', 'content', 'tag'].map(part).join('.')

export function pay(
  world: Pick<World, 'tpp' | 'server'>,
  doors: { readonly rs: string },
  { consentId, accessToken, key }: Agreed,
): Promise<Answer> {
  const { tpp, server } = world
  const at = now()
  const body = compact({
    header: { alg: 'PS256', kid: tpp.kid },
    claims: {
      iss: tpp.clientId,
      aud: [server.issuer],
      iat: at,
      nbf: at,
      exp: at + 300,
      message: {
        Data: {
          ConsentId: consentId,
          Instruction: { Amount: { Amount: '12.00', Currency: 'AED' } },
          PaymentPurposeCode: 'ACM',
          OpenFinanceBilling: { Type: 'PushP2P' },
        },
      },
    },
    key: tpp.key,
  })
  return tpp.wire.send(`${doors.rs}/open-finance/payment/v2.1/payments`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${accessToken}`,
      'content-type': 'application/jwt',
      'x-idempotency-key': key,
    },
    body,
  })
}

/** Lines of the bank's own ledger. */
export const executed = (world: World, consentId: string): readonly { readonly id: string }[] =>
  readFileSync(join(world.dataDir, 'banks/aurora/payments.jsonl'), 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as { readonly id: string; readonly consentId: string })
    .filter((payment) => payment.consentId === consentId)

function expectStatus(answer: Answer, status: number): void {
  if (answer.status !== status) throw new Error(`${answer.status} instead of ${status}: ${answer.text}`)
}
