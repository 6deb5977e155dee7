import { HubError } from '../../errors.ts'
import { toCorrelationId } from '../../ids.ts'
import { Answer } from '../answer.ts'
import { stage } from '../stage.ts'

/** Calls of others are as unknown as calls that were never made. */
export const showReceipts = stage({
  name: 'show-receipts',
  needs: ['client', 'pathValues'],
  adds: [],
  fails: ['NotFound'],
  async run({ client, pathValues }, { receipts }) {
    const id = toCorrelationId(pathValues['interactionId'])
    const found = id === null ? null : await receipts.find(id, { of: 'client', clientId: client.clientId })
    if (found === null) throw new HubError('NotFound', { rule: 'receipt.own' })
    return new Answer(200, found, found.receipts.length)
  },
})
