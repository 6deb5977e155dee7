/** What did not work, as it is said to whoever asked for it. */
import { HubError, OperatorError } from '../errors.ts'
import { type Html, html } from '../html.ts'
import type { HubContext } from '../listener.ts'
import { reasonOf } from './acts/desk.ts'
import { Refused } from './refused.ts'
import type { Tongue } from './words/index.ts'

export type Fault = {
  readonly status: number
  /** Whoever asked can do something about it; anything else is a fault of ours. */
  readonly isTheirs: boolean
  readonly said: Html
}

/** Its first line takes the focus, so that it is read out, and whoever has no mouse goes on from there. */
export function faultOf({ state }: HubContext, { words: { shell } }: Tongue, thrown: unknown): Fault {
  const told = reasonOf(thrown)
  const reason = thrown instanceof Refused ? thrown.reason : 'failed'
  if (thrown instanceof Refused) state.log.warn({ reason, err: thrown.cause }, 'refused in the portal')
  else if (told === null) state.log.error({ err: thrown }, 'the portal failed')
  const { act, reference, [reason]: refused } = shell.refused
  return {
    status: statusOf(thrown),
    isTheirs: thrown instanceof Refused || told !== null,
    said: html`<p class="fault" role="alert" tabindex="-1" autofocus>${
      told === null ? refused : html`${act} <span lang="en" dir="ltr">${told}</span>`
    }</p>
<p>${reference} <code dir="ltr">${state.correlationId}</code></p>`,
  }
}

function statusOf(thrown: unknown): number {
  if (thrown instanceof Refused || thrown instanceof HubError) return thrown.status
  return thrown instanceof OperatorError ? 400 : 500
}
