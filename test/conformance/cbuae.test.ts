/** Each module of the suite's plan for the UAE profile, against the real listeners. */
import { runPlan } from './run-plan.ts'

runPlan('cbuae')
