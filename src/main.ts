#!/usr/bin/env node
/** The command line `falaj`: the one way in for operators, regulators and newcomers. */
import { createProgram } from './cli/program.ts'
import { complain, wantsJson } from './cli/refusal.ts'

try {
  await createProgram(wantsJson(process.argv)).parseAsync()
} catch (error) {
  complain(error)
  process.exitCode = 1
}
