/** `npm run demo`, as it is: every step of the journey against a sandbox of its own. */
import { expect, test } from 'vitest'
import { runDemo } from '../../sandbox/demo/demo.ts'
import { startTestSandbox } from '../support/sandbox.ts'

const JOURNEY_MS = 120_000

test(
  'the demo holds in every step, and says what was asked and what came back',
  async () => {
    const sandbox = await startTestSandbox()
    const lines: string[] = []
    try {
      expect(await runDemo(sandbox.manifest, (text) => lines.push(text)), lines.join('\n')).toBe(0)
    } finally {
      await sandbox.close()
    }
    const told = lines.join('\n')
    for (const step of [
      'POST /par',
      'GET /parties',
      'refresh_token',
      'AccessToken.InvalidScope',
      'falaj audit verify',
    ]) {
      expect(told).toContain(step)
    }
    // What is shown to a person never holds a credential: no JWT, no code, no request_uri.
    expect(told).not.toMatch(/eyJ[\w-]{10,}\.|request_uri:[\w-]{16,}|code=[\w-]{16,}/)
  },
  JOURNEY_MS,
)
