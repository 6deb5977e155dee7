/** Plain FAPI 2.0: parameters as they are, tokens bound to certificates. */
import { runPlan } from './run-plan.ts'

runPlan('fapi2-mtls')
