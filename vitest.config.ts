import { defineConfig } from 'vitest/config'
import { COMPILE_CACHE } from './test/support/compile-cache.ts'
import LongestFirst from './test/support/order.ts'

/**
 * Files whose modules keep nothing from one to the next: they share a process, in which the sources are loaded once.
 * A module that registers hooks on import would register them for the first file only, so there is none of these.
 */
const TOGETHER = [
  'test/unit/**/*.test.ts',
  'test/auth-server/unit/*.test.ts',
  'test/gateway/*.test.ts',
  'test/db/*.test.ts',
]

const test = {
  env: COMPILE_CACHE,
  pool: 'forks',
  testTimeout: 60_000,
  hookTimeout: 120_000,
} as const

export default defineConfig({
  test: {
    globalSetup: ['test/support/postgres-server.ts'],
    reporters: ['default', './test/support/plain-summary.ts'],
    maxWorkers: 2,
    teardownTimeout: 20_000,
    sequence: { sequencer: LongestFirst },
    projects: [
      { test: { ...test, name: 'apart', include: ['test/**/*.test.ts'], exclude: TOGETHER, isolate: true } },
      { test: { ...test, name: 'together', include: TOGETHER, isolate: false } },
    ],
  },
})
