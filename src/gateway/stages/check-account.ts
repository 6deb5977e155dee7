import { HubError } from '../../errors.ts'
import { toAccountId } from '../../ids.ts'
import { stage } from '../stage.ts'

/** The account must be one that the user selected. The LFI checks it too; the hub does not rely on that. */
export const checkAccount = stage({
  name: 'check-account',
  needs: ['pathValues', 'consent'],
  adds: ['accountId'],
  fails: ['Resource.InvalidFormat', 'Consent.PermanentAccountAccessFailure'],
  run({ pathValues, consent }) {
    const raw = pathValues['AccountId']
    if (raw === undefined) return { accountId: null }
    const accountId = toAccountId(raw)
    if (accountId === null) {
      throw new HubError('Resource.InvalidFormat', {
        rule: 'resource.form',
        reason: 'AccountId is malformed',
        path: 'AccountId',
      })
    }
    if (!consent.accountIds.includes(accountId))
      throw new HubError('Consent.PermanentAccountAccessFailure', { rule: 'consent.account' })
    return { accountId }
  },
})
