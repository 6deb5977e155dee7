import { parseJson, readBody as readWhole } from '../../body.ts'
import { signingKey } from '../../jose.ts'
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
  async run({ arrival, route, bodyType, client }, { tenant, registry, participants, clock }) {
    const bytes = bodyType === 'none' ? null : await readWhole(arrival.request, tenant.limits.bodyBytesMax)
    const body =
      bytes === null
        ? undefined
        : bodyType === 'json'
          ? parseJson(bytes)
          : await openSignedMessage(bytes.toString('latin1'), {
              sender: client.clientId,
              receiver: tenant.listeners.auth.origin,
              now: clock.now(),
              // A key that is not known may be a new one: the directory is asked again, not too often.
              keyOf: async (kid) =>
                signingKey(client.jwks.keys, kid) ??
                signingKey((await participants.refresh(client.clientId))?.jwks.keys ?? [], kid),
            })
    const violations = registry.requestBody(route.document, route.operationId)?.(body) ?? []
    if (violations.length > 0) throw invalidBody(violations)
    return { body }
  },
})

/** A body that nobody signs. */
export const readPlainBody = stage({
  name: 'read-plain-body',
  needs: ['arrival', 'route', 'bodyType'],
  adds: ['body'],
  fails: ['PayloadTooLarge', 'Body.InvalidFormat'],
  async run({ arrival, route, bodyType }, { tenant, registry }) {
    if (bodyType === 'none') return { body: undefined }
    const body = parseJson(await readWhole(arrival.request, tenant.limits.bodyBytesMax))
    const violations = registry.requestBody(route.document, route.operationId)?.(body) ?? []
    if (violations.length > 0) throw invalidBody(violations)
    return { body }
  },
})
