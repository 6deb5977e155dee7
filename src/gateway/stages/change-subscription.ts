import type { Subscription } from '../../consent-store/index.ts'
import { inTransaction } from '../../db.ts'
import { HubError } from '../../errors.ts'
import { Answer } from '../answer.ts'
import { callerOfRequest, requireRegistered } from '../requests.ts'
import { stage } from '../stage.ts'

/** A quote has events from its acceptance on (tpp-api 5.6). */
const BEFORE_EVENTS: ReadonlySet<string> = new Set(['Available'])

/** Where events of a quote or opening go; the LFI does not hear of it. */
export const changeSubscription = stage({
  name: 'change-subscription',
  needs: ['arrival', 'client', 'requested', 'body'],
  adds: [],
  fails: ['Body.InvalidFormat', 'Event.UnexpectedEvent'],
  async run({ arrival, client, requested, body }, { db, resources }) {
    const { Data } = body as { readonly Data: Subscription }
    const { kind, resourceId, status } = requested
    if (BEFORE_EVENTS.has(status)) {
      throw new HubError('Event.UnexpectedEvent', {
        rule: 'request.accepted',
        reason: 'The quote has not been accepted',
      })
    }
    const subscription = requireRegistered(Data, 'Data', client)
    const at = { kind, resourceId, clientId: client.clientId }
    await inTransaction(db, (tx) =>
      resources.changeSubscription(tx, at, subscription, callerOfRequest(client, arrival)),
    )
    return new Answer(204)
  },
})
