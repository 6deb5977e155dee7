/** What an error of the LFI's door looks like: JSON, with a reason, and never a way to somewhere else. */
import { expect } from 'vitest'
import type { Answer } from './wire.ts'

export function expectJsonError(answer: Answer, status: number, error: string): void {
  expect([answer.status, answer.json]).toEqual([status, { error, error_description: expect.stringMatching(/./) }])
  expect(answer.headers.location).toBeUndefined()
  expect(answer.headers['set-cookie']).toBeUndefined()
}
