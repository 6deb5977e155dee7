/** All weakenings of the mutation run. */
import type { Mutation } from './mutation.ts'
import { CLIENT_MUTATIONS } from './mutations-client.ts'
import { DPOP_MUTATIONS } from './mutations-dpop.ts'
import { FLOW_MUTATIONS } from './mutations-flow.ts'
import { REQUEST_MUTATIONS } from './mutations-request.ts'
import { TOLERANCE_MUTATIONS } from './mutations-tolerance.ts'

export const MUTATIONS: readonly Mutation[] = [
  ...TOLERANCE_MUTATIONS,
  ...REQUEST_MUTATIONS,
  ...CLIENT_MUTATIONS,
  ...FLOW_MUTATIONS,
  ...DPOP_MUTATIONS,
]
