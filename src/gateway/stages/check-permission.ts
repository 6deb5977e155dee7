import { HubError } from '../../errors.ts'
import { opening, opens } from '../../permissions.ts'
import { stage } from '../stage.ts'

export const checkPermission = stage({
  name: 'check-permission',
  needs: ['read', 'consent'],
  adds: [],
  fails: ['AccessToken.InvalidScope'],
  run({ read, consent }) {
    if (opens(consent.permissions, read.operationId)) return {}
    const enough = [...opening(read.operationId)].join(', ')
    throw new HubError('AccessToken.InvalidScope', {
      rule: 'consent.permission',
      reason: `The consent has none of the permissions ${enough}`,
    })
  },
})
