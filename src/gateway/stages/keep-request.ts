import type { JsonObject, Subscription } from '../../consent-store/index.ts'
import { inTransaction } from '../../db.ts'
import { callerOfRequest, REQUESTS, requireRegistered } from '../requests.ts'
import { stage } from '../stage.ts'

/** A body as its schema lets it through. */
type Asked = { readonly Data: JsonObject; readonly Subscription?: Subscription }

/** Before the LFI is asked: it must not have begun what the hub then refuses. */
export const checkSubscription = stage({
  name: 'check-subscription',
  needs: ['client', 'body'],
  adds: [],
  fails: ['Body.InvalidFormat'],
  run({ client, body }) {
    const { Subscription } = body as Asked
    if (Subscription !== undefined) requireRegistered(Subscription, 'Subscription', client)
    return {}
  },
})

/** What the LFI has begun is the client's from now on, and events about it go where it said (lfi-api 2.9). */
export const beginRequest = stage({
  name: 'begin-request',
  needs: ['arrival', 'service', 'client', 'body', 'translation'],
  adds: [],
  fails: ['GenericError'],
  async run({ arrival, service, client, body, translation }, { db, resources }) {
    if (service.kind === null || translation.body === null) return {}
    const { id, status, begins, echoes } = REQUESTS[service.kind]
    const { Data: asked, Subscription } = body as Asked
    const { Data: answered } = translation.body as Asked
    const begun = {
      kind: service.kind,
      resourceId: String(answered[id]),
      clientId: client.clientId,
      organisationId: client.organisationId,
      status: String(answered[status] ?? begins),
      subscription: Subscription ?? null,
      echoed: Object.fromEntries(echoes.flatMap((name) => (asked[name] === undefined ? [] : [[name, asked[name]]]))),
    }
    await inTransaction(db, (tx) => resources.recordRequest(tx, begun, callerOfRequest(client, arrival)))
    return {}
  },
})

/** The LFI has taken the client's decision. */
export const moveRequest = stage({
  name: 'move-request',
  needs: ['arrival', 'client', 'requested', 'body', 'translation'],
  adds: [],
  fails: ['Event.UnexpectedEvent'],
  async run({ arrival, client, requested, body }, { db, resources }) {
    const { Data, Subscription } = body as Asked
    const { kind, resourceId } = requested
    const change = {
      status: String(Data[REQUESTS[kind].status]),
      ...(Subscription === undefined ? {} : { subscription: Subscription }),
    }
    const at = { kind, resourceId, clientId: client.clientId }
    await inTransaction(db, (tx) => resources.moveByTpp(tx, at, change, callerOfRequest(client, arrival)))
    return {}
  },
})
