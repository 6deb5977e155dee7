import { parseJson, readBody as readWhole } from '../../body.ts'
import { HubError } from '../../errors.ts'
import { signingKey } from '../../jose.ts'
import { isStorable } from '../../storable.ts'
import type { Facts } from '../facts.ts'
import type { Services } from '../services.ts'
import { openSignedMessage } from '../signed-message.ts'
import { stage } from '../stage.ts'
import { invalidBody } from '../violations.ts'

/** The body in plain, checked against its schema: signed messages are opened first (tpp-api 5.1). */
export const readSignableBody = stage({
  name: 'read-signable-body',
  needs: ['arrival', 'route', 'bodyType', 'client'],
  adds: ['body'],
  fails: [
    'PayloadTooLarge',
    'JWS.Malformed',
    'JWS.InvalidHeader',
    'JWS.InvalidSignature',
    'JWS.InvalidClaim',
    'Body.InvalidFormat',
  ],
  async run(facts, services) {
    const { bodyType } = facts
    const bytes =
      bodyType === 'none' ? null : await readWhole(facts.arrival.request, services.tenant.limits.bodyBytesMax)
    const body =
      bytes === null
        ? undefined
        : bodyType === 'json'
          ? parseJson(bytes)
          : await openFor(facts, bytes.toString('latin1'), services)
    checkBody(facts, body, services)
    return { body }
  },
})

/** A body that must be signed; the signature stays with what it asks for. */
export const readSignedBody = stage({
  name: 'read-signed-body',
  needs: ['arrival', 'route', 'bodyType', 'client'],
  adds: ['body', 'signedBody'],
  fails: readSignableBody.fails,
  async run(facts, services) {
    if (facts.bodyType === 'none') return { body: undefined, signedBody: null }
    const bytes = await readWhole(facts.arrival.request, services.tenant.limits.bodyBytesMax)
    const signedBody = bytes.toString('latin1').trim()
    const body = await openFor(facts, signedBody, services)
    checkBody(facts, body, services)
    return { body, signedBody }
  },
})

function openFor({ client }: Pick<Facts, 'client'>, jws: string, services: Services): Promise<unknown> {
  const { tenant, participants, clock } = services
  return openSignedMessage(jws, {
    sender: client.clientId,
    receiver: tenant.listeners.auth.origin,
    now: clock.now(),
    // A key that is not known may be a new one: the directory is asked again, not too often.
    keyOf: async (kid) =>
      signingKey(client.jwks.keys, kid) ??
      signingKey((await participants.refresh(client.clientId))?.jwks.keys ?? [], kid),
  })
}

function checkBody({ route }: Pick<Facts, 'route'>, body: unknown, { registry }: Services): void {
  if (!isStorable(body)) {
    throw new HubError('Body.InvalidFormat', { rule: 'body.form', reason: 'A text of the body cannot be kept' })
  }
  const violations = registry.requestBody(route.document, route.operationId)?.(body) ?? []
  if (violations.length > 0) throw invalidBody(violations)
}

/** A body that nobody signs. */
export const readPlainBody = stage({
  name: 'read-plain-body',
  needs: ['arrival', 'route', 'bodyType'],
  adds: ['body'],
  fails: ['PayloadTooLarge', 'Body.InvalidFormat'],
  async run(facts, services) {
    if (facts.bodyType === 'none') return { body: undefined }
    const body = parseJson(await readWhole(facts.arrival.request, services.tenant.limits.bodyBytesMax))
    checkBody(facts, body, services)
    return { body }
  },
})
