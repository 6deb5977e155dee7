/** One journey from the push to a refreshed token, step by step, at whichever node; each step can be sent again. */
import { randomUUID } from 'node:crypto'
import { bankUsers } from '../../../sandbox/bank/users.ts'
import { outcomeOf } from '../../auth-server/support/bank.ts'
import type { Json } from '../../auth-server/support/jws.ts'
import { now, type Push, send } from '../../auth-server/support/tpp.ts'
import type { Answer, Wire } from '../../auth-server/support/wire.ts'
import type { World } from '../../auth-server/support/world.ts'
import type { Doors } from './mortal-node.ts'

export type Journey = {
  readonly push: Push
  requestUri: string
  interactionId: string
  code: string
  tokens: Answer['json']
  refreshed: Answer['json']
}
export type Step = {
  readonly name: string
  /** As a real client sends it, for the first time or again: same content, new assertion. */
  send(journey: Journey, at: Doors, over?: Wire): Promise<Answer>
  /** What the next step needs of the answer. @throws Error for an answer that is none */
  take(journey: Journey, answer: Answer): void
}

export const begin = (world: World): Journey => ({
  push: world.tpp.push(),
  requestUri: '',
  interactionId: '',
  code: '',
  tokens: {},
  refreshed: {},
})

export function stepsOf(world: World): readonly Step[] {
  const { tpp, bank } = world
  const [user] = bankUsers('aurora')
  const form = { method: 'POST', headers: { 'content-type': 'application/x-www-form-urlencoded' }, body: '' }
  const authorized = {
    status: 'Authorized',
    'consentBody.Data.Status': 'Authorized',
    authorizationChannel: 'Web',
    psuIdentifiers: { userId: user?.userId },
    accountIds: user?.accountIds,
  }
  return [
    {
      name: 'POST /par',
      send: ({ push }, at, wire = tpp.wire) => {
        const issued = now()
        Object.assign(push.assertion.claims, { jti: randomUUID(), iat: issued, exp: issued + 60 })
        return send({ ...push, wire, url: `${at.as}/par` })
      },
      take: (journey, answer) => {
        expectStatus(answer, 201)
        journey.requestUri = String(answer.json['request_uri'])
      },
    },
    {
      name: 'GET /auth',
      send: ({ requestUri }, at, wire = bank.wire) => {
        const query = new URLSearchParams({ client_id: tpp.clientId, request_uri: requestUri })
        return bank.call(`${at.hh}/auth?${query}`, { wire })
      },
      take: (journey, answer) => {
        expectStatus(answer, 200)
        journey.interactionId = String((answer.json['interaction'] as Json)['interactionId'])
      },
    },
    {
      name: 'PATCH /consents/{id}',
      send: ({ push }, at, wire = bank.wire) =>
        bank.call(`${at.cm}/consents/${push.consentId}`, {
          wire,
          method: 'PATCH',
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify(authorized),
        }),
      take: (_journey, answer) => expectStatus(answer, 204),
    },
    {
      name: 'POST doConfirm',
      send: ({ interactionId }, at, wire = bank.wire) =>
        bank.call(`${at.hh}/auth/${interactionId}/doConfirm`, { ...form, wire }),
      take: (journey, answer) => {
        expectStatus(answer, 303)
        const { query, location } = outcomeOf(answer)
        journey.code = query.get('code') ?? ''
        if (journey.code === '') throw new Error(`no code: ${location}`)
      },
    },
    {
      name: 'POST /token, code',
      send: ({ code, push }, at, wire = tpp.wire) =>
        send({ ...tpp.exchange(code, push.verifier), wire, url: `${at.as}/token` }),
      take: (journey, answer) => {
        expectStatus(answer, 200)
        journey.tokens = answer.json
      },
    },
    {
      name: 'POST /token, refresh',
      send: ({ tokens }, at, wire = tpp.wire) =>
        send({ ...tpp.refresh(String(tokens['refresh_token'])), wire, url: `${at.as}/token` }),
      take: (journey, answer) => {
        expectStatus(answer, 200)
        journey.refreshed = answer.json
      },
    },
  ]
}

function expectStatus(answer: Answer, status: number): void {
  if (answer.status !== status) throw new Error(`${answer.status} instead of ${status}: ${answer.text}`)
}
