/** Whoever has hung up waits for nothing any more: what was asked for on its behalf is called off. */
import type { ServerResponse } from 'node:http'

/** Aborted when the connection of a request ends before its answer has left. */
export function goneOf(response: ServerResponse): AbortSignal {
  const gone = new AbortController()
  response.once('close', () => {
    if (!response.writableFinished) gone.abort()
  })
  return gone.signal
}
