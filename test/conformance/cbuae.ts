/** The 60 modules that apply to the UAE profile, in the order of the suite's plan. */
import type { Module } from './module.ts'
import { AUTHORIZATION } from './modules-authorization.ts'
import { CLIENT } from './modules-client.ts'
import { REQUEST_OBJECT } from './modules-request-object.ts'
import { TOLERANCE } from './modules-tolerance.ts'

export const CBUAE: readonly Module[] = [...TOLERANCE, ...REQUEST_OBJECT, ...AUTHORIZATION, ...CLIENT]
